"""Secrets that do not show themselves, and what masks them in any text. Nothing here writes a log."""

from __future__ import annotations

import base64
import hmac
import json
import re
from collections.abc import Iterable, Iterator
from typing import NoReturn
from urllib.parse import quote, quote_plus

MASK = "***"
_URL_SAFE = str.maketrans("+/", "-_")


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


class Redactor:
    """Masks known secrets in text: as they are, percent-encoded, escaped as in JSON or Python, and in base64."""

    __slots__ = ("_pattern",)

    def __init__(self, secrets: Iterable[Secret]) -> None:
        # Longest first: a secret that contains another one is masked whole.
        forms = sorted({form for secret in secrets for form in _forms(secret.reveal())}, key=len, reverse=True)
        self._pattern = re.compile("|".join(map(_literally, forms))) if forms else None

    def __repr__(self) -> str:
        return f"Redactor({'with' if self._pattern else 'without'} secrets)"

    def text(self, text: str) -> str:
        """Give `text` with every known secret replaced by `***`."""
        return self._pattern.sub(MASK, text) if self._pattern else text


def _forms(secret: str) -> Iterator[str]:
    """Every way in which a secret is written into URLs, headers and bodies."""
    if not secret:
        return
    yield secret
    yield repr(secret)[1:-1]
    yield json.dumps(secret)[1:-1]
    yield json.dumps(secret, ensure_ascii=False)[1:-1]
    raw = secret.encode("utf-8", "surrogatepass")
    yield from (quote(raw, safe=""), quote(raw), quote_plus(raw))
    # HTTP Basic (RFC 7617) encodes `user:password`: the secret then begins at any of three offsets within a
    # group of base64. Only the characters that stand for its bytes alone are the same whatever is around it.
    for before in range(3):
        encoded = base64.b64encode(b"\0" * before + raw).decode()
        whole = encoded[-(-before * 8 // 6) : (before + len(raw)) * 8 // 6]
        if len(raw) > 2:  # noqa: PLR2004 - fewer bytes leave a character or none, found in every text
            yield whole
            yield whole.translate(_URL_SAFE)


def _literally(form: str) -> str:
    """Write a form as an expression; percent-encoding comes in either case, and mixed (RFC 3986 §2.1)."""
    return re.sub("%[0-9A-F]{2}", r"(?i:\g<0>)", re.escape(form))
