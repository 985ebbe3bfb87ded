"""The types of the contract, written out for the values that they usually get (`model/types/`, which stays the law)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from math import isfinite
from typing import Final, NamedTuple

from gateway.mapping.generated.source import Source
from gateway.model.types.scalars import LARGEST_ID, MAX_ID
from gateway.model.types.times import normal_instant, zone_names
from gateway.model.types.types import Type


class Need(NamedTuple):
    """What a field must have: whether it may be missing, and whether it may be null."""

    required: bool
    nullable: bool

    def lacks(self, value: str) -> str:
        """Write whether a name holds too little for it; empty where nothing is too little."""
        if not self.required:
            return ""
        return f"{value} is MISSING" if self.nullable else f"{value} is MISSING or {value} is None"

    @property
    def empty(self) -> str:
        """The end of a line that is reached with an empty text, which is null."""
        return "return STOP" if self.required and not self.nullable else ""


def write_type(source: Source, value: str, type_: Type, need: Need) -> None:
    """Write what makes a value canonical: after it the name holds that, or null or MISSING where it may."""
    write = _WRITERS.get(type_.kind)
    if write is None or type_.pattern:
        _by_itself(source, value, type_, need)
        return
    source.inline += 1
    write(source, value, type_, need)
    _otherwise(source, value, need)


def write_need(source: Source, value: str, need: Need) -> None:
    """Write that a value which is canonical already may not be there too little."""
    lacks = need.lacks(value)
    if lacks:
        source.stop_where(lacks)


def _otherwise(source: Source, value: str, need: Need) -> None:
    """Write the end: what is of no other kind that is known is null or missing, if it may be."""
    allowed = [] if need.required and not need.nullable else [f"{value} is not None"]
    allowed += [] if need.required else [f"{value} is not MISSING"]
    with source.block(f"elif {' and '.join(allowed)}:" if allowed else "else:"):
        source.add("return STOP")


def _by_itself(source: Source, value: str, type_: Type, need: Need) -> None:
    """Write a call of the type for a value that is there."""
    source.asked += 1
    with source.block(f"if {value} is not MISSING and {value} is not None:"):
        source.add(f"{value} = {source.bind('accept', type_.accept)}({value})")
    write_need(source, value, need)


def _text(source: Source, value: str, need: Need, unfit: str = "") -> None:
    """Write what becomes of a text: an empty one is null, and one that is unfit is left to the evaluator."""
    with source.block(f"if {value}.__class__ is str:"):
        with source.block(f"if not {value}:"):
            source.add(need.empty or f"{value} = None")
        if unfit:
            with source.block(f"elif {unfit}:"):
                source.add("return STOP")


def _plain_text(source: Source, value: str, _type: Type, need: Need) -> None:
    _text(source, value, need)


def _id(source: Source, value: str, _type: Type, need: Need) -> None:
    _text(source, value, need, f"len({value}) > {MAX_ID} or not {value}.isprintable()")
    with source.block(f"elif {value}.__class__ is int:"):
        source.stop_where(f"not -{LARGEST_ID} < {value} < {LARGEST_ID}")
        source.add(f"{value} = str({value})")


def _enum(source: Source, value: str, type_: Type, need: Need) -> None:
    _text(source, value, need, f"{value} not in {source.bind('allowed', frozenset(type_.allowed))}")


def _zone(source: Source, value: str, _type: Type, need: Need) -> None:
    _text(source, value, need, f"{value} not in {source.bind('zones', zone_names())}")


def _instant(source: Source, value: str, _type: Type, need: Need) -> None:
    with source.block(f"if {value}.__class__ is str:"):
        with source.block(f"if not {value}:"):
            source.add(need.empty or f"{value} = None")
        with source.block("else:"):
            source.add(f"{value} = {source.bind('normal_instant', normal_instant)}({value})")


def _boolean(source: Source, value: str, _type: Type, _need: Need) -> None:
    with source.block(f"if {value}.__class__ is bool:"):
        source.add("pass")


def _number(source: Source, value: str, type_: Type, _need: Need) -> None:
    plain = f"{value}.__class__ is int"
    if type_.kind == "number":
        plain += f" or {value}.__class__ is float and {source.bind('isfinite', isfinite)}({value})"
    beyond = [f"{value} < {source.constant(type_.minimum)}"] if type_.minimum is not None else []
    beyond += [f"{value} > {source.constant(type_.maximum)}"] if type_.maximum is not None else []
    with source.block(f"if {plain}:"):
        if beyond:
            source.stop_where(" or ".join(beyond))
        else:
            source.add("pass")


def _any(source: Source, value: str, _type: Type, _need: Need) -> None:
    with source.block(f"if {value} is not MISSING and {value} is not None:"):
        source.add("pass")


_WRITERS: Final[Mapping[str, Callable[[Source, str, Type, Need], None]]] = {
    "id": _id,
    "text": _plain_text,
    "email": _plain_text,
    "enum": _enum,
    "time_zone": _zone,
    "instant": _instant,
    "boolean": _boolean,
    "integer": _number,
    "number": _number,
    "any": _any,
}
"""Kind of type → what writes its usual values. Of any other kind the type itself is asked."""
