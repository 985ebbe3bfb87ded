"""What of a mapping is used while its examples are played: which look-ups ever found something, which rules caught.

For `gateway check`, which learns by it what no recorded answer ever had. A mapping that serves has no probe.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

from jmespath.visitor import Options, TreeInterpreter

from gateway.documents.yaml import Place
from gateway.mapping.expressions import Path, Template
from gateway.mapping.expressions.path_functions import PathFunctions
from gateway.mapping.expressions.probes import Probe
from gateway.mapping.nodes.calls import CallPlan, ErrorRule
from gateway.mapping.nodes.hooks import EqualPlan, EventPlan, NamePlan
from gateway.mapping.nodes.provider import ProviderPlan
from gateway.mapping.nodes.trees import FromPath
from gateway.mapping.nodes.walk import nodes_in
from gateway.values.messages import Json
from gateway.values.truth import Missing

_PROJECTIONS: Final = frozenset({"projection", "value_projection", "filter_projection"})
_ANSWERED: Final = frozenset({"row", "body"})
"""Names under which templates see what a provider answered."""
_ENVELOPE: Final = ("jsonrpc", "id")
"""What the gateway itself looks at in a JSON-RPC answer."""


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


class Lookup(NamedTuple):
    """A path or template of the mapping, and which of its look-ups, by name or by parsed node, comes where."""

    seen: SeenPath
    order: Mapping[Any, int]
    whole: bool
    """Whether all of what it finds is used."""


@dataclass(slots=True)
class Notes(Probe):
    """Notes everything, by place of the mapping file. Whoever plays an example says first of which `operation`."""

    operation: str = ""
    paths: dict[Place, dict[str, SeenPath]] = field(default_factory=dict)
    """By place and text, since a field may have several paths."""
    rules: dict[Place, SeenRule] = field(default_factory=dict)
    answers: list[Answer] = field(default_factory=list)
    known: dict[int, Lookup] = field(default_factory=dict)
    """By the identity of a path or template, which the plan keeps."""
    _reads: dict[int, tuple[Json, set[str]]] = field(default_factory=dict)
    """Identity of an object → the object, kept so that no other takes its identity, and the keys read of it."""

    def looked_up(self, path: object, data: Json, found: Json) -> None:
        """Note every key that was looked up and found, and all of what a path found that is used whole."""
        known = self.known.get(id(path))
        if known is None or not isinstance(path, Path):
            return
        _Interpreter(self, known).visit(path.parsed, data)
        if known.whole and not isinstance(found, Missing):
            self._note_all(found)

    def rendering(self, template: object, scope: Mapping[str, Json]) -> None:
        """Note the keys on the way to each value that a template uses, and all of that value."""
        known = self.known.get(id(template))
        if known is None or not isinstance(template, Template):
            return
        for chain in template.uses:
            held: Json = scope
            there = True
            for key in chain:
                self.note(held, key)
                there = there and isinstance(held, Mapping) and key in held
                held = held[key] if there else None
            if there and chain in known.order:
                known.seen.found.add(known.order[chain])
            self._note_all(held)

    def caught(self, rule: object) -> None:
        """Note that a rule has caught an answer."""
        if isinstance(rule, ErrorRule) and rule.place:
            self.rules[rule.place].caught = True

    def answered(self, call: object, body: Json) -> None:
        """Keep an answer."""
        if isinstance(call, CallPlan):
            self.answers.append(Answer(self.operation, call.text, body))
            for name in _ENVELOPE if call.rpc is not None else ():
                self.note(body, name)

    def note(self, held: Json, name: str) -> None:
        """Note that a key of an object was read, if it is there."""
        if isinstance(held, dict) and name in held:
            self._reads.setdefault(id(held), (held, set()))[1].add(name)

    def _note_all(self, value: Json) -> None:
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


def notes_on(plan: ProviderPlan) -> Notes:
    """Make notes on a mapping, nothing of which was used so far."""
    notes = Notes()
    whole = set[int]()
    for node in nodes_in(plan):
        match node:
            case FromPath(paths=paths):
                whole |= {id(path) for path in paths}
            case EqualPlan(at=path) | EventPlan(at=path) | NamePlan(path=path):
                whole.add(id(path))
            case ErrorRule(place=place, text=text, code=code) if place:
                notes.rules[place] = SeenRule(text, code)
            case Path(place=place) if place:
                looked_up: list[tuple[int, str]] = []
                _look_ups(node.parsed, "", looked_up)
                names = tuple(name for _, name in looked_up)
                order = {parsed: at for at, (parsed, _) in enumerate(looked_up)}
                notes.known[id(node)] = Lookup(_see(notes, place, node.text, names), order, id(node) in whole)
            case Template(place=place) if place:
                chains = sorted(chain for chain in node.uses if chain[0] in _ANSWERED and len(chain) > 1)
                seen = _see(notes, place, node.text, tuple(map(".".join, chains)))
                notes.known[id(node)] = Lookup(seen, {chain: at for at, chain in enumerate(chains)}, False)
    return notes


def _see(notes: Notes, place: Place, text: str, names: tuple[str, ...]) -> SeenPath:
    """What is noted of a text at a place; of a tree that is used in several places, the same for all of them."""
    return notes.paths.setdefault(place, {}).setdefault(text, SeenPath(text, names))


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


class _Interpreter(TreeInterpreter):
    """jmespath's own, telling of every key that an object has."""

    def __init__(self, notes: Notes, known: Lookup) -> None:
        super().__init__(Options(custom_functions=PathFunctions()))
        self._notes = notes
        self._known = known

    def visit_field(self, node: Any, value: Json) -> Json:
        """Look up a key."""
        if isinstance(value, dict) and node["value"] in value:
            self._known.seen.found.add(self._known.order[id(node)])
            self._notes.note(value, node["value"])
        return super().visit_field(node, value)
