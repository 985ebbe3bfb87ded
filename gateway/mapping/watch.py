"""A compilation that is watched: what stands in the place of a path, template or rule tells what it was given.

For `gateway check`, which plays the examples on a watched plan to learn what no recorded answer ever had. A plan that
runs is never watched and pays nothing for it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any, Final

from jmespath.visitor import Options, TreeInterpreter

from gateway.document import Place
from gateway.mapping.expressions import Path, Template
from gateway.mapping.path_functions import PathFunctions
from gateway.mapping.paths import names_of
from gateway.mapping.plan import ErrorRule, Scope
from gateway.mapping.words import ExpressionFailed, Missing
from gateway.messages import Json

Decode = Callable[[bytes], Json]
"""How the body of an answer is read."""

_ENVELOPE: Final = ("jsonrpc", "id")
"""What the gateway itself looks at in a JSON-RPC answer."""


class Watch:
    """What a compilation shows its parts to. This one gives them back as they are."""

    def path(self, path: Path, place: Place, *, whole: bool) -> Path:
        """Give what stands for a path that is read; `whole` when all of what it finds is used."""
        del place, whole
        return path

    def template(self, template: Template) -> Template:
        """Give what stands for a template."""
        return template

    def rule(self, rule: ErrorRule, place: Place) -> ErrorRule:
        """Give what stands for an error rule."""
        del place
        return rule

    def decoder(self, decode: Decode, call: str, *, rpc: bool) -> Decode:
        """Give what stands for the reader of a call's answers; `call` is the call as `explain` shows it."""
        del call, rpc
        return decode


@dataclass(slots=True)
class SeenPath:
    """A path and what it found: the names it looks up, and those that some object it was read on had."""

    text: str
    names: tuple[str, ...]
    found: set[str] = field(default_factory=set)

    @property
    def missing(self) -> tuple[str, ...]:
        """The names that no object had, in the order of the path."""
        return tuple(name for name in self.names if name not in self.found)


@dataclass(slots=True)
class SeenRule:
    """An error rule, and whether it ever caught an answer."""

    text: str
    code: str
    caught: bool = False


@dataclass(slots=True)
class Notes(Watch):
    """Notes everything, by place of the mapping file. `bodies` are the decoded answers, under their calls."""

    paths: dict[Place, list[SeenPath]] = field(default_factory=dict)
    rules: dict[Place, SeenRule] = field(default_factory=dict)
    bodies: dict[str, list[Json]] = field(default_factory=dict)
    _reads: set[tuple[int, str]] = field(default_factory=set)
    # The bodies are kept, so that no other object takes the identity of one of their parts.

    def path(self, path: Path, place: Place, *, whole: bool) -> Path:
        """Note the names a path finds."""
        seen = SeenPath(path.text, names_of(path))
        self.paths.setdefault(place, []).append(seen)
        return _WatchedPath(**_held(path), notes=self, seen=seen, uses_all=whole)

    def template(self, template: Template) -> Template:
        """Note what of an answer a template reads."""
        return _WatchedTemplate(**_held(template), notes=self)

    def rule(self, rule: ErrorRule, place: Place) -> ErrorRule:
        """Note whether the rule catches an answer: only then its details are built."""
        seen = self.rules[place] = SeenRule(rule.text, rule.code)
        inner = rule.details

        def details(scope: Scope) -> Json:
            seen.caught = True
            return inner(scope) if inner is not None else None

        return replace(rule, details=details)

    def decoder(self, decode: Decode, call: str, *, rpc: bool) -> Decode:
        """Keep every answer."""

        def keeping(content: bytes) -> Json:
            body = decode(content)
            self.bodies.setdefault(call, []).append(body)
            if rpc:
                for name in _ENVELOPE:
                    self.read(body, name)
            return body

        return keeping

    def read(self, held: Json, name: str) -> None:
        """Note that a key of an object was read, if it is there."""
        if isinstance(held, dict) and name in held:
            self._reads.add((id(held), name))

    def read_all(self, value: Json) -> None:
        """Note that a value was used with everything in it."""
        waiting = [value]
        while waiting:
            held = waiting.pop()
            if isinstance(held, dict):
                self._reads.update((id(held), name) for name in held)
                waiting.extend(held.values())
            elif isinstance(held, list):
                waiting.extend(held)

    def was_read(self, held: Mapping[str, Json], name: str) -> bool:
        """Whether a key of this very object was read."""
        return (id(held), name) in self._reads


def _held(part: Path | Template) -> dict[str, Any]:
    """The fields of a part as arguments, so that it can be made again as a watched one."""
    return {one.name: getattr(part, one.name) for one in fields(part)}


@dataclass(frozen=True, slots=True, kw_only=True)
class _WatchedPath(Path):
    notes: Notes = field(repr=False, compare=False)
    seen: SeenPath = field(repr=False, compare=False)
    uses_all: bool

    def read(self, data: Json) -> Json | Missing:
        """Evaluate, and note every key that was looked up and found."""
        try:
            _Interpreter(self.notes, self.seen).visit(self._parsed.parsed, data)
        finally:
            found = Path.read(self, data)  # raises what the path itself raises, whatever noting it ran into
        if self.uses_all and not isinstance(found, Missing):
            self.notes.read_all(found)
        return found


class _Interpreter(TreeInterpreter):
    """jmespath's own, telling of every key that an object has."""

    def __init__(self, notes: Notes, seen: SeenPath) -> None:
        super().__init__(Options(custom_functions=PathFunctions()))
        self._notes = notes
        self._seen = seen

    def visit_field(self, node: Mapping[str, Any], value: Json) -> Json:
        """Look up a key."""
        name = node["value"]
        if isinstance(value, dict) and name in value:
            self._seen.found.add(name)
            self._notes.read(value, name)
        return super().visit_field(node, value)


@dataclass(frozen=True, slots=True, kw_only=True)
class _WatchedTemplate(Template):
    notes: Notes = field(repr=False, compare=False)

    def render(self, scope: Mapping[str, Json]) -> Json:
        """Evaluate, and note the keys on the way to each value used, and all of that value."""
        for chain in self.uses:
            held: Json = scope
            for key in chain:
                self.notes.read(held, key)
                held = held.get(key) if isinstance(held, Mapping) else None
            self.notes.read_all(held)
        return Template.render(self, scope)
