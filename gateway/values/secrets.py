"""Secrets that do not show themselves, and what masks them in any text. Nothing here writes a log."""

from __future__ import annotations

import base64
import hmac
import html
import json
import re
from collections.abc import Iterable, Iterator
from typing import NoReturn
from urllib.parse import quote, quote_plus

MASK = "***"
SHORTEST = 8
"""Characters. A shorter secret stands by chance in what others say; it is masked where it is put, not by its text."""
_URL_SAFE = str.maketrans("+/", "-_")
_BASE64 = re.compile(r"[A-Za-z0-9+/_-]*={0,2}")
_OF_PATHS = "/!$&'()*+,:;=@"
_OF_QUERIES = "/?!$'()*,:;@"
"""What may stand in a path, and in the value of a query, as it is (RFC 3986 §3.3 and §3.4)."""
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
    """Masks known secrets in text: as they are, percent-encoded, escaped as in JSON, HTML or Python, and in base64.

    Secrets of fewer than 8 characters are not looked for: they would be found in names and numbers of others.
    """

    __slots__ = ("_pattern",)

    def __init__(self, secrets: Iterable[Secret]) -> None:
        long = [secret.reveal() for secret in secrets if len(secret.reveal()) >= SHORTEST]
        plain = "|".join(map(_literally, _longest_first(_forms(one) for one in long)))
        encoded = "|".join(map(re.escape, _longest_first(_in_base64(one) for one in long)))
        self._pattern = re.compile(f"(?P<plain>{plain})|(?P<base64>{encoded})") if long else None

    def __repr__(self) -> str:
        return f"Redactor({'with' if self._pattern else 'without'} secrets)"

    def text(self, text: str) -> str:
        """Give `text` with every known secret replaced by `***`.

        Base64 that holds one is masked from its first character to its last: its neighbours share bits with it.
        """
        shown, at = "", 0
        for found in self._pattern.finditer(text) if self._pattern else ():
            start, end = found.span()
            if found.lastgroup == "base64":
                while start > at and text[start - 1] in _OF_BASE64:
                    start -= 1
                around = _BASE64.match(text, end)
                end = around.end() if around else end
            if end > at:
                shown += text[at : max(start, at)] + MASK
                at = end
        return shown + text[at:]


def _longest_first(forms: Iterable[Iterable[str]]) -> list[str]:
    """All forms in order: a secret that contains another one is masked whole."""
    return sorted({form for some in forms for form in some}, key=len, reverse=True)


def _forms(secret: str) -> Iterator[str]:
    """Every way in which a secret is written into URLs, headers and bodies, but for base64."""
    yield secret
    yield repr(secret)[1:-1]
    for text in (json.dumps(secret)[1:-1], json.dumps(secret, ensure_ascii=False)[1:-1]):
        yield text
        yield json.dumps(text)[1:-1]  # JSON in a text of JSON
        yield text.replace("/", r"\/")  # as PHP and others write it; secrets in base64 hold slashes
    yield from (html.escape(secret), html.escape(secret, quote=False))
    raw = secret.encode("utf-8", "surrogatepass")
    yield from (quote(raw, safe=""), quote(raw), quote_plus(raw))
    yield from (quote(raw, safe=_OF_PATHS), quote_plus(raw, safe=_OF_QUERIES))


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
    """Write a form as an expression; hexadecimal digits come in either case, and mixed (RFC 3986 §2.1)."""
    return re.sub(r"%[0-9A-F]{2}|(?<=\\)u[0-9a-f]{4}", r"(?i:\g<0>)", re.escape(form))
