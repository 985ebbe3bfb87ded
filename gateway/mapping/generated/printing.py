"""Generated code for people: of an operation or a hook, function by function, and how much of it is written out."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Final, NamedTuple

from gateway.mapping.codecs import Codec
from gateway.mapping.expressions import Template
from gateway.mapping.generated.binding import code_of, write_reading_of, write_template, write_tree, write_writing_of
from gateway.mapping.generated.source import Source
from gateway.mapping.nodes.provider import ProviderPlan
from gateway.mapping.nodes.trees import (
    Constant,
    First,
    For,
    Fragment,
    If,
    JsonText,
    ListOf,
    MadeOf,
    Merge,
    ObjectOf,
    OnlyObject,
    Optional,
    OptionalTree,
    RecordPlan,
    Text,
    WrittenRecord,
)
from gateway.mapping.nodes.walk import nodes_in

_TREES: Final = (
    *(Text, ListOf, ObjectOf, OnlyObject, Optional, OptionalTree, If, For, JsonText, WrittenRecord, First, Merge),
    Fragment,
)


class Function(NamedTuple):
    """One generated function: what it is made of, and its source, None where the evaluator does all of it."""

    about: str
    source: Source | None


class Share(NamedTuple):
    """Parts of a mapping that are written out, and all there are: look-ups, codecs, types and templates."""

    inline: int
    parts: int

    def __str__(self) -> str:
        return f"{self.inline} of {self.parts} parts are written out ({self.inline / max(self.parts, 1):.1%})"


def functions_of(root: object) -> Iterator[Function]:
    """Give the functions that are generated of all nodes of a plan, or of a part of one."""
    inside: set[int] = set()
    for node in nodes_in(root):
        match node:
            case RecordPlan():
                inside.update(id(one) for one in nodes_in(node) if not isinstance(one, RecordPlan | WrittenRecord))
                if node.reads:
                    yield _function(f"reads {node.resource.name} by `{node.name}`", node, write_reading_of)
            case MadeOf() | Codec() | Constant():
                inside.update(map(id, nodes_in(node)))
            case WrittenRecord() if id(node.record) not in inside:
                inside.add(id(node.record))
                yield _function(f"writes `{node.record.name}`", node.record, write_writing_of)
        if id(node) in inside:
            continue
        if isinstance(node, _TREES):
            inside.update(id(one) for one in nodes_in(node) if not isinstance(one, RecordPlan | WrittenRecord))
            yield _function(f"builds {getattr(node, 'origin', '')}".rstrip(), node, write_tree)
        elif isinstance(node, Template):
            yield _function(f"gives {node.text}", node, write_template)


def _function(about: str, node: Any, write: Callable[[Any], Source]) -> Function:
    return Function(about, code_of({}, node, write).source)


def share_of(functions: Iterator[Function]) -> Share:
    """Tell how much of what functions do is written out; of one that is too long nothing is."""
    sources = [one.source for one in functions]
    inline = sum(one.inline for one in sources if one is not None)
    asked = sum(one.asked if one is not None else 1 for one in sources)
    return Share(inline, inline + asked)


def tell(plan: ProviderPlan, name: str | None) -> Iterator[str]:
    """Show the code of an operation or hook; without a name, how much of each is written out, and of the mapping."""
    parts: dict[str, object] = {**plan.ways, **{f"hooks.{one}": hook for one, hook in plan.hooks.items()}}
    if name is not None:
        yield from show(parts[name]) if name in parts else [f"# {name} is not mapped, or cannot be done"]
        return
    for one, part in parts.items():
        yield f"  {one:47} {share_of(functions_of(part))}"
    yield f"{plan.title} ({plan.name}): {share_of(functions_of(plan))}"


def show(root: object) -> Iterator[str]:
    """Give the code of a part of a plan as lines for people, each part beside what of the mapping it is made of."""
    functions = list(functions_of(root))
    for function in functions:
        yield f"# {' '.join(function.about.split())}"
        if function.source is None:
            yield "# too long: the evaluator does it"
        else:
            yield "def made(value, scope):"
            yield from function.source.shown()
        yield ""
    yield f"# {share_of(iter(functions))}; the evaluator is asked for the rest, and for whatever stops"
