"""Codecs, written out for the values that providers usually write, and bound to what a connection settles.

A codec whose templates read nothing but the connection is a function of the value alone: what it gives for texts and
whole numbers is remembered. One that reads the row is called as it is. A memory is bounded and forgets everything when
it is full; connections that would read the same share it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Final

from gateway.mapping.codecs import Codec, CodecRefused
from gateway.mapping.codecs.enums import EnumTable, key_of
from gateway.mapping.codecs.lists import JoinedTexts, armour
from gateway.mapping.generated.source import Source
from gateway.mapping.nodes.calls import Scope
from gateway.model.types.types import Type, TypeRefused
from gateway.values.messages import Json

CONNECTION: Final = frozenset({"settings", "connection"})
"""Names that stand for the same in every call of a connection."""
_INSTANTS: Final = frozenset({"datetime", "rfc3339", "iso8601", "unix"})
"""Codecs that give an instant in its canonical form, and nothing else."""
_MOST_SHARED: Final = 32
"""Memories of one codec, for connections that differ in what it reads."""
MOST_REMEMBERED: Final = 2_048
"""Values that one memory holds."""
_LONGEST: Final = 64
"""Characters of a text that is remembered."""


_PLAIN: Final = frozenset({str, int, float, bool, type(None)})
"""Of what is remembered nothing can be changed by whoever is given it."""


class Memory(dict[Json, Json]):
    """Values by what they are made of: plain texts and whole numbers. Looking up what is not there makes it."""

    __slots__ = ("_make",)

    def __init__(self, make: Callable[[Json], Json]) -> None:
        super().__init__()
        self._make = make

    def __missing__(self, given: Json) -> Json:
        """Raise what the making raises."""
        made = self._make(given)
        if made.__class__ in _PLAIN and (given.__class__ is int or len(given) <= _LONGEST):
            if len(self) >= MOST_REMEMBERED:
                self.clear()
            self[given] = made
        return made


def or_nothing(decode: Callable[[Json], Json]) -> Callable[[Json], Json]:
    """Give the decoding by which an empty text that a codec does not know is null, as for every field."""

    def decoded(value: Json) -> Json:
        try:
            return decode(value)
        except CodecRefused:
            if value == "":
                return None
            raise

    return decoded


def is_settled(codec: Codec) -> bool:
    """Whether nothing but the connection decides, besides the value, what a codec gives."""
    return all(use[0] in CONNECTION for use in codec.uses)


def gives_canonical(codec: Codec, type_: Type | None) -> bool:
    """Whether whatever a codec reads is of a type already, or null."""
    if type_ is None:
        return False
    if codec.outputs is not None:
        return all(value is None or is_kept(type_, value) for value in codec.outputs)
    if type_.kind == "instant":
        return codec.name in _INSTANTS
    return type_.kind == codec.gives == "integer" and type_.minimum is None and type_.maximum is None


def is_kept(type_: Type, value: Json) -> bool:
    """Whether a plain value is canonical as it is."""
    try:
        accepted = type_.accept(value)
    except TypeRefused:
        return False
    return not isinstance(value, list | dict) and type(accepted) is type(value) and bool(accepted == value)


def write_decoding(source: Source, value: str, codec: Codec, inner: Callable[[], str]) -> None:
    """Write what reads a value that may be null or missing; `inner` writes the names that templates of a row see."""
    if isinstance(codec.form, EnumTable):
        _enum(source, value, codec.form)
        return
    if not is_settled(codec):
        source.asked += 1
        with source.block(f"if {value} is not MISSING and {value} is not None:"):
            source.add(f"{value} = {source.bind('decode', _with_names(codec))}({value}, {inner()})")
        return
    source.inline += 1
    if codec.gives == "list":
        with source.block(f"if {value} is not MISSING and {value} is not None:"):
            source.add(f"{value} = {source.cell('decode', codec, lambda scope: _bind(codec, scope))}({value})")
        return
    with source.block(f"if {value}.__class__ is str or {value}.__class__ is int:"):
        source.add(f"{value} = {memory(source, 'decoded', codec, _bind, codec.uses)}[{value}]")
    with source.block(f"elif {value} is not MISSING and {value} is not None:"):
        source.add(f"{value} = {source.cell('decode', codec, lambda scope: _bind(codec, scope))}({value})")


def _with_names(codec: Codec) -> Callable[[Json, Scope], Json]:
    return lambda value, names: or_nothing(lambda one: codec.decode(one, names))(value)


def _bind(codec: Codec, scope: Scope) -> Callable[[Json], Json]:
    return or_nothing(lambda value: codec.decode(value, scope))


def encoding(codec: Codec, scope: Scope) -> Callable[[Json], Json]:
    """Give what writes a value by a codec that is settled."""
    encode = codec.encode

    def encoded(value: Json) -> Json:
        if encode is None:
            raise CodecRefused("written")
        return encode(value, scope)

    return encoded


def memory(
    source: Source,
    about: str,
    codec: Codec,
    make: Callable[[Codec, Scope], Callable[[Json], Json]],
    uses: Iterable[tuple[str, ...]],
) -> str:
    """Give the name of the memory of a codec: of a connection, or of several that settle the same.

    `uses` are the names that it reads; a part of another codec knows only those of the whole.
    """
    shared: dict[tuple[Json, ...], Memory] = {}

    def of(scope: Scope) -> Memory:
        try:
            key = tuple(_settle(use, scope) for use in sorted(uses))
            if len(shared) < _MOST_SHARED:
                return shared.setdefault(key, Memory(make(codec, scope)))
            found = shared.get(key)
        except TypeError:  # settings that are lists or objects
            found = None
        return Memory(make(codec, scope)) if found is None else found

    return source.cell(about, codec, of)


def _settle(use: tuple[str, ...], scope: Scope) -> Json:
    held: Json = scope
    for key in use:
        held = held.get(key) if isinstance(held, Mapping) else None
    return type(held), held


def _enum(source: Source, value: str, table: EnumTable) -> None:
    """Write a look-up by the value's kind: texts in a table, true and false one by one."""
    source.inline += 1
    texts = {key: canonical for (_, key), canonical in table.read.items() if type(key) is str}
    flags = {key: canonical for (_, key), canonical in table.read.items() if isinstance(key, bool)}
    others = len(texts) + len(flags) < len(table.read)
    first = True
    if texts:
        first = False
        nothing = texts.get("", None if not table.rest else table.other)
        with source.block(f"if {value}.__class__ is str:"):
            found = source.bind("table", {**texts, "": nothing})
            if table.rest:
                source.add(f"{value} = {found}.get({value}, {source.constant(table.other)})")
            else:
                source.add(f"{value} = {found}[{value}]")
    if flags and not others:
        for flag, canonical in flags.items():
            with source.block(f"{'' if first else 'el'}if {value} is {flag}:"):
                source.add(f"{value} = {source.constant(canonical)}")
            first = False
    with source.block(f"{'' if first else 'el'}if {value} is not MISSING and {value} is not None:"):
        source.add(f"{value} = {source.bind('decode', or_nothing(_looked_up(table)))}({value})")


def _looked_up(table: EnumTable) -> Callable[[Json], Json]:
    def decode(value: Json) -> Json:
        scalar = isinstance(value, str | int | float)
        if scalar and key_of(value) in table.read:
            return table.read[key_of(value)]
        if not table.rest:
            raise CodecRefused("one of the values in the table of the enum")
        return table.other

    return decode


def write_joining(source: Source, found: str, codec: Codec, values: list[str]) -> bool:
    """Write the text that values make which are all there; gives whether this codec is known so well."""
    form = codec.form
    if not isinstance(form, JoinedTexts) or len(form.parts) != len(values) or not is_settled(codec):
        return False
    source.inline += 1
    mark, escape = source.constant(form.mark), source.constant(form.escape)
    pieces = []
    for value, part in zip(values, form.parts.values(), strict=True):
        piece = source.name("piece")
        if part is None or part.encode is None:
            source.add(f"{piece} = {value}")
        else:
            source.stop_where(f"{value}.__class__ is not str")
            source.add(f"{piece} = {memory(source, 'encoded', part, encoding, codec.uses)}[{value}]")
        with source.block(f"if {piece}.__class__ is int:"):
            source.add(f"{piece} = str({piece})")
        with source.block(f"elif {piece}.__class__ is not str:"):
            source.add("return STOP")
        with source.block(f"elif {source.constant('%')} in {piece} or {mark} in {piece}:"):
            percent = f"{source.constant('%')}, {source.constant('%25')}"
            source.add(f"{piece} = {piece}.replace({percent}).replace({mark}, {escape})")
        pieces.append(piece)
    text = f" + {mark} + ".join(pieces)
    source.add(f"{found} = {source.bind('armour', armour)}({text})" if form.armoured else f"{found} = {text}")
    return True
