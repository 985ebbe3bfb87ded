"""Golden examples, read from `examples/PROVIDER.yaml`. Nothing here runs them; `playback` does.

They are the tests of a mapping, the simulator's first answers and the documentation's samples.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Final

from gateway.dialects.refusal import NotWritable
from gateway.documents.finding_kinds import ERROR
from gateway.documents.parts import Part
from gateway.documents.yaml import Document, Finding, Place, read, suggestion
from gateway.engine.catalog import Connection, bind
from gateway.examples.exchanges import Exchange, exchange, namespaces_of, received_of
from gateway.examples.parts import ExamplePart, ExamplesFile, HookExamplePart, ReceivedPart, RequestExamplePart
from gateway.mapping.compiler.operations.alternatives import way_of
from gateway.mapping.nodes.provider import ProviderPlan
from gateway.values.messages import LENIENT, STRICT, Json, Received
from gateway.values.secrets import Secret

_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


SESSION_CALLS: Final = frozenset({"login", "refresh"})
"""What examples may run beside operations: how a session begins, and how it is renewed."""


@dataclass(frozen=True, slots=True)
class Example:
    """One golden example. `fails` holds what of the error must be as written; otherwise `gives` is the exact result.

    `remembered` is what the gateway knows of the booking that is written, of what the provider cannot tell. `warnings`
    are all that come with the result, each as far as it is written; `handling` is what the caller prefers.
    `idempotency_key` is a UUID, as mappings see one; empty where the caller sends none.
    """

    name: str
    operation: str
    args: Mapping[str, Json]
    exchanges: tuple[Exchange, ...]
    gives: Json
    fails: Mapping[str, Json] | None
    now: datetime
    connection: Connection
    origin: str
    remembered: Mapping[str, Json] = field(default_factory=dict)
    warnings: tuple[Mapping[str, Json], ...] = ()
    handling: str = ""
    idempotency_key: str = ""


@dataclass(frozen=True, slots=True)
class HookExample:
    """One golden example of a hook. `gives` are its messages, exactly; `reply` is compared as far as it is written.

    The exchanges are those of the fetch of a thin message. Of a hook that asks, `gives` is the canonical request, with
    `request` and `data`; `answers` is what it is given, or `error` the code with which that fails.
    """

    name: str
    hook: str
    received: Received
    exchanges: tuple[Exchange, ...]
    gives: Json
    fails: Mapping[str, Json] | None
    reply: Mapping[str, Json]
    now: datetime
    connection: Connection
    origin: str
    answers: Mapping[str, Json] | None = None
    error: str = ""

    @property
    def operation(self) -> str:
        """The name that `gateway test -k` and `gateway explain` know it by."""
        return f"hooks.{self.hook}"


@dataclass(frozen=True, slots=True)
class Examples:
    """The examples of one provider, bound to the connection they use."""

    connection: Connection
    token: str
    examples: tuple[Example, ...]
    simulator: Json
    played: Connection
    """The connection that the simulator plays: this one, with the simulator's own settings laid over it."""
    document: Document
    hooks: tuple[HookExample, ...] = ()


def examples_file(plan: ProviderPlan) -> Path:
    """Where the examples of a mapping are: `examples/` beside it, under the provider's name."""
    return Path(plan.file).parent / "examples" / f"{plan.name}.yaml"


def load_examples(plan: ProviderPlan) -> tuple[Examples | None, list[Finding]]:
    """Read the examples of a provider; an operation without one is a warning."""
    path = examples_file(plan)
    if not path.is_file():
        message = f"there are no examples for {plan.name}: write {path}"
        return None, [Finding(plan.file, 1, 1, "no-examples", message)]
    document, findings = read(path)
    if document is None:
        return None, findings
    found = _Reader(document, findings, plan).read()
    if found is not None:
        findings += _uncovered(plan, found)
    return (None if any(one.level == ERROR for one in findings) else found), findings


def _uncovered(plan: ProviderPlan, found: Examples) -> Iterator[Finding]:
    ran = (way_of(example.connection.provider, example.operation) for example in found.examples)
    shown = {id(way) for way in ran if way is not None}
    for name, ways in plan.ways.items():
        for way in ways:
            if id(way) not in shown:
                file, _, line = way.origin.rpartition(":")
                message = f"{name} has no golden example" + (" of this way" if len(ways) > 1 else "")
                yield Finding(file, int(line), 1, "no-example", message)
    for name in sorted({example.operation for example in found.examples} - set(plan.ways) - SESSION_CALLS):
        yield found.document.finding(
            ("examples",), "unknown-operation", f"an example runs `{name}`, which is not mapped"
        )
    for name, hook in plan.hooks.items():
        if not any(one.hook == name and name in one.connection.provider.hooks for one in found.hooks):
            file, _, line = hook.origin.rpartition(":")
            yield Finding(file, int(line), 1, "no-example", f"hooks.{name} has no golden example")
    for name in sorted({example.hook for example in found.hooks} - set(plan.hooks)):
        yield found.document.finding(
            ("examples",), "unknown-hook", f"an example is of the hook `{name}`, which is not mapped"
        )


@dataclass(slots=True)
class _Reader:
    """Reads an examples file; findings are placed in it."""

    document: Document
    findings: list[Finding]
    plan: ProviderPlan
    base: str = ""
    given: dict[str, Json] = field(default_factory=dict)
    connection: Connection = field(init=False)

    def read(self) -> Examples | None:
        plan, data = self.plan, self.document.data
        for key in ("provider", "settings", "now", "examples"):
            if not isinstance(data, dict) or key not in data:
                self._report((), "missing-key", f"`{key}` is missing")
                return None
        self._find(data, ExamplesFile.part, ())
        if data["provider"] != plan.name:
            self._report(
                ("provider",), "wrong-provider", f"these are examples of `{data['provider']}`, not `{plan.name}`"
            )
        now = self._instant(data["now"], ("now",))
        self.given = data["settings"]
        values = self._settings(self.given, ("settings",))
        self.base = str(values.get("base_url") or "")
        self.connection = bind("example", plan, values)
        simulator = data.get("simulator")
        over = simulator.get("settings") if isinstance(simulator, dict) else None
        nodes: list[tuple[Json, Place]] = [(node, ("examples", i)) for i, node in enumerate(data["examples"])]
        found = [one for node, place in nodes if not _of_hook(node) for one in self._table(node, place, now)]
        hooks = [self._hook(node, place, now) for node, place in nodes if _of_hook(node)]
        return Examples(
            connection=self.connection,
            token=str(data.get("token", "")),
            examples=tuple(example for example in found if example is not None),
            simulator=simulator,
            played=self._own(over, ("simulator", "settings")),
            document=self.document,
            hooks=tuple(hook for hook in hooks if hook is not None),
        )

    def _report(self, place: Place, code: str, message: str) -> None:
        self.findings.append(self.document.finding(place, code, message))

    def _settings(self, given: Mapping[str, Json], place: Place) -> dict[str, Json]:
        values: dict[str, Json] = {}
        for setting in self.plan.settings.values():
            value = given.get(setting.name, setting.default)
            if value is None and setting.required:
                self._report(place, "missing-setting", f"`{setting.name}` is missing")
                value = ""
            values[setting.name] = Secret(str(value)) if setting.type == "secret" and value is not None else value
        for name in sorted(set(given) - set(self.plan.settings)):
            self._report((*place, name), "unknown-setting", f"{self.plan.name} has no setting `{name}`")
        return values

    def _own(self, over: Mapping[str, Json] | None, place: Place) -> Connection:
        """The file's connection with other settings laid over it."""
        if not over:
            return self.connection
        return bind("example", self.plan, self._settings({**self.given, **over}, place))

    def _instant(self, text: Json, place: Place) -> datetime:
        try:
            found = datetime.fromisoformat(str(text))
        except ValueError:
            found = None
        if found is None or found.tzinfo is None:
            self._report(place, "wrong-form", "an instant with its offset is needed: 2026-03-01T09:00:00+01:00")
            return datetime.fromisoformat("2026-01-01T00:00:00+00:00")
        return found

    def _table(self, node: Json, place: Place, now: datetime) -> list[Example | None]:
        """One example; or with `each:`, one for each answer to the same last request."""
        if not isinstance(node, dict) or "each" not in node:
            return [self._example(node, place, now)]
        found = []
        for index, line in enumerate(node["each"]):
            *before, last = node["exchanges"]
            one = {key: value for key, value in node.items() if key != "each"}
            one |= {key: value for key, value in line.items() if key in {"gives", "fails"}}
            one["name"] = f"{node['name']} ({index + 1})"
            one["exchanges"] = [*before, {**last, "answer": line.get("answer")}]
            found.append(self._example(one, (*place, "each", index), now))
        return found

    def _example(self, node: Json, place: Place, now: datetime) -> Example | None:
        if not isinstance(node, dict) or "name" not in node or "operation" not in node:
            self._report(place, "missing-key", "an example has a `name`, and an `operation` or a `hook`")
            return None
        self._find(node, ExamplePart.part, place)
        if ("gives" in node) == ("fails" in node):
            self._report(place, "missing-key", "an example either `gives` a result or `fails`")
            return None
        return Example(
            name=node["name"],
            operation=node["operation"],
            args=node.get("args", {}),
            exchanges=self._exchanges(node, place),
            gives=node.get("gives"),
            fails=node.get("fails"),
            now=self._instant(node["now"], (*place, "now")) if "now" in node else now,
            connection=self._own(node.get("settings"), (*place, "settings")),
            origin=self.document.origin(place),
            remembered=self._remember(node.get("remembered"), (*place, "remembered")),
            warnings=self._warnings(node.get("warnings", []), (*place, "warnings")),
            handling=self._handling(node.get("handling", ""), (*place, "handling")),
            idempotency_key=self._key(node.get("idempotency_key"), (*place, "idempotency_key")),
        )

    def _remember(self, node: Json, place: Place) -> dict[str, Json]:
        """What is remembered before an example begins: fields that a record of the mapping has remembered."""
        if node is not None and not isinstance(node, dict):
            self._report(place, "wrong-type", "what is remembered is an object: field and value")
            return {}
        for name in sorted(set(node or ()) - set(self.plan.remembered)):
            self._report((*place, name), "unknown-field", f"no record has a field `{name}` with `remember: true`")
        return dict(node or {})

    def _warnings(self, node: Json, place: Place) -> tuple[Mapping[str, Json], ...]:
        if not isinstance(node, list) or not all(isinstance(one, dict) for one in node):
            self._report(place, "wrong-type", "warnings are a list of objects: `field` and `reason`")
            return ()
        return tuple(node)

    def _handling(self, node: Json, place: Place) -> str:
        if node in {"", STRICT, LENIENT}:
            return str(node)
        self._report(place, "wrong-form", f"the handling that a caller prefers is `{STRICT}` or `{LENIENT}`")
        return ""

    def _key(self, node: Json, place: Place) -> str:
        if node is None or (isinstance(node, str) and _UUID.fullmatch(node)):
            return node or ""
        message = "the key of an example is what mappings see of it, a UUID: 0190a5f4-7c1e-7d6b-8a42-3f5e9c1d2b70"
        self._report(place, "wrong-form", message)
        return ""

    def _hook(self, node: dict[str, Json], place: Place, now: datetime) -> HookExample | None:
        self._find(node, (RequestExamplePart if "requests" in node else HookExamplePart).part, place)
        received = node.get("received")
        comes_to = [key for key in ("messages", "requests", "fails") if key in node]
        if "name" not in node or not isinstance(received, dict) or len(comes_to) != 1:
            message = (
                "an example of a hook has a `name`, what is `received`, and `messages`, `requests` or how it `fails`"
            )
            self._report(place, "missing-key", message)
            return None
        if "requests" in node and ("answers" in node) == ("error" in node):
            self._report(place, "missing-key", "what is asked either has `answers`, or the code of an `error`")
            return None
        self._find(received, ReceivedPart.part, (*place, "received"))
        return HookExample(
            name=node["name"],
            hook=node["hook"],
            received=received_of(received, self.document.origin(place)),
            exchanges=self._exchanges(node, place),
            gives=node.get(comes_to[0]) if comes_to[0] != "fails" else None,
            fails=node.get("fails"),
            reply=node.get("reply", {}),
            now=self._instant(node["now"], (*place, "now")) if "now" in node else now,
            connection=self._own(node.get("settings"), (*place, "settings")),
            origin=self.document.origin(place),
            answers=node.get("answers"),
            error=node.get("error", ""),
        )

    def _find(self, node: dict[str, Json], part: Part, place: Place) -> None:
        for key in sorted(node.keys() - part.keys.keys()):
            hint = suggestion(key, part.keys)
            self._report((*place, key), "unknown-key", f"`{key}` is not known here{hint}")

    def _exchanges(self, node: dict[str, Json], place: Place) -> tuple[Exchange, ...]:
        nodes = enumerate(node.get("exchanges") or [])
        exchanges = [self._exchange(one, (*place, "exchanges", index)) for index, one in nodes]
        return tuple(one for one in exchanges if one is not None)

    def _exchange(self, node: Json, place: Place) -> Exchange | None:
        if not isinstance(node, dict) or set(node) != {"request", "answer"}:
            self._report(place, "missing-key", "an exchange has a `request` and an `answer`")
            return None
        spaces = namespaces_of(self.plan)
        try:
            found = exchange(node["request"], node["answer"] or {}, self.base, self.document.origin(place), spaces)
        except NotWritable as refused:
            self._report((*place, "answer"), "wrong-value", f"the answer {refused.reason}")
            return None
        if found is None:
            message = "a request has one of get, post, put, patch, delete, or `method_name` and `url`"
            self._report((*place, "request"), "call-without-verb", message)
        return found


def _of_hook(node: Json) -> bool:
    return isinstance(node, dict) and "hook" in node
