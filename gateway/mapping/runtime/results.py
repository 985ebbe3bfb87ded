"""Where an operation's result is found and read: rows, nested rows with their parents, one object.

Pure. A path that should give a list and does not is a mismatch, never an empty list.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from gateway.computation.budget import check_rows, spend
from gateway.mapping.nodes.calls import RowsPlan, Scope
from gateway.mapping.runtime.expressions import read
from gateway.mapping.runtime.records import read_record
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


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A row that does not fit: its number in the provider's list, from 0, and why, without any value.

    `field` is the canonical field that could not be told, empty where that is not known.
    """

    row: int
    field: str
    error: AnswerMismatch


class ResultRows(NamedTuple):
    """What an operation gives: canonical objects, each with the provider's own beside it where that is shown.

    `single` says that it is one object or none; `left_out` is what is missing from the list.
    """

    pairs: list[tuple[Json, Json]]
    single: bool
    left_out: tuple[LeftOut, ...] = ()
    part: str = ""
    """The line of the call by whose `complete:` there is more of the list than these; empty where this is all."""


def unfinished(part: str) -> AnswerMismatch:
    """Make the error of a list that goes on beyond what was answered, where only all of it is of use."""
    text = f"{part}: the list goes on beyond this answer (`complete:` is not true of it), and all of it is needed"
    return AnswerMismatch(text, origin=part)


def read_all(
    plans: Iterable[RowsPlan], root: Json, scope: Scope, not_found: str | None, *, show: bool, partial: bool
) -> ResultRows:
    """Read the rows of all these places as one list; with `partial`, those that do not fit are left out.

    The first path of each is evaluated on `root`. Raises the error `not_found` when a single object is not there,
    AnswerMismatch where the answer does not fit, and what `check_rows` raises.
    """
    pairs: list[tuple[Json, Json]] = []
    left_out: list[LeftOut] = []
    for rows in plans:
        private = rows.record.private
        if rows.one:
            row, canonical = _read_one(rows, root, scope, not_found)
            pairs.append((canonical, _shown(row, private) if show else None))
            continue
        found = _rows(rows, root, scope)
        check_rows(len(pairs) + len(found))
        for number, (row, own) in enumerate(found):
            try:
                pairs.append((read_record(rows.record, row, scope), _shown(own, private) if show else None))
            except AnswerMismatch as error:
                if not partial:
                    raise
                field = next((one.name for one in rows.record.fields if one.origin == error.origin), "")
                left_out.append(LeftOut(number, field, error))
    return ResultRows(pairs, single=False, left_out=tuple(left_out))


def _rows(rows: RowsPlan, root: Json, scope: Scope) -> list[tuple[Json, Json]]:
    """Find all rows before the first is read: what the record reads, and the provider's own object."""
    if not rows.named:
        level = rows.levels[0]
        return [(row, row) for row in elements(level, root)]
    return [({**scope, **names}, _outline(names)) for names in walk(rows.levels, root, scope)]


def chosen(pairs: list[tuple[Json, Json]], tests: list[Callable[[Json], bool]]) -> list[tuple[Json, Json]]:
    """Give the pairs whose canonical object passes every test."""
    found = []
    for pair in pairs:
        spend()
        if all(test(pair[0]) for test in tests):
            found.append(pair)
    return found


def told(left_out: Sequence[LeftOut], part: str = "") -> tuple[dict[str, Json], ...]:
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


def distinct(pairs: list[tuple[Json, Json]], origin: str) -> list[tuple[Json, Json]]:
    """Give the rows of a list, each id once: a provider that repeats a row has said it once.

    Raises AnswerMismatch where two rows that differ have one id, for nothing tells which of them it means.
    """
    found: dict[Json, Json] = {}
    kept = []
    for pair in pairs:
        spend()
        row = pair[0]
        name = row.get("id") if isinstance(row, dict) else None
        if name is None or name not in found:
            kept.append(pair)
        elif found[name] != row:
            raise AnswerMismatch(f"{origin}: two different rows of the list have the id `{name}`", origin=origin)
        found[name] = row
    return kept


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
    row = read(level.at, root, level.origin)
    if row is MISSING or row is None or row == []:
        if not_found is not None:
            raise GatewayError("", code=not_found, origin=level.origin)
        raise AnswerMismatch(f"{level.origin}: `{level.at.text}` is missing in the answer", origin=level.origin)
    return row, read_record(rows.record, row, scope)


def _shown(value: Json, private: frozenset[str]) -> Json:
    """The provider's object without what must not be seen."""
    if isinstance(value, dict):
        return {
            key: _shown(inner, private)
            for key, inner in value.items()
            if key not in private and key.lower() not in NEVER_SHOWN
        }
    if isinstance(value, list):
        return [_shown(inner, private) for inner in value]
    return value
