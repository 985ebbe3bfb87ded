"""A compilation that is watched: what stands in the place of a path, template or rule tells what it was given.

For `gateway check`, which plays the examples on a watched plan to learn what no recorded answer ever had. A plan that
runs is never watched and pays nothing for it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Final

from jmespath.visitor import Options, TreeInterpreter

from gateway.document import Place
from gateway.mapping.expressions import Path, Template
from gateway.mapping.expressions.path_functions import PathFunctions
from gateway.mapping.plan import ErrorRule, Scope
from gateway.mapping.plan_records import RecordPlan
from gateway.mapping.probes import Probe
from gateway.values.messages import Json
from gateway.values.truth import Missing

Decode = Callable[[bytes, Scope], Json]
"""How the body of an answer is read."""

_PROJECTIONS: Final = frozenset({"projection", "value_projection", "filter_projection"})
_ANSWERED: Final = frozenset({"row", "body"})
"""Names under which templates see what a provider answered."""
_ENVELOPE: Final = ("jsonrpc", "id")
"""What the gateway itself looks at in a JSON-RPC answer."""


class Watch:
    """What a compilation shows its parts to. This one gives them back as they are."""

    def path(self, path: Path, place: Place, *, whole: bool) -> Path:
        """Give what stands for a path that is read; `whole` when all of what it finds is used."""
        del place, whole
        return path

    def template(self, template: Template, place: Place) -> Template:
        """Give what stands for a template."""
        del place
        return template

    def rule(self, rule: ErrorRule, place: Place) -> ErrorRule:
        """Give what stands for an error rule."""
        del place
        return rule

    def decoder(self, decode: Decode, call: str, *, rpc: bool) -> Decode:
        """Give what stands for the reader of a call's answers; `call` is the call as `explain` shows it."""
        del call, rpc
        return decode

    def record(self, record: RecordPlan) -> RecordPlan:
        """Give what stands for a record, also where others embed it."""
        return record


@dataclass(slots=True)
class SeenPath:
    """A path or template, what it looks up in its order, and which of these look-ups ever found something."""

    text: str
    names: tuple[str, ...]
    found: set[int] = field(default_factory=set)

    @property
    def missing(self) -> tuple[str, ...]:
        """The names that nothing it was read on had."""
        return tuple(dict.fromkeys(name for at, name in enumerate(self.names) if at not in self.found))


@dataclass(slots=True)
class SeenRule:
    """An error rule, and whether it ever caught an answer."""

    text: str
    code: str
    caught: bool = False


@dataclass(frozen=True, slots=True)
class Answer:
    """A recorded answer as the mapping sees it: the operation that was played, the call, the decoded body."""

    operation: str
    call: str
    body: Json


@dataclass(slots=True)
class Notes(Watch, Probe):
    """Notes everything, by place of the mapping file. Whoever plays an example says first of which `operation`."""

    operation: str = ""
    paths: dict[Place, dict[str, SeenPath]] = field(default_factory=dict)
    """By place and text, since a field may have several paths."""
    rules: dict[Place, SeenRule] = field(default_factory=dict)
    answers: list[Answer] = field(default_factory=list)
    _caught: dict[int, SeenRule] = field(default_factory=dict)
    _reads: dict[int, tuple[Json, set[str]]] = field(default_factory=dict)
    """Identity of an object → the object, kept so that no other takes its identity, and the keys read of it."""

    def path(self, path: Path, place: Place, *, whole: bool) -> Path:
        """Note the names a path finds."""
        looked_up: list[tuple[int, str]] = []
        _look_ups(path.parsed, "", looked_up)
        known = self.paths.setdefault(place, {})
        seen = known.setdefault(path.text, SeenPath(path.text, tuple(name for _, name in looked_up)))
        order = {node: at for at, (node, _) in enumerate(looked_up)}
        return _WatchedPath(**_held(path), notes=self, seen=seen, order=order, uses_all=whole)

    def template(self, template: Template, place: Place) -> Template:
        """Note what of an answer a template reads."""
        chains = sorted(chain for chain in template.uses if chain[0] in _ANSWERED and len(chain) > 1)
        known = self.paths.setdefault(place, {})
        seen = known.setdefault(template.text, SeenPath(template.text, tuple(map(".".join, chains))))
        order = {chain: at for at, chain in enumerate(chains)}
        return _WatchedTemplate(**_held(template), notes=self, seen=seen, order=order)

    def rule(self, rule: ErrorRule, place: Place) -> ErrorRule:
        """Note whether the rule catches an answer."""
        seen = self.rules[place] = SeenRule(rule.text, rule.code)
        self._caught[id(rule)] = seen
        return rule

    def caught(self, rule: object) -> None:
        """Note that a rule has caught an answer."""
        self._caught[id(rule)].caught = True

    def decoder(self, decode: Decode, call: str, *, rpc: bool) -> Decode:
        """Keep every answer."""

        def keeping(content: bytes, scope: Scope) -> Json:
            body = decode(content, scope)
            self.answers.append(Answer(self.operation, call, body))
            if rpc:
                for name in _ENVELOPE:
                    self.read(body, name)
            return body

        return keeping

    def read(self, held: Json, name: str) -> None:
        """Note that a key of an object was read, if it is there."""
        if isinstance(held, dict) and name in held:
            self._reads.setdefault(id(held), (held, set()))[1].add(name)

    def read_all(self, value: Json) -> None:
        """Note that a value was used with everything in it."""
        waiting = [value]
        while waiting:
            held = waiting.pop()
            if isinstance(held, dict):
                self._reads.setdefault(id(held), (held, set()))[1].update(held)
                waiting.extend(held.values())
            elif isinstance(held, list):
                waiting.extend(held)

    def was_read(self, held: Mapping[str, Json], name: str) -> bool:
        """Whether a key of this very object was read."""
        return id(held) in self._reads and name in self._reads[id(held)][1]


def _look_ups(node: Any, before: str, found: list[tuple[int, str]]) -> str:
    """Collect the look-ups of a path: the node's identity and the way there, as `data[].name`; gives the way so far."""
    kind, children = node["type"], [child for child in node["children"] if isinstance(child, dict)]
    if kind == "field":
        way = f"{before}.{node['value']}".removeprefix(".")
        found.append((id(node), way))
        return way
    if kind in {"subexpression", "index_expression", "pipe", "flatten"}:
        for child in children:
            before = _look_ups(child, "" if kind == "pipe" and child is not children[0] else before, found)
        return before
    if kind in _PROJECTIONS:
        way = f"{_look_ups(children[0], before, found)}[]"
        for child in reversed(children[1:]):  # a filter's condition before what is taken of its elements
            way = _look_ups(child, way, found) if child is children[1] else _aside(child, way, found)
        return way
    for child in children:
        _look_ups(child, before, found)
    return f"{before}[]" if kind == "index" else before if kind in {"current", "identity", "slice"} else ""


def _aside(node: Any, way: str, found: list[tuple[int, str]]) -> str:
    """Collect the look-ups of a condition, which leads nowhere itself."""
    _look_ups(node, way, found)
    return way


def _held(part: Path | Template) -> dict[str, Any]:
    """The fields of a part as arguments, so that it can be made again as a watched one."""
    return {one.name: getattr(part, one.name) for one in fields(part)}


@dataclass(frozen=True, slots=True, kw_only=True)
class _WatchedPath(Path):
    notes: Notes = field(repr=False, compare=False)
    seen: SeenPath = field(repr=False, compare=False)
    order: Mapping[int, int] = field(repr=False, compare=False)
    uses_all: bool

    def read(self, data: Json) -> Json | Missing:
        """Evaluate, and note every key that was looked up and found."""
        found = Path.read(self, data)  # first, since it raises what a path raises
        _Interpreter(self).visit(self.parsed, data)
        if self.uses_all and not isinstance(found, Missing):
            self.notes.read_all(found)
        return found


class _Interpreter(TreeInterpreter):
    """jmespath's own, telling of every key that an object has."""

    def __init__(self, path: _WatchedPath) -> None:
        super().__init__(Options(custom_functions=PathFunctions()))
        self._path = path

    def visit_field(self, node: Any, value: Json) -> Json:
        """Look up a key."""
        if isinstance(value, dict) and node["value"] in value:
            self._path.seen.found.add(self._path.order[id(node)])
            self._path.notes.read(value, node["value"])
        return super().visit_field(node, value)


@dataclass(frozen=True, slots=True, kw_only=True)
class _WatchedTemplate(Template):
    notes: Notes = field(repr=False, compare=False)
    seen: SeenPath = field(repr=False, compare=False)
    order: Mapping[tuple[str, ...], int] = field(repr=False, compare=False)

    def render(self, scope: Mapping[str, Json]) -> Json:
        """Evaluate, and note the keys on the way to each value used, and all of that value."""
        for chain in self.uses:
            held: Json = scope
            there = True
            for key in chain:
                self.notes.read(held, key)
                there = there and isinstance(held, Mapping) and key in held
                held = held[key] if there else None
            if there and chain in self.order:
                self.seen.found.add(self.order[chain])
            self.notes.read_all(held)
        return Template.render(self, scope)
