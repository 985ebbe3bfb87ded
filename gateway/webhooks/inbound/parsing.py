"""What a message holds, read without trusting it: every text is there exactly once, or the message is refused.

Bytes are taken as they came. Nothing here raises anything but VerificationFailed, whatever a message holds, and no
reason holds a value of it.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from collections.abc import Iterable, Mapping
from typing import Final
from urllib.parse import parse_qsl, urlsplit

from gateway.mapping.expressions import ExpressionFailed, Path, Predicate
from gateway.mapping.nodes.verification import Location, Piece
from gateway.mapping.runtime.hook_messages import names_of
from gateway.values.messages import Json, Received
from gateway.values.strictjson import JsonRefused, decode_json
from gateway.values.truth import is_true

_HEX: Final = re.compile("(?:[0-9A-Fa-f]{2})*")
_BASE64URL: Final = re.compile("[0-9A-Za-z_-]*")
_BLANKS: Final = " \t"
_FIELDS: Final = 1_000
"""Fields of a form; more are refused before they are sorted."""
_UNREAD: Final = object()


class VerificationFailed(Exception):
    """A message does not prove what it must. The reason is for our own log, and never for the sender."""


class Reading:
    """One message under examination. Its JSON is decoded at most once, and only when a path asks for it."""

    __slots__ = ("_json", "received", "url")

    def __init__(self, received: Received, url: str) -> None:
        self.received = received
        self.url = url
        self._json: Json = _UNREAD

    def __repr__(self) -> str:
        return f"Reading({len(self.received.body)} bytes)"

    def json(self) -> Json:
        """The body as JSON."""
        if self._json is _UNREAD:
            try:
                self._json = decode_json(self.received.body)
            except JsonRefused as refused:
                raise VerificationFailed(f"the body {refused.reason}") from None
        return self._json

    def entries(self, location: Location, item: Json = _UNREAD) -> list[str]:
        """The texts at a location: one, or what is picked of the entries of its list. There may be none in a list."""
        text = self.text(location, item)
        if not location.split and not location.pair:
            return [text.removeprefix(location.prefix)] if text.startswith(location.prefix) else []
        found = [entry.strip(_BLANKS) for entry in (text.split(location.split) if location.split else [text])]
        if location.pair:
            pairs = (entry.partition(location.pair) for entry in found)
            found = [value.strip(_BLANKS) for name, _, value in pairs if name.strip(_BLANKS) == location.pick]
        return [entry.removeprefix(location.prefix) for entry in found if entry.startswith(location.prefix)]

    def single(self, location: Location, item: Json = _UNREAD) -> str:
        """The one text at a location."""
        found = self.entries(location, item)
        if len(found) != 1:
            raise VerificationFailed(f"{_name(location)} holds {len(found)} of what must be there once")
        return found[0]

    def text(self, location: Location, item: Json = _UNREAD) -> str:
        """The whole text that stands in the header, parameter or field of a location."""
        if location.header:
            return self.header(location.header)
        if location.query:
            return self.parameter(location.query)
        if location.path is None:
            raise AssertionError("a location without a place does not compile")
        return self.field(location.path, item)

    def header(self, name: str) -> str:
        """The value of a header, in lower case named, that came once."""
        return _once([value for held, value in self.received.headers if held == name], f"header `{name}`")

    def parameter(self, name: str) -> str:
        """The value of a query parameter that came once."""
        return _once([value for held, value in self.received.query if held == name], f"parameter `{name}`")

    def value(self, path: Path, item: Json = _UNREAD) -> Json:
        """What a path finds in the body, or in an element of it; None where there is nothing."""
        try:
            found = path.read(self.json() if item is _UNREAD else item)
        except ExpressionFailed:
            raise VerificationFailed(f"`{path.text}` cannot be read") from None
        return found if found is None or isinstance(found, str | int | float | bool | list | dict) else None

    def holds(self, predicate: Predicate, scope: Mapping[str, Json]) -> bool:
        """Whether a condition on the body is true; one that cannot be evaluated, or gives neither, is not."""
        if isinstance(predicate, Path):
            return is_true(self.value(predicate))
        names = names_of(self.received, scope) | {"method": self.received.method.upper()}
        if any(use[0] == "body" for use in predicate.uses):
            names["body"] = self.json()
        try:
            return predicate.render(names) is True
        except ExpressionFailed:
            return False

    def field(self, path: Path, item: Json = _UNREAD) -> str:
        """A text or whole number in the body, as text."""
        found = self.value(path, item)
        if isinstance(found, bool) or not isinstance(found, str | int):
            raise VerificationFailed(f"`{path.text}` is no text")
        return str(found)

    def signed(self, pieces: Iterable[Piece], timestamp: str, key: bytes, item: Json = _UNREAD) -> bytes:
        """The bytes that are signed."""
        return b"".join(self._piece(piece, timestamp, key, item) for piece in pieces)

    def _piece(self, piece: Piece, timestamp: str, key: bytes, item: Json) -> bytes:
        match piece.kind:
            case "body":
                return self.received.body
            case "secret":
                return key
            case "form":
                return self._form()
            case "body_hash":
                return write(hashlib.new(piece.text, self.received.body).digest(), piece.encoding).encode()
            case "join":
                return raw(piece.text.join(_plain(self.value(path, item)) for path in piece.paths))
            case "header" | "query_value" | "path":
                return raw(self._choose(piece, item))
        return raw(self._word(piece, timestamp))

    def _word(self, piece: Piece, timestamp: str) -> str:
        match piece.kind:
            case "timestamp":
                return timestamp
            case "url":
                return self.url
            case "url_path":
                return urlsplit(self.url).path
            case "method":
                return self.received.method.upper()
            case "query":
                return self._query()
        return piece.text

    def _query(self) -> str:
        """The query as it came: whoever decodes it and encodes it again writes `+` and `~` in another way."""
        _, mark, query = self.url.partition("?")
        return mark + query if query else ""

    def _choose(self, piece: Piece, item: Json) -> str:
        """A value that the sender chooses: it must not hold what stands behind it, or its end would be unclear."""
        if piece.kind == "path":
            found = self.field(piece.paths[0], item)
        else:
            found = self.header(piece.text) if piece.kind == "header" else self.parameter(piece.text)
        if piece.stop and piece.stop in found:
            raise VerificationFailed(f"`{piece.text}` holds what stands behind it in the signed bytes")
        return found

    def _form(self) -> bytes:
        """Names with their values, each sorted and once, nothing between them."""
        try:
            text = self.received.body.decode()
            pairs = parse_qsl(text, keep_blank_values=True, errors="strict", max_num_fields=_FIELDS)
        except ValueError:
            raise VerificationFailed("the body is no form") from None
        return raw("".join(name + value for name, value in sorted(set(pairs))))


def raw(text: str) -> bytes:
    """The bytes a text came as: UTF-8, and what was none of it as it was."""
    try:
        return text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        raise VerificationFailed("a text holds what no bytes are read as") from None


def unwritten(text: str, encoding: str) -> bytes | None:
    """Bytes written as hex, base64 or base64url, in their one proper form; None for anything else."""
    if encoding == "hex":
        return bytes.fromhex(text) if _HEX.fullmatch(text) else None
    if encoding == "base64url":
        if not _BASE64URL.fullmatch(text):
            return None
        text = text.translate({ord("-"): "+", ord("_"): "/"}) + "=" * (-len(text) % 4)
    try:
        found = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return None
    # Of several texts for the same bytes, as `QQ==` and `QR==`, only one is taken.
    return found if base64.b64encode(found).decode() == text else None


def write(content: bytes, encoding: str) -> str:
    """Bytes as lower-case hex, base64 with padding or base64url without."""
    if encoding == "hex":
        return content.hex()
    if encoding == "base64url":
        return base64.urlsafe_b64encode(content).decode().rstrip("=")
    return base64.b64encode(content).decode()


def _once(found: list[str], name: str) -> str:
    """The one value; two could be read as one by us and as the other by whoever signed."""
    if len(found) != 1:
        raise VerificationFailed(f"the {name} came {len(found)} times")
    return found[0]


def _name(location: Location) -> str:
    if location.path is not None:
        return f"`{location.path.text}`"
    return f"header `{location.header}`" if location.header else f"parameter `{location.query}`"


def _plain(value: Json) -> str:
    """A value as senders join it: texts as they are, numbers and true and false as in JSON, nothing for null."""
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case str() | int() | float():
            return str(value)
    raise VerificationFailed("what is joined is no text, number, true or false")
