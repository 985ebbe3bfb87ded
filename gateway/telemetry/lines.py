"""A line of the log: a record as one object of JSON, every secret in it masked."""

from __future__ import annotations

import json
import logging
from datetime import UTC, datetime
from functools import lru_cache
from typing import TextIO

from gateway.values.messages import Json
from gateway.values.secrets import Redactor
from gateway.values.strictjson import encode_json

_SHORT = 64
"""Characters up to which a text is remembered with its masked form."""
_MOST_KNOWN = 2_048
"""Texts that are remembered: the ids of requests go through, and names of fields, events and connections stay."""


_NUMBERS = frozenset({int, float, bool, type(None)})
"""The types of values that hold no text."""


class JsonLines(logging.Formatter):
    """One JSON object a line, ASCII only, so that no value can break the line or drive a terminal."""

    def __init__(self, redactor: Redactor) -> None:
        super().__init__()
        self._redactor = redactor
        self._known = lru_cache(_MOST_KNOWN)(redactor.text)

    def format(self, record: logging.LogRecord) -> str:
        """Write one record; of a foreign library's record, its message."""
        line: dict[str, Json] = {
            "time": f"{_second(int(record.created))}.{int(record.msecs):03d}Z",  # holds what the clock says alone
            "level": record.levelname.lower(),
        }
        fields = getattr(record, "fields", None)
        if fields is None:
            fields = {"logger": record.name, "message": record.getMessage()}
            line["event"] = "log"
        else:
            line["event"] = self._text(record.getMessage())
        for name, value in fields.items():
            line[self._known(name)] = value if type(value) in _NUMBERS else self._mask(value)
        if record.exc_info:
            line["trace"] = self._text(self.formatException(record.exc_info))
        return _ascii(line).replace("\x7f", "\\u007f")

    def _mask(self, value: Json) -> Json:
        """Give what JSON can hold, every text in it masked; what is no JSON is written as text first."""
        if type(value) is str:
            return self._known(value) if len(value) <= _SHORT else self._redactor.text(value)
        if value is None or isinstance(value, (bool, int, float)):
            return value
        if isinstance(value, dict):
            return {self._text(str(key)): self._mask(inner) for key, inner in value.items()}
        if isinstance(value, (list, tuple)):
            return [self._mask(inner) for inner in value]
        return self._text(str(value))

    def _text(self, text: str) -> str:
        """Mask a text. Nearly all of a line stood in the lines before: what is short is looked through once."""
        return self._known(text) if len(text) <= _SHORT else self._redactor.text(text)


class LineHandler(logging.StreamHandler[TextIO]):
    """Writes each record as a line, at once."""

    def handle(self, record: logging.LogRecord) -> bool:
        """Take a record: there are no filters, and what is written in one piece needs no lock."""
        self.emit(record)
        return True

    def emit(self, record: logging.LogRecord) -> None:
        """Write one record."""
        try:
            self.stream.write(f"{self.format(record)}\n")
            self.stream.flush()
        except Exception:  # noqa: BLE001 - as every handler does: no call fails since its line cannot be written
            self.handleError(record)


@lru_cache(4)
def _second(second: int) -> str:
    """Write a second since 1970 as UTC, without what follows the seconds: all lines of a second begin alike."""
    return datetime.fromtimestamp(second, UTC).isoformat().removesuffix("+00:00")


def _ascii(value: Json) -> str:
    """Write JSON in ASCII: nearly every line is nothing else, and is written by the faster encoder."""
    try:
        written = encode_json(value)
    except (ValueError, TypeError):  # half of a surrogate pair: JSON in ASCII has an escape for it
        return json.dumps(value)
    return written.decode() if written.isascii() else json.dumps(value)
