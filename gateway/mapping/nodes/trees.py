"""The nodes of trees and of records, which hold each other: what they say, once it was read and checked.

A tree is YAML whose texts are templates. A record is a table of fields: a provider's row to a canonical object, and
back. A node is data and nothing else. It keeps `origin` (`file:line`) where what it means can fail, and never a value
that a connection or a caller gives. `runtime/` says what each kind means.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, TypeAlias

from gateway.mapping.codecs import Codec
from gateway.mapping.expressions import Path, Predicate, Template
from gateway.model.model import Resource
from gateway.model.types.types import Type
from gateway.values.messages import Json
from gateway.values.truth import MISSING


@dataclass(frozen=True, slots=True)
class Constant:
    """A value as it is written."""

    value: Json


NULL: Final = Constant(None)


@dataclass(frozen=True, slots=True)
class MadeOf:
    """What a tree is made of, as far as it says whose a part of it is.

    `reads` are the names that it reads, `template` is the tree where it is one; `members` are those of an object that
    is written out, and `layers` the parts of a `$merge`: of them the parts are told apart. `owed` are names that stand
    for what a caller gave, with the caller's own fields.
    """

    reads: frozenset[tuple[str, ...]] = frozenset()
    owed: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    template: Template | None = None
    members: Mapping[str, MadeOf] | None = None
    layers: tuple[MadeOf, ...] = ()


@dataclass(frozen=True, slots=True)
class Text:
    """What a template gives: text, or any value where the template is one expression."""

    template: Template
    credential: bool
    """Whether it proves who we are: a text that it gives is marked, so that no trace shows it."""
    origin: str


@dataclass(frozen=True, slots=True)
class ListOf:
    """A list, without the elements that are left out."""

    items: tuple[Tree, ...]


@dataclass(frozen=True, slots=True)
class ObjectOf:
    """An object, without the members that are left out."""

    members: tuple[tuple[str, Tree], ...]


@dataclass(frozen=True, slots=True)
class OnlyObject:
    """A tree that must build an object; what is left out is an empty one."""

    tree: Tree
    origin: str


@dataclass(frozen=True, slots=True)
class Optional:
    """`$optional` of a template: left out where a value is missing or null."""

    text: Text


@dataclass(frozen=True, slots=True)
class OptionalTree:
    """`$optional` of any other tree: left out where it builds null, an empty list or an empty object."""

    tree: Tree


@dataclass(frozen=True, slots=True)
class If:
    """`$if`, `$then` and `$else`; without an `$else` it is left out where the condition does not hold."""

    test: Tree
    then: Tree
    otherwise: Tree | None
    origin: str


@dataclass(frozen=True, slots=True)
class For:
    """`$for`, `$in`, `$give` and `$key`: a list, or with keys an object, of what each element gives."""

    name: str
    elements: Tree
    give: Tree
    key: Tree | None
    origin: str


@dataclass(frozen=True, slots=True)
class JsonText:
    """`$json`: what the tree builds, written as JSON."""

    tree: Tree
    credential: bool
    origin: str


@dataclass(frozen=True, slots=True)
class WrittenRecord:
    """`$record` and `$of`: a canonical object as the provider writes it; left out where there is none."""

    record: RecordPlan
    value: Tree
    made_of: MadeOf


@dataclass(frozen=True, slots=True)
class First:
    """`$first`: the first element of a list; left out of an empty one."""

    tree: Tree
    origin: str


@dataclass(frozen=True, slots=True)
class Merge:
    """`$merge`: the members of objects, those of a later one over those before it."""

    parts: tuple[Tree, ...]
    origin: str


@dataclass(frozen=True, slots=True)
class Fragment:
    """`$fragment`: a tree that is written once in the file, as this place uses it."""

    name: str
    tree: Tree


Tree: TypeAlias = (
    "Constant | Text | ListOf | ObjectOf | OnlyObject | Optional | OptionalTree | If | For | JsonText | WrittenRecord"
    " | First | Merge | Fragment"
)
"""Any node that builds a value, or says that there is none."""


@dataclass(frozen=True, slots=True)
class Headers:
    """The headers of a call: those that all calls of the file share, and its own, which stand for them."""

    shared: Tree
    own: Tree


@dataclass(frozen=True, slots=True)
class Url:
    """The URL of a call, without a query: the address that is declared, a path that is a setting's, and the rest."""

    base: Tree
    lead: Tree | None
    path: Tree
    """Each value in it is percent-encoded."""


@dataclass(frozen=True, slots=True)
class Level:
    """One level of nested rows, known to the record by its name: a path on the level before, or a list of its own."""

    name: str
    at: Path
    when: Predicate | None
    """Is about the element, and sees the levels so far; where it does not hold the element is left out."""
    origin: str
    each: Template | None = None
    """The list, made of names and the levels so far, whatever the level before holds: then `at` says nothing."""

    @property
    def text(self) -> str:
        """Its list as the mapping writes it."""
        return self.at.text if self.each is None else self.each.text


@dataclass(frozen=True, slots=True)
class FromPath:
    """`at`: what a path finds in the row, or the list of what several find. Written back where the paths are simple."""

    paths: tuple[Path, ...]
    several: bool
    codec: Codec | None
    text: str
    origin: str


@dataclass(frozen=True, slots=True)
class Computed:
    """`compute`: what a tree builds of the row, of the fields above and of what the operation knows."""

    tree: Tree


@dataclass(frozen=True, slots=True)
class Joined:
    """`from`: fields above, each by its keys, joined by a codec."""

    names: tuple[tuple[str, ...], ...]
    codec: Codec
    text: str
    origin: str


@dataclass(frozen=True, slots=True)
class Embedded:
    """`record` and `at`: an object inside the row, read and written by another record."""

    path: Path
    record: RecordPlan
    origin: str


@dataclass(frozen=True, slots=True)
class EmbeddedRows:
    """`record` and `rows`: a list of objects inside the row. Of `named` levels a record sees each by its name."""

    levels: tuple[Level, ...]
    named: bool
    record: RecordPlan


Source: TypeAlias = "FromPath | Constant | Computed | Joined | Embedded | EmbeddedRows"
"""Where the value of a field comes from."""


@dataclass(frozen=True, slots=True)
class FieldPlan:
    """One line of a field table."""

    name: str
    path: tuple[str, ...]
    """Its keys in the canonical object."""
    source: Source | None
    """None only beside a finding, whose plan is thrown away."""
    text: str
    """Its source, as the mapping writes it."""
    codec: str | None
    law: str
    mode: str
    """`read`, `write` or `both`."""
    origin: str
    embeds: str
    """The record of an embedded object or list of objects, else empty."""
    unwritable: tuple[Json, ...]
    """Canonical values that its codec has no word for, though the contract allows them."""
    targets: tuple[tuple[str, ...], ...]
    """Where in the provider's object it is written, as keys; of an embedded object all that this writes."""
    type: Type | None
    """What the contract says it is; None of an embedded object, whose record knows."""
    required: bool
    nullable: bool
    when: Predicate | None = None
    """True of the rows that have it; None where all do."""
    default: Json = MISSING
    """What stands for a value that is missing, null or an empty text."""

    @property
    def from_row(self) -> bool:
        """Whether a path reads it; false of what is constant, computed or joined."""
        return not isinstance(self.source, Constant | Computed | Joined)


@dataclass(frozen=True, slots=True)
class Group:
    """An embedded object that is written with dotted names."""

    name: str
    members: tuple[str, ...]
    """Those it must have."""
    required: str | None
    """The place of its first line where the contract requires the object itself."""


@dataclass(frozen=True, slots=True)
class RecordPlan:
    """A field table: how a provider's row is read as a canonical object, and written."""

    name: str
    resource: Resource
    fields: tuple[FieldPlan, ...]
    reads: tuple[FieldPlan, ...]
    """The lines that are read, in order: one may refer to those above it."""
    writes: tuple[FieldPlan, ...]
    groups: tuple[Group, ...]
    order: tuple[str, ...]
    """The fields that are read, in the contract's order."""
    null_as: str | None
    """What the provider wants for null; None: nothing is sent."""
    private: frozenset[str]

    @property
    def lapsing(self) -> frozenset[str]:
        """The fields of its objects that are left out where a `when:` does not hold: then they have no value."""
        return frozenset(line.path[0] for line in self.fields if line.when is not None)
