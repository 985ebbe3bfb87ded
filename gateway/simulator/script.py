"""The `simulator:` part of an examples file, compiled: state, and what each of the provider's calls does with it.

It is written in the mapping's own trees and templates; nothing here knows a provider or sends anything.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from gateway.documents.finding_kinds import ERROR
from gateway.documents.parts import Part, parts_in
from gateway.documents.schema_check import check
from gateway.documents.yaml import Document, Finding, Place, suggestion
from gateway.examples import simulator_parts
from gateway.mapping.compiler.context import Context
from gateway.mapping.compiler.trees import compile_text, compile_tree
from gateway.mapping.expressions import Literal, Template
from gateway.mapping.nodes.calls import CallPlan, parts_of
from gateway.mapping.nodes.provider import ProviderPlan
from gateway.mapping.nodes.trees import Tree
from gateway.model.model import Model
from gateway.values.messages import Json

_PARTS: Mapping[str, Part] = {one.name: one for one in parts_in(simulator_parts)}
FORMATS: Mapping[str, str] = {
    "date": r"\d{4}-\d\d-\d\d",
    "clock": r"([01]\d|2[0-3]):[0-5]\d|24:00",
    "time": r"([01]\d|2[0-3]):[0-5]\d:[0-5]\d|24:00:00",
    "instant": r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(Z|[+-]\d\d:\d\d)",
    "moment": r"\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d)?(Z|[+-]\d\d:\d\d)?",
    "digits": r"\d+",
    "email": r"[^@\s]+@[^@\s]+",
    "text": r"(?s).+",
}
"""Formats of texts that `expects:` knows, as expressions."""
KINDS: Mapping[str, tuple[type, ...]] = {
    "number": (int, float),
    "list": (list,),
    "object": (dict,),
    "boolean": (bool,),
    "any": (object,),
}
"""Formats that are types of JSON. True and false are no numbers."""
_NAMES = frozenset({"state", "request", "settings", "now", "match"})
_CAPTURE = re.compile(r"\{([a-z_]+)\}")


@dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP answer to be built."""

    status: int
    json: Tree | None
    text: Tree | None
    xml: Tree | None
    headers: Tree | None


@dataclass(frozen=True, slots=True)
class Change:
    """One change of the state: `set`, `remove` or `add` at a dotted place."""

    kind: str
    place: Tree
    value: Tree | None
    when: Template | None
    origin: str


@dataclass(frozen=True, slots=True)
class Rule:
    """What one call does."""

    verb: str | None
    path: tuple[str | None, ...]
    captures: tuple[tuple[int, str], ...]
    rpc: str | None
    when: Template | None
    expects: Mapping[str, str]
    let: tuple[tuple[str, Tree], ...]
    refuse: tuple[tuple[Template, Answer], ...]
    change: tuple[Change, ...]
    answer: Answer
    origin: str


@dataclass(frozen=True, slots=True)
class Script:
    """The whole play."""

    state: Mapping[str, Json]
    unauthorised: Answer
    unknown: Answer
    invalid: Answer
    rules: tuple[Rule, ...]


def compile_script(
    document: Document, node: Json, plan: ProviderPlan, model: Model
) -> tuple[Script | None, list[Finding]]:
    """Compile the `simulator:` of an examples file of a provider; None with findings when it is wrong."""
    context = Context(document, model, settings=dict(plan.settings))
    context.know_settings()
    compiler = _Compiler(context, tuple(calls_of(plan)))
    script = compiler.script(node, ("simulator",))
    wrong = any(finding.level == ERROR for finding in context.findings)
    return (None if wrong else script), context.findings


def calls_of(plan: ProviderPlan) -> Iterator[CallPlan]:
    """Every call that operations can make, on whatever way."""
    for ways in plan.ways.values():
        for way in ways:
            for variant in way.variants:
                for step in variant.steps:
                    yield from (part for part in parts_of(step) if isinstance(part, CallPlan))


def _name(on: Mapping[str, Json]) -> dict[str, Json]:
    """Give `on` with a method of no key of its own as a key like the others."""
    if "method_name" not in on or "url" not in on:
        return dict(on)
    return {key: one for key, one in on.items() if key not in {"method_name", "url"}} | {on["method_name"]: on["url"]}


@dataclass(frozen=True, slots=True)
class _Compiler:
    context: Context
    calls: tuple[CallPlan, ...]

    def _check(self, shape: str, node: Json, place: Place) -> dict[str, Json] | None:
        return check(_PARTS[shape].shape, node, self.context.document, place, self.context.findings)

    def script(self, node: Json, place: Place) -> Script | None:
        shape = self._check("simulator", node, place)
        if shape is None:
            return None
        rules = [self._rule(one, (*place, "answers", index)) for index, one in enumerate(shape["answers"])]
        common = {
            name: self._answer(shape[name], (*place, name), _NAMES) for name in ("unauthorised", "unknown", "invalid")
        }
        return Script(shape["state"], rules=tuple(rule for rule in rules if rule is not None), **common)

    def _rule(self, node: Json, place: Place) -> Rule | None:
        shape = self._check("answer", node, place)
        on = self._check("on", shape["on"], (*place, "on")) if shape else None
        if shape is None or on is None:
            return None
        on = _name(on)
        verbs = [name for name in on if name != "method"]
        if len(verbs) > 1 or not on:
            self.context.report((*place, "on"), "call-without-verb", "`on` has one verb, a JSON-RPC `method`, or both")
        verb = verbs[0] if verbs else None
        segments = [part for part in on.get(verb, "").strip("/").split("/") if part] if verb else []
        captures = [(index, found[1]) for index, part in enumerate(segments) if (found := _CAPTURE.fullmatch(part))]
        self._check_known(on, verb, tuple(None if _CAPTURE.fullmatch(part) else part for part in segments), place)
        names, let = _NAMES, []
        for name, tree in shape.get("let", {}).items():
            let.append((name, compile_tree(self.context, tree, (*place, "let", name), names, secrets=True)))
            names = names | {name}
        refusals = []
        for index, one in enumerate(shape.get("refuse", [])):
            where = (*place, "refuse", index)
            refusal = self._check("refusal", one, where)
            refused = self._condition(refusal, where, names) if refusal else None
            if refusal is not None and refused is not None:
                refusals.append((refused, self._answer(refusal["answer"], (*where, "answer"), names)))
        return Rule(
            verb=verb.upper() if verb else None,
            path=tuple(None if _CAPTURE.fullmatch(part) else part for part in segments),
            captures=tuple(captures),
            rpc=on.get("method"),
            when=self._condition(shape, place, _NAMES),
            expects=self._expects(shape.get("expects", {}), (*place, "expects")),
            let=tuple(let),
            refuse=tuple(refusals),
            change=tuple(self._changes(shape.get("change", []), (*place, "change"), names)),
            answer=self._answer(shape["answer"], (*place, "answer"), names),
            origin=self.context.origin(place),
        )

    def _check_known(self, on: Json, verb: str | None, path: tuple[str | None, ...], place: Place) -> None:
        """Report a rule for what no call of the mapping asks."""
        rpc = on.get("method")

        def fits(call: CallPlan) -> bool:
            same = len(call.path) == len(path) and all(
                None in pair or pair[0] == pair[1] for pair in zip(call.path, path, strict=True)
            )
            return (verb is None or (call.method == verb.upper() and same)) and rpc in {None, call.rpc}

        if not any(fits(call) for call in self.calls):
            named = " ".join(str(on[key]) if key == "method" else f"{key.upper()} {on[key]}" for key in on)
            message = f"no call of the mapping is `{named}`; correct it, or remove it"
            self.context.report((*place, "on"), "answers-no-call", message)

    def _condition(self, shape: Mapping[str, Json], place: Place, names: frozenset[str]) -> Template | None:
        """The `when:` of a part; a text without a template would hold always or never."""
        if "when" not in shape:
            return None
        when = self.context.template(shape["when"], (*place, "when"), names, secrets=True)
        if isinstance(when, Literal):
            self.context.report((*place, "when"), "bad-template", "a condition is a template: write {{ … }}")
        return when if isinstance(when, Template) else None

    def _expects(self, forms: Mapping[str, Json], place: Place) -> dict[str, str]:
        known = [*FORMATS, *KINDS]
        for name, form in forms.items():
            if str(form).removesuffix("?") not in known:
                message = f"`{form}` is not a format{suggestion(str(form), known)}"
                self.context.report((*place, name), "unknown-format", message)
        return {name: str(form) for name, form in forms.items()}

    def _changes(self, nodes: Json, place: Place, names: frozenset[str]) -> list[Change]:
        changes = []
        for index, node in enumerate(nodes):
            where = (*place, index)
            kind = next((name for name in ("set", "remove", "add") if isinstance(node, dict) and name in node), None)
            if kind is None:
                self.context.report(where, "missing-key", "a change has `set`, `remove` or `add`")
                continue
            shape = self._check(kind, node, where)
            if shape is None:
                continue
            value = None
            for name in ("to", "by"):
                if name in shape:
                    value = compile_tree(self.context, shape[name], (*where, name), names, secrets=True)
            target = compile_text(self.context, shape[kind], (*where, kind), names, secrets=True)
            when = self._condition(shape, where, names)
            changes.append(Change(kind, target, value, when, self.context.origin(where)))
        return changes

    def _answer(self, node: Json, place: Place, names: frozenset[str]) -> Answer:
        shape = self._check("reply", node, place) or {"status": 500}
        bodies = [name for name in ("json", "text", "xml") if name in shape]
        if len(bodies) > 1:
            message = "an answer has one of `json`, `text` and `xml`"
            self.context.report((*place, bodies[1]), "two-bodies", message, key=True)

        def tree(name: str) -> Tree | None:
            return (
                compile_tree(self.context, shape[name], (*place, name), names, secrets=True) if name in shape else None
            )

        return Answer(shape["status"], tree("json"), tree("text"), tree("xml"), tree("headers"))
