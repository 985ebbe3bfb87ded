"""Lists cut into pages. A cursor says behind which entry the next page begins, so entries that come or go move nothing.

A cursor holds that entry's sort values and a digest of the query it belongs to: it is opaque, but no secret and no
permission. Nothing here asks a provider.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import re
from bisect import bisect_right
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from gateway.errors import CallInvalid
from gateway.messages import Json
from gateway.model.model import Operation, Type, TypeRefused
from gateway.model.times import moment
from gateway.strictjson import JsonRefused, decode_json

_DIGITS = re.compile("([0-9]+)")
_UNBOUND = frozenset({"limit", "include"})
"""Arguments that may change from page to page: they choose no entries."""

_Key: TypeAlias = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Wanted:
    """The page a caller asks for. `order` are the fields that entries are sorted by, with their types."""

    limit: int
    order: tuple[tuple[str, Type], ...]
    query: str
    after: _Key | None
    """The sort key of the last entry of the page before; None for the first page."""


def wanted(operation: Operation, arguments: Mapping[str, Json], cursor: str | None, connection: str) -> Wanted:
    """Read which page is asked for; `arguments` are canonical.

    Raises CallInvalid for a cursor that is none, or that belongs to another query, operation or connection.
    """
    if operation.resource is None:
        raise TypeError(f"{operation.name} gives no list")
    names = operation.order
    if operation.sort is not None:
        by = arguments.get(operation.sort, operation.common[operation.sort].default)
        names = (by, *names[1:])
    order = tuple((name, operation.resource.fields[name].type) for name in names)
    bound = {name: value for name, value in arguments.items() if name not in _UNBOUND}
    text = json.dumps([connection, operation.name, names, bound], sort_keys=True)
    query = hashlib.sha256(text.encode()).hexdigest()[:16]
    limit = arguments.get("limit", operation.common["limit"].default)
    return Wanted(limit, order, query, None if cursor is None else _after(cursor, order, query))


def cut(page: Wanted, data: Sequence[Json], beside: Sequence[Json]) -> tuple[list[Json], list[Json], dict[str, Json]]:
    """Sort the entries and give those of the page, what stands beside each of them, and the value of `page`."""
    entries = sorted(
        ((_key(page.order, entry), entry, other) for entry, other in zip(data, beside, strict=True)),
        key=lambda keyed: keyed[0],
    )
    first = 0 if page.after is None else bisect_right(entries, page.after, key=lambda keyed: keyed[0])
    shown = entries[first : first + page.limit]
    more = first + page.limit < len(entries)
    about = {
        "limit": page.limit,
        "next_cursor": _cursor(page, shown[-1][1]) if more else None,
        "has_more": more,
        "total": len(entries),
    }
    return [entry for _, entry, _ in shown], [other for _, _, other in shown], about


def _cursor(page: Wanted, last: Mapping[str, Json]) -> str:
    values = [last.get(name) for name, _ in page.order]
    text = json.dumps([page.query, *values], separators=(",", ":"), ensure_ascii=False)
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def _after(cursor: str, order: tuple[tuple[str, Type], ...], query: str) -> _Key:
    try:
        padded = cursor + "=" * (-len(cursor) % 4)
        found = decode_json(base64.b64decode(padded.encode("ascii"), altchars=b"-_", validate=True))
    except (binascii.Error, UnicodeEncodeError, JsonRefused):
        raise _wrong("is no cursor of this gateway") from None
    if not isinstance(found, list) or len(found) != len(order) + 1:
        raise _wrong("is no cursor of this gateway")
    if found[0] != query:
        raise _wrong("belongs to another query: send it with the arguments it was given for")
    try:
        entry = {
            name: None if value is None else type_.accept(value)
            for (name, type_), value in zip(order, found[1:], strict=True)
        }
    except TypeRefused:
        raise _wrong("is no cursor of this gateway") from None
    return _key(order, entry)


def _key(order: tuple[tuple[str, Type], ...], entry: Mapping[str, Json]) -> _Key:
    """Give what an entry is sorted by; entries that lack a value come last."""
    key: list[Json] = []
    for name, type_ in order:
        value = entry.get(name)
        key.append((1,) if value is None else (0, _KEYS.get(type_.kind, _natural)(value)))
    return tuple(key)


def _natural(value: Json) -> _Key:
    """Sort numbers inside texts as numbers: 2 before 10. What only looks the same (`7`, `07`) stays apart."""
    text = str(value)
    parts = _DIGITS.split(text)  # text, digits, text, …: always the same kind at the same place
    return tuple(int(part) if index % 2 else part for index, part in enumerate(parts)), text


_KEYS: Mapping[str, Callable[[Json], Any]] = {"instant": moment}


def _wrong(problem: str) -> CallInvalid:
    return CallInvalid(f"`cursor` {problem}.", details={"fields": [{"field": "cursor", "problem": problem}]})
