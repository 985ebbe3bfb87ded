"""Codecs of lists: texts made of parts, separated texts, element by element."""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass
from typing import Final

from gateway.mapping.codecs.kind import (
    ISO,
    LOSSY,
    ONE_WAY,
    Codec,
    CodecInvalid,
    CodecKind,
    CodecRefused,
    Option,
    Scope,
    Specification,
)
from gateway.values.messages import Json

_MARK: Final = re.compile(r"[!-$&-/:-@\[-`{-~]")
_BASE64URL: Final = re.compile(r"[A-Za-z0-9_-]+")


@dataclass(frozen=True, slots=True)
class JoinedTexts:
    """Values between marks. Inside a part the mark, and the % that escapes it, are percent-escaped.

    An `armoured` text is written in base64url, so that its parts may hold what a URL may not.
    """

    mark: str
    parts: dict[str, Codec | None]
    armoured: bool

    def decode(self, value: Json, scope: Scope) -> Json:
        """Values in the order of the parts → one text. A part's codec writes, because the text is the compound."""
        if not isinstance(value, list) or len(value) != len(self.parts):
            raise CodecRefused(f"a list of {len(self.parts)} values")
        pieces = []
        for given, codec in zip(value, self.parts.values(), strict=True):
            piece = given if codec is None or codec.encode is None else codec.encode(given, scope)
            if isinstance(piece, bool) or not isinstance(piece, str | int):
                raise CodecRefused("made of texts and whole numbers")
            pieces.append(self._escape(str(piece)))
        text = self.mark.join(pieces)
        return armour(text) if self.armoured else text

    def encode(self, value: Json, scope: Scope) -> Json:
        """One text → the value of each part by name."""
        expected = f"{len(self.parts)} parts joined by `{self.mark}`{', in base64url' if self.armoured else ''}"
        text = _unarmour(value) if self.armoured else value
        if not isinstance(text, str) or text.count(self.mark) != len(self.parts) - 1:
            raise CodecRefused(expected)
        found = {}
        for written, (name, codec) in zip(text.split(self.mark), self.parts.items(), strict=True):
            piece = written.replace(self.escape, self.mark).replace("%25", "%")
            if self._escape(piece) != written:  # a % that is no escape of ours
                raise CodecRefused(expected)
            found[name] = piece if codec is None else codec.decode(piece, scope)
        return found

    @property
    def escape(self) -> str:
        """What stands for the mark inside a part."""
        return f"%{ord(self.mark):02X}"

    def _escape(self, piece: str) -> str:
        return piece.replace("%", "%25").replace(self.mark, self.escape)


def armour(text: str) -> str:
    """Write a text's UTF-8 in base64url without padding (RFC 4648 section 5)."""
    return base64.urlsafe_b64encode(text.encode(errors="surrogatepass")).decode().rstrip("=")


def _unarmour(value: Json) -> str | None:
    """Read what `_armour` writes; None for everything else, other writings of the same bytes included."""
    if not isinstance(value, str) or not _BASE64URL.fullmatch(value):
        return None
    try:
        text = base64.urlsafe_b64decode(value + "=" * (-len(value) % 4)).decode(errors="surrogatepass")
    except (binascii.Error, UnicodeDecodeError):
        return None
    return text if armour(text) == value else None


def _join(spec: Specification) -> Codec:
    mark = spec.options["by"]
    if not isinstance(mark, str) or not _MARK.fullmatch(mark):
        raise CodecInvalid("`by` is one mark such as `~`, no letter, digit, blank or %", spec.place("by"))
    if spec.options.get("as", "base64url") != "base64url":
        raise CodecInvalid("`as` is `base64url`, or is left out", spec.place("as"))
    joined = JoinedTexts(mark, _parts(spec), armoured="as" in spec.options)
    law = ISO if all(codec is None or codec.law == ISO for codec in joined.parts.values()) else LOSSY
    return Codec("join", law, "text", joined.decode, joined.encode, parts=joined.parts, form=joined)


def _parts(spec: Specification) -> dict[str, Codec | None]:
    """Read `parts`: names, or {name: codec}; raises CodecInvalid."""
    place = spec.place("parts")
    listed = spec.options["parts"]
    if not isinstance(listed, list) or not listed:
        raise CodecInvalid("`parts` is a list of names", place)
    parts: dict[str, Codec | None] = {}
    for index, part in enumerate(listed):
        name, inner = next(iter(part.items())) if isinstance(part, dict) and len(part) == 1 else (part, None)
        if not isinstance(name, str) or not name:
            raise CodecInvalid("a part is a name, or {name: codec}", (*place, index))
        if name in parts:
            raise CodecInvalid(f"the part `{name}` stands twice", (*place, index))
        codec = spec.codec(inner, (*place, index, name)) if isinstance(part, dict) else None
        if codec is not None and codec.encode is None:
            raise CodecInvalid(f"codec {codec.name} is one-way: a part is also written", (*place, index, name))
        parts[name] = codec
    return parts


def _split(spec: Specification) -> Codec:
    separator = spec.main_text("the separator")

    def decode(value: Json, _scope: Scope) -> Json:
        if not isinstance(value, str):
            raise CodecRefused("a text")
        pieces = value.split(separator) if value else []
        if not all(pieces):
            raise CodecRefused(f"a text of parts separated by `{separator}`, none of them empty")
        return pieces

    def encode(value: Json, _scope: Scope) -> Json:
        if not isinstance(value, list) or not all(isinstance(piece, str) and piece for piece in value):
            raise CodecRefused("a list of texts, none of them empty")
        text = separator.join(value)
        if decode(text, {}) != value:
            raise CodecRefused(f"a list of texts without `{separator}`")
        return text

    return Codec("split", ISO, "list", decode, encode)


def _each(spec: Specification) -> Codec:
    inner = spec.codec(spec.main, spec.place())

    def decode(value: Json, scope: Scope) -> Json:
        if not isinstance(value, list):
            raise CodecRefused("a list")
        return [inner.decode(element, scope) for element in value]

    if inner.encode is None:
        return Codec("each", ONE_WAY, "list", decode, None, item=inner)
    write = inner.encode

    def encode(value: Json, scope: Scope) -> Json:
        if not isinstance(value, list):
            raise CodecRefused("a list")
        return [write(element, scope) for element in value]

    return Codec("each", inner.law, "list", decode, encode, item=inner)


def _keys(_spec: Specification) -> Codec:
    def decode(value: Json, _scope: Scope) -> Json:
        if not isinstance(value, dict) and value != []:
            raise CodecRefused("an object, or an empty list for one")
        return list(value)

    return Codec("keys", ONE_WAY, "list", decode, None)


KINDS: Final[tuple[CodecKind, ...]] = (
    CodecKind(
        name="join",
        main="",
        options=(
            Option(
                "by",
                "the mark between the parts",
                required=True,
                takes="text",
                form="one mark such as `~`, no letter, digit, blank or %",
            ),
            Option(
                "parts",
                "names of the parts, or {name: codec} for one written by a codec",
                required=True,
                takes="list",
                form="a list of names",
            ),
            Option(
                "as",
                "`base64url` writes the whole in that alphabet, without padding",
                "plain text",
                takes="text",
                form="`base64url`, or is left out",
            ),
        ),
        within=True,
        law=ISO,
        reads="list of texts or whole numbers",
        gives="text",
        meaning="list ↔ one text, taken apart into {part: text}; `%` and the mark are percent-escaped inside the parts",
        samples=(({"join": {"by": "~", "parts": ["id", "hash"]}}, ["434", "785c~f"], "434~785c%7Ef"),),
        build=_join,
    ),
    CodecKind(
        name="split",
        main="the separator",
        options=(),
        law=ISO,
        reads="text",
        gives="list<text>",
        meaning="separated text ↔ list of texts",
        samples=(({"split": ","}, "1,2", ["1", "2"]),),
        build=_split,
    ),
    CodecKind(
        name="each",
        main="the codec of an element",
        options=(),
        law=ISO,
        reads="list",
        gives="list",
        meaning="list, element by element; as exact as its codec",
        samples=(({"each": "integer_text"}, ["30", "60"], [30, 60]),),
        build=_each,
    ),
    CodecKind(
        name="keys",
        main="",
        options=(),
        law=ONE_WAY,
        reads="object; `[]` is an empty one",
        gives="list<text>",
        meaning="object → list of its keys",
        samples=(("keys", {"7": 30, "8": None}, ["7", "8"]),),
        build=_keys,
    ),
)
