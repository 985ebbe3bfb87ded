"""The nodes of trees: YAML whose texts are templates, as it is written once it was read and checked.

A node is data and nothing else. It keeps `origin` (`file:line`) where what it means can fail, and never a value that a
connection or a caller gives. `runtime/trees.py` says what each kind means.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, TypeAlias

from gateway.mapping.expressions import Template
from gateway.mapping.plan_records import RecordPlan
from gateway.values.messages import Json


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
class Written:
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
    """`$tree`: a tree that is written once in the file, as this place uses it."""

    name: str
    tree: Tree


Tree: TypeAlias = (
    "Constant | Text | ListOf | ObjectOf | OnlyObject | Optional | OptionalTree | If | For | JsonText | Written | First"
    " | Merge | Fragment"
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
