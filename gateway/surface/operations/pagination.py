"""Lists cut into pages. A cursor says behind which entry the next page begins, so entries that come or go move nothing.

A cursor holds that entry's sort values and a digest of the query it belongs to: it is opaque, but no secret and no
permission. Nothing here asks a provider.
"""

from __future__ import annotations

import hashlib
import json
import re
from bisect import bisect_right
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from heapq import merge
from itertools import chain
from typing import Any, TypeAlias

from gateway.computation.budget import spend
from gateway.model.model import Operation, Type, TypeRefused
from gateway.model.types.times import moment
from gateway.surface.operations.cursors import cursor_error, decode, encode
from gateway.values.messages import Json
from gateway.values.strictjson import JsonRefused, decode_json

_DIGITS = re.compile("([0-9]+)")
_PIECE = 2_000
_UNBOUND = frozenset({"limit", "include"})
"""Arguments that may change from page to page: they choose no entries."""

_Key: TypeAlias = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class PageRequest:
    """The page a caller asks for. `order` are the fields that entries are sorted by, with their types."""

    limit: int
    order: tuple[tuple[str, Type], ...]
    query: str
    after: _Key | None
    """The sort key of the last entry of the page before; None for the first page."""
    token: str = ""
    """The reading that the page before came from, where it was kept."""
    first: int = 0
    """The number of the page's first entry in that reading."""


def read_page_request(
    operation: Operation, arguments: Mapping[str, Json], cursor: str | None, connection: str
) -> PageRequest:
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
    if cursor is None:
        return PageRequest(limit, order, query, None)
    token, first, after = _after(cursor, order, query)
    return PageRequest(limit, order, query, after, token, first)


def cut(
    page: PageRequest, data: Sequence[Json], beside: Sequence[Json]
) -> tuple[list[Json], list[Json], dict[str, Json]]:
    """Sort the entries and give those of the page, what stands beside each of them, and the value of `page`."""
    entries, first = order_entries(page, data, beside)
    shown = entries[first : first + page.limit]
    return [entry for entry, _ in shown], [own for _, own in shown], about(page, len(entries), first, shown)


def order_entries(
    page: PageRequest, data: Sequence[Json], beside: Sequence[Json]
) -> tuple[list[tuple[Json, Json]], int]:
    """Sort all entries, each with what stands beside it, and tell at which of them the page begins.

    They are sorted piece by piece: a single sort of very many would hold every thread for its whole time.
    """
    entries: list[tuple[_Key, Json, Json]] = []
    for entry, own in zip(data, beside, strict=True):
        spend()
        entries.append((_key(page.order, entry), entry, own))
    pieces = [sorted(entries[at : at + _PIECE], key=_first) for at in range(0, len(entries), _PIECE)]
    found = list(merge(*pieces, key=_first)) if len(pieces) > 1 else [*chain(*pieces)]
    first = 0 if page.after is None else bisect_right(found, page.after, key=_first)
    return [(entry, own) for _, entry, own in found], first


def about(
    page: PageRequest, total: int, first: int, shown: Sequence[tuple[Json, Json]], token: str = ""
) -> dict[str, Json]:
    """Give the value of `page` for the entries that are shown, of which `first` is the number of the first."""
    following = first + page.limit
    more = following < total
    return {
        "limit": page.limit,
        "next_cursor": _cursor(page, token, following, shown[-1][0]) if more else None,
        "has_more": more,
        "total": total,
    }


def _first(keyed: tuple[_Key, Json, Json]) -> _Key:
    return keyed[0]


def _cursor(page: PageRequest, token: str, following: int, last: Mapping[str, Json]) -> str:
    values = [last.get(name) for name, _ in page.order]
    text = json.dumps([page.query, token, following, *values], separators=(",", ":"), ensure_ascii=False)
    return encode(text)


def _after(cursor: str, order: tuple[tuple[str, Type], ...], query: str) -> tuple[str, int, _Key]:
    try:
        found = decode_json(decode(cursor) or b"")
    except JsonRefused:
        raise cursor_error("is not valid") from None
    if not isinstance(found, list) or len(found) != len(order) + 3:
        raise cursor_error("is not valid")
    token, first = found[1:3]
    if not isinstance(token, str) or type(first) is not int or first < 0:
        raise cursor_error("is not valid")
    if found[0] != query:
        raise cursor_error("belongs to another query: send it with the arguments it was given for")
    try:
        entry = {
            name: None if value is None else type_.accept(value)
            for (name, type_), value in zip(order, found[3:], strict=True)
        }
    except TypeRefused:
        raise cursor_error("is not valid") from None
    return token, first, _key(order, entry)


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
