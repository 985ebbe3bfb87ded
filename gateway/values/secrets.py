"""Secrets that do not show themselves, and what masks them in any text. Nothing here writes a log."""

from __future__ import annotations

import base64
import hmac
import html
import json
import re
from bisect import bisect
from collections.abc import Iterable, Iterator
from operator import itemgetter
from typing import NoReturn

MASK = "***"
SHORTEST = 8
"""Characters. A shorter secret stands by chance in what others say; it is masked where it is put, not by its text."""
_URL_SAFE = str.maketrans("+/", "-_")
_BASE64 = re.compile(r"[A-Za-z0-9+/_-]*={0,2}")
_ESCAPE = re.compile(r"(?<=\\)u[0-9a-f]{4}")
_ENCODED = re.compile(r"%(?:25)*[0-9A-Fa-f]{2}")
_RUN = re.compile(f"(?:{_ENCODED.pattern})+")
_OF_BASE64 = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/-_")


class Secret:
    """A credential that only `reveal` shows: it prints and formats as `***`, and is not hashed, copied or pickled."""

    __slots__ = ("__value",)
    __hash__ = None  # type: ignore[assignment]  # a hash in a set or key is a way to look for it

    def __init__(self, value: str) -> None:
        self.__value = value

    def reveal(self) -> str:
        """Give the credential itself, for the wire and for signatures only."""
        return self.__value

    def __repr__(self) -> str:
        return f"Secret({MASK})"

    def __str__(self) -> str:
        return MASK

    def __format__(self, spec: str) -> str:
        return MASK

    def __eq__(self, other: object) -> bool:
        """Compare in a time that does not tell how much agrees."""
        if not isinstance(other, Secret):
            return NotImplemented
        mine, theirs = (one.reveal().encode("utf-8", "surrogatepass") for one in (self, other))
        return hmac.compare_digest(mine, theirs)

    def __reduce__(self) -> NoReturn:
        raise TypeError("a secret is neither copied nor pickled")


class Credential(str):
    """Text of a request that was made of a secret or a token: a trace masks it whole, however short it is."""

    __slots__ = ()


class Redactor:
    """Masks known secrets in text, in every way in which they are written.

    That is as they are, escaped as in JSON, HTML or Python, in hexadecimal digits and base64, and each of these
    percent-encoded, wholly or in part, once or again. Secrets of fewer than 8 characters are not looked for: they would
    be found in names and numbers of others.
    """

    __slots__ = ("_pattern",)

    def __init__(self, secrets: Iterable[Secret]) -> None:
        told = {secret.reveal() for secret in secrets}
        long = sorted((one for one in told if len(one) >= SHORTEST), key=len, reverse=True)
        self._pattern = _pattern(long) if long else None

    def __repr__(self) -> str:
        return f"Redactor({'with' if self._pattern else 'without'} secrets)"

    def text(self, text: str) -> str:
        """Give `text` with every known secret replaced by `***`.

        Base64 that holds one is masked from its first character to its last: its neighbours share bits with it.
        """
        if self._pattern is None:
            return text
        spans = list(_find(self._pattern, text))
        if "%" in text:
            decoded, places = _decode(text)
            spans = sorted(
                spans + [(_place(start, places), _place(end, places)) for start, end in _find(self._pattern, decoded)]
            )
        shown, at = "", 0
        for start, end in spans:
            if end <= at:
                continue
            shown += text[at : max(start, at)] + (MASK if start >= at else "")
            at = end
        return shown + text[at:]


def _find(pattern: re.Pattern[str], text: str) -> Iterator[tuple[int, int]]:
    """Give where secrets begin and end, in their order and apart."""
    at = 0
    for found in pattern.finditer(text):
        start, end = found.span()
        if found.lastgroup == "base64":
            while start > at and text[start - 1] in _OF_BASE64:
                start -= 1
            around = _BASE64.match(text, end)
            end = around.end() if around else end
        if end > at:
            yield max(start, at), end
            at = end


def _decode(text: str) -> tuple[str, list[tuple[int, int]]]:
    """Undo percent-encoding (RFC 3986, section 2.1), also of a URL within a URL, where `%` is `%25` again.

    Gives besides, in their order, places in what comes out with those in `text` that they come from; between two of
    them both go on alike.
    """
    parts, places, length, at = list[str](), [(0, 0)], 0, 0
    for run in _RUN.finditer(text):
        parts.append(text[at : run.start()])
        length += run.start() - at
        ends = [run.start(), *(one.end() for one in _ENCODED.finditer(text, run.start(), run.end()))]
        raw, done = bytes(int(text[end - 2 : end], 16) for end in ends[1:]), 0
        for char in raw.decode("utf-8", "surrogateescape"):
            places.append((length, ends[done]))
            done += len(char.encode("utf-8", "surrogateescape"))
            parts.append(char)
            length += 1
        at = run.end()
        places.append((length, at))
    return "".join(parts) + text[at:], places


def _place(at: int, places: list[tuple[int, int]]) -> int:
    """Give the place in the text that a place in what it was decoded to comes from."""
    decoded, encoded = places[bisect(places, at, key=itemgetter(0)) - 1]
    return encoded + at - decoded


def _pattern(secrets: Iterable[str]) -> re.Pattern[str]:
    """Make the expression that finds secrets, the longest first: one that contains another one is masked whole."""
    plain, encoded = list[str](), list[str]()
    for secret in secrets:
        forms = {form for one in _forms(secret) for form in _again(one)}
        plain += map(_literally, sorted(forms, key=len, reverse=True))
        encoded += map(_literally, sorted(set(_in_base64(secret)), key=len, reverse=True))
    return re.compile(f"(?P<plain>{'|'.join(plain)})|(?P<base64>{'|'.join(encoded)})")


def _forms(secret: str) -> Iterator[str]:
    """Every way in which a secret is written into bodies, but for base64."""
    yield secret
    yield repr(secret)[1:-1]
    for text in (json.dumps(secret)[1:-1], json.dumps(secret, ensure_ascii=False)[1:-1]):
        yield text
        yield json.dumps(text)[1:-1]  # JSON in a text of JSON
    yield from (html.escape(secret), html.escape(secret, quote=False))
    digits = secret.encode("utf-8", "surrogatepass").hex()
    yield from (digits, digits.upper())


def _again(form: str) -> Iterator[str]:
    """A form, and what undoing percent-encoding makes of it."""
    yield form
    if "%" in form:
        yield _decode(form)[0]
    yield form.encode("utf-8", "surrogatepass").decode("utf-8", "surrogateescape")


def _in_base64(secret: str) -> Iterator[str]:
    """The part of base64 that a secret gives wherever it stands."""
    raw = secret.encode("utf-8", "surrogatepass")
    # HTTP Basic (RFC 7617) encodes `user:password`: the secret then begins at any of three offsets within a
    # group of base64. Only the characters that stand for its bytes alone are the same whatever is around it.
    for before in range(3):
        encoded = base64.b64encode(b"\0" * before + raw).decode()
        whole = encoded[-(-before * 8 // 6) : (before + len(raw)) * 8 // 6]
        yield whole
        yield whole.translate(_URL_SAFE)


def _literally(form: str) -> str:
    """Write a form as an expression.

    Hexadecimal digits of an escape come in either case (RFC 8259, section 7). Forms (WHATWG URL, section 5.1) write a
    space as `+`, and PHP and others a slash in JSON behind a backslash.
    """
    escaped = _ESCAPE.sub(r"(?i:\g<0>)", re.escape(form))
    return escaped.replace(r"\ ", "[ +]").replace("/", r"\\?/")
