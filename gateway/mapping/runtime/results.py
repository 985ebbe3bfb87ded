"""Where an operation's result is found and read: rows, nested rows with their parents, one object.

Pure. A path that should give a list and does not is a mismatch, never an empty list.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from gateway.computation.budget import check_rows, spend
from gateway.mapping.generated.binding import read_rows, reader
from gateway.mapping.nodes.calls import GENERATED, RowsPlan, Scope
from gateway.mapping.runtime.expressions import read as look_up
from gateway.mapping.runtime.rows import elements, walk
from gateway.values.errors import AnswerMismatch, GatewayError
from gateway.values.messages import Json
from gateway.values.truth import MISSING

NEVER_SHOWN = frozenset({"token", "hash", "password", "secret", "api_key", "api_secret_key"})
"""Keys of a provider's object that provider_data never shows, besides those a record declares."""


ROW_LEFT_OUT: Final = "ROW_LEFT_OUT"
"""The code of the warning that a row of the provider's list is missing from ours."""
LIST_INCOMPLETE: Final = "LIST_INCOMPLETE"
"""The code of the warning that there is more of the provider's list than ours."""
_MOST_WARNINGS = 100
_LIGHT = 8
"""Rows that are looked at in the time of one step."""


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A row that does not fit: its number in the provider's list, from 0, and why, without any value.

    `field` is the canonical field that could not be told, empty where that is not known.
    """

    row: int
    field: str
    error: AnswerMismatch


@dataclass(frozen=True, slots=True)
class Result:
    """What an operation gives: canonical objects, and what the provider has told of them.

    `single` says that it is one object or none. `age` is in seconds, from when the provider said the oldest part that
    was kept from an earlier call until the operation was done; None when all of it is of this call.
    """

    rows: list[Json]
    raw: list[Json]
    """The provider's own object beside each row, None where nobody asked to see it."""
    single: bool
    age: float | None = None
    left_out: tuple[LeftOut, ...] = ()
    """What is missing from the list."""
    part: str = ""
    """The line of the call by whose `complete:` there is more of the list than these; empty where this is all."""

    @property
    def data(self) -> Json:
        """The list, or the one object, None where there is none."""
        if not self.single:
            return self.rows
        return self.rows[0] if self.rows else None

    def at(self, places: Sequence[int]) -> Result:
        """Give the rows at these places alone."""
        if len(places) == len(self.rows):
            return self
        return replace(self, rows=[self.rows[at] for at in places], raw=[self.raw[at] for at in places])


def unfinished(part: str) -> AnswerMismatch:
    """Make the error of a list that goes on beyond what was answered, where only all of it is of use."""
    text = f"{part}: the list goes on beyond this answer (`complete:` is not true of it), and all of it is needed"
    return AnswerMismatch(text, origin=part)


def read_all(
    plans: Iterable[RowsPlan], root: Json, scope: Scope, not_found: str | None, *, show: bool, partial: bool
) -> Result:
    """Read the rows of all these places as one list; with `partial`, those that do not fit are left out.

    The first path of each is evaluated on `root`. Raises the error `not_found` when a single object is not there,
    AnswerMismatch where the answer does not fit, and what `check_rows` raises.
    """
    read: list[Json] = []
    raw: list[Json] = []
    left_out: list[LeftOut] = []
    for rows in plans:
        private = rows.record.private
        if rows.one:
            row, canonical = _read_one(rows, root, scope, not_found)
            read.append(canonical)
            raw.append(_show(row, private) if show else None)
            continue
        found, own = _rows(rows, root, scope, show=show)
        check_rows(len(read) + len(found))
        if not partial:
            read += read_rows(rows.record, found, scope)
            raw += [_show(one, private) for one in own] if show else [None] * len(found)
            continue
        read_row = reader(rows.record, scope)
        for number, row in enumerate(found):
            spend()
            try:
                read.append(read_row(row, scope))
            except AnswerMismatch as error:
                field = next((one.name for one in rows.record.fields if one.origin == error.origin), "")
                left_out.append(LeftOut(number, field, error))
            else:
                raw.append(_show(own[number], private) if show else None)
    return Result(read, raw, single=False, left_out=tuple(left_out))


def _rows(rows: RowsPlan, root: Json, scope: Scope, *, show: bool) -> tuple[list[Json], list[Json]]:
    """Find all rows before the first is read: what the record reads, and to `show` the provider's own objects."""
    if not rows.named:
        found = elements(rows.levels[0], root)
        return found, found
    seen = {name: held for name, held in scope.items() if name != GENERATED}
    walked = walk(rows.levels, root, scope)
    return [{**seen, **names} for names in walked], [_outline(names) for names in walked] if show else []


def choose(found: Result, tests: list[Callable[[Json], bool]]) -> Result:
    """Give the rows that pass every test."""
    rows = found.rows
    places: Sequence[int] = range(len(rows))
    for test in tests:
        spend(len(places) // _LIGHT)
        places = [at for at in places if test(rows[at])]
    return found.at(places)


def tell(left_out: Sequence[LeftOut], part: str = "") -> tuple[dict[str, Json], ...]:
    """Tell of what is missing as warnings of the contract; of very many rows, the first ones and how many more."""
    missing = "The provider's list goes on beyond what it answered: the rest is missing here."
    warnings: list[dict[str, Json]] = [{"code": LIST_INCOMPLETE, "message": missing, "origin": part}] if part else []
    warnings += [
        {"code": ROW_LEFT_OUT, "message": f"Row {one.row} of the provider's list was left out: {one.error.detail}"}
        | ({"field": one.field} if one.field else {})
        | {"row": one.row, "origin": one.error.origin or ""}
        for one in left_out[:_MOST_WARNINGS]
    ]
    more = len(left_out) - _MOST_WARNINGS
    if more > 0:
        warnings.append({"code": ROW_LEFT_OUT, "message": f"{more} more rows of the provider's list were left out."})
    return tuple(warnings)


def distinct(listed: Result, origin: str) -> Result:
    """Give the rows of a list, each id once: a provider that repeats a row has said it once.

    Raises AnswerMismatch where two rows that differ have one id, for nothing tells which of them it means.
    """
    spend(len(listed.rows) // _LIGHT)
    ids = {row.get("id") for row in listed.rows if isinstance(row, dict)}
    if len(ids) == len(listed.rows) and None not in ids:
        return listed
    found: dict[Json, Json] = {}
    places = []
    for at, row in enumerate(listed.rows):
        spend()
        name = row.get("id") if isinstance(row, dict) else None
        if name is None or name not in found:
            places.append(at)
        elif found[name] != row:
            raise AnswerMismatch(f"{origin}: two different rows of the list have the id `{name}`", origin=origin)
        found[name] = row
    return listed.at(places)


def _outline(names: dict[str, Json]) -> dict[str, Json]:
    """The levels of one row: the innermost whole, of the others what is not rows again."""
    *outer, last = names
    found = {name: _scalars(names[name]) for name in outer}
    return {**found, last: names[last]}


def _scalars(value: Json) -> Json:
    return (
        {key: one for key, one in value.items() if not isinstance(one, dict | list)}
        if isinstance(value, dict)
        else value
    )


def _read_one(rows: RowsPlan, root: Json, scope: Scope, not_found: str | None) -> tuple[Json, Json]:
    """The provider's object and the canonical one."""
    level = rows.levels[0]
    row = look_up(level.at, root, level.origin)
    if row is MISSING or row is None or row == []:
        if not_found is not None:
            raise GatewayError("", code=not_found, origin=level.origin)
        raise AnswerMismatch(f"{level.origin}: `{level.at.text}` is missing in the answer", origin=level.origin)
    return row, reader(rows.record, scope)(row, scope)


def _show(value: Json, private: frozenset[str]) -> Json:
    """The provider's object without what must not be seen."""
    if isinstance(value, dict):
        return {
            key: _show(inner, private)
            for key, inner in value.items()
            if key not in private and key.lower() not in NEVER_SHOWN
        }
    if isinstance(value, list):
        return [_show(inner, private) for inner in value]
    return value
