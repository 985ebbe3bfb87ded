"""How rows are chosen when the provider did not choose them: the words of `filter:` in booking.yaml. Nothing here asks.

A row that lacks the field, or holds null there, does not match: what a provider cannot tell is not known to be so.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from gateway.model.types.times import epoch
from gateway.values.messages import Json

Test: TypeAlias = Callable[[Json], bool]
"""A canonical row in, whether it matches out."""


@dataclass(frozen=True, slots=True)
class Filter:
    """One argument's test: `word` is a key of FILTERS, `fields` are dotted names that lead through lists."""

    word: str
    fields: tuple[str, ...]

    def test(self, value: Json) -> Test:
        """Make the test of rows for this canonical value of the argument."""
        paths = tuple(tuple(name.split(".")) for name in self.fields)
        return FILTERS[self.word](paths, value)


_Paths: TypeAlias = tuple[tuple[str, ...], ...]


def _find(row: Json, path: tuple[str, ...]) -> Iterator[Json]:
    """Give every value at a path that is not null; a list on the way, or at the end, gives each of its elements."""
    if isinstance(row, list):
        for element in row:
            yield from _find(element, path)
    elif not path:
        if row is not None:
            yield row
    elif isinstance(row, dict):
        yield from _find(row.get(path[0]), path[1:])


def _any(paths: _Paths, holds: Callable[[Json], bool]) -> Test:
    if any(len(path) > 1 for path in paths):
        return lambda row: any(holds(value) for path in paths for value in _find(row, path))
    keys = tuple(path[0] for path in paths)

    def test(row: Json) -> bool:
        """The same of fields that the row itself has, which most are: every row of a list comes here."""
        for key in keys:
            value = row.get(key)
            if value is None:
                continue
            if any(map(holds, _find(value, ()))) if isinstance(value, list) else holds(value):
                return True
        return False

    return test


def _order(value: Json) -> float:
    """Give what to compare: instants by moment, whatever their offsets; numbers as they are."""
    return epoch(value) if isinstance(value, str) else float(value)


def _equals(paths: _Paths, wanted: Json) -> Test:
    return _any(paths, lambda value: bool(value == wanted))


def _any_of(paths: _Paths, wanted: Json) -> Test:
    return _any(paths, lambda value: value in wanted)


def _at_least(paths: _Paths, wanted: Json) -> Test:
    least = _order(wanted)
    return _any(paths, lambda value: _order(value) >= least)


def _before(paths: _Paths, wanted: Json) -> Test:
    most = _order(wanted)
    return _any(paths, lambda value: _order(value) < most)


def _same_text(paths: _Paths, wanted: Json) -> Test:
    folded = wanted.casefold()
    return _any(paths, lambda value: value.casefold() == folded)


def _same_phone(paths: _Paths, wanted: Json) -> Test:
    def digits(phone: str) -> str:
        return "".join(char for char in phone if char in "+0123456789")

    dialled = digits(wanted)
    return _any(paths, lambda value: digits(value) == dialled)


def _mentions(paths: _Paths, wanted: Json) -> Test:
    folded = wanted.casefold()
    return _any(paths, lambda value: folded in value.casefold())


def _lasts(paths: _Paths, wanted: Json) -> Test:
    (start,), (end,) = paths
    length = wanted * 60

    def test(row: Json) -> bool:
        first, last = row.get(start), row.get(end)
        return first is not None and last is not None and epoch(last) - epoch(first) == length

    return test


def _room_for(paths: _Paths, wanted: Json) -> Test:
    """Places that are not counted are taken to suffice: the provider decides when booking."""
    return lambda row: all(value >= wanted for path in paths for value in _find(row, path))


def tests_of(filters: Mapping[str, Filter], given: Mapping[str, Json]) -> list[Test]:
    """Make the tests of rows for canonical arguments, by name; one that is missing or null chooses no rows."""
    return [rule.test(given[name]) for name, rule in filters.items() if given.get(name) is not None]


FILTERS: Mapping[str, Callable[[_Paths, Json], Test]] = {
    "equals": _equals,
    "any_of": _any_of,
    "at_least": _at_least,
    "before": _before,
    "same_text": _same_text,
    "same_phone": _same_phone,
    "mentions": _mentions,
    "lasts": _lasts,
    "room_for": _room_for,
}
"""Every word of `filter:`. Where several fields are named, one that matches is enough; `lasts` takes start and end."""
