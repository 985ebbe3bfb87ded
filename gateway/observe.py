"""What can be seen of the gateway at work: log lines, request ids, and the masking of secrets.

The only place that names events. Nothing here decides anything, and nothing here may let a secret through.
"""

from __future__ import annotations

import base64
import hmac
import json
import logging
import re
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import NoReturn, TextIO
from urllib.parse import quote, quote_plus

from gateway.messages import Json

MASK = "***"
_LOGGER = logging.getLogger("gateway")
_URL_SAFE = str.maketrans("+/", "-_")
_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")


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


class JsonLines(logging.Formatter):
    """One JSON object a line, ASCII only, so that no value can break the line or drive a terminal."""

    def __init__(self, redactor: Redactor) -> None:
        super().__init__()
        self._redactor = redactor

    def format(self, record: logging.LogRecord) -> str:
        """Write one record; of a foreign library's record, its message."""
        line: dict[str, Json] = {
            "time": datetime.fromtimestamp(record.created, UTC)
            .isoformat(timespec="milliseconds")
            .replace("+00:00", "Z"),
            "level": record.levelname.lower(),
        }
        fields = getattr(record, "fields", None)
        if fields is None:
            line |= {"event": "log", "logger": record.name, "message": record.getMessage()}
        else:
            line |= {"event": record.getMessage(), **fields}
        if record.exc_info:
            line["trace"] = self.formatException(record.exc_info)
        return json.dumps(self._masked(line)).replace("\x7f", "\\u007f")

    def _masked(self, value: Json) -> Json:
        """Give what JSON can hold, every text in it masked; what is no JSON is written as text first."""
        if value is None or isinstance(value, bool | int | float):
            return value
        if isinstance(value, dict):
            return {self._redactor.text(str(key)): self._masked(inner) for key, inner in value.items()}
        if isinstance(value, list | tuple):
            return [self._masked(inner) for inner in value]
        return self._redactor.text(str(value))


def start_logging(stream: TextIO, redactor: Redactor, *, level: int = logging.INFO) -> None:
    """Send every log record of the process, ours and the libraries', to `stream` as JSON lines."""
    handler = logging.StreamHandler(stream)
    handler.setFormatter(JsonLines(redactor))
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
    _LOGGER.setLevel(level)
    # It writes the raw bytes of requests that are no HTTP, and these may hold keys.
    logging.getLogger("aiohttp.server").setLevel(logging.CRITICAL)


def request_id(offered: str | None, fresh: str) -> str:
    """Give the id a caller sent, if it is 1 to 64 letters, digits, `.`, `_` or `-`; else the `fresh` one."""
    return offered if offered is not None and _REQUEST_ID.fullmatch(offered) else fresh


def started(*, url: str, connections: Iterable[str], catalog: str) -> None:
    """Tell that the gateway listens, and with which catalog version."""
    _event(logging.INFO, "started", url=url, connections=sorted(connections), catalog=catalog)


def stopped() -> None:
    """Tell that the gateway has answered its last call."""
    _event(logging.INFO, "stopped")


def call_done(
    *, request: str, caller: str, connection: str, operation: str, status: int, code: str | None, seconds: float
) -> None:
    """Tell how a caller's call ended: the status given, and the error code if it failed."""
    _event(
        logging.INFO if code is None else logging.WARNING,
        "call.done",
        request=request,
        caller=caller,
        connection=connection,
        operation=operation,
        status=status,
        code=code,
        seconds=round(seconds, 4),
    )


def provider_answered(*, request: str, connection: str, method: str, host: str, status: int, seconds: float) -> None:
    """Tell that a provider answered one attempt. The path is left out: vendors put keys and names into it."""
    _event(
        logging.INFO,
        "provider.answered",
        request=request,
        connection=connection,
        method=method,
        host=host,
        status=status,
        seconds=round(seconds, 4),
    )


def provider_failed(*, request: str, connection: str, method: str, host: str, reason: str) -> None:
    """Tell that one attempt got no answer, and why in one sentence."""
    _event(
        logging.WARNING,
        "provider.failed",
        request=request,
        connection=connection,
        method=method,
        host=host,
        reason=reason,
    )


def mapping_failed(*, request: str, connection: str, operation: str, origin: str, reason: str) -> None:
    """Tell that an answer did not fit a mapping, or a mapping failed: where, and what was wanted; never a value."""
    _event(
        logging.ERROR,
        "mapping.failed",
        request=request,
        connection=connection,
        operation=operation,
        origin=origin,
        reason=reason,
    )


def limits_alone(*, reason: str, seconds: float) -> None:
    """Tell that the shared store of rates is out of reach: for so long each gateway keeps to the rates by itself."""
    _event(logging.WARNING, "limits.alone", reason=reason, seconds=seconds)


def crashed(*, request: str, error: BaseException) -> None:
    """Tell of a defect of ours, with its trace; the caller is shown the request id alone."""
    trace = (type(error), error, error.__traceback__)
    _LOGGER.error("crashed", exc_info=trace, extra={"fields": {"request": request}})


def _event(level: int, name: str, **fields: Json) -> None:
    _LOGGER.log(level, name, extra={"fields": fields})
