"""Tables of texts (CSV, RFC 4180): the first row names the columns, or the mapping does."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from gateway.computation.threads import checkpoint
from gateway.values.strictjson import Unreadable

MOST_ROWS: Final = 200_000


@dataclass(frozen=True, slots=True)
class TableForm:
    """What stands between two values, and the names of the columns where no row of the table has them."""

    separator: str = ","
    names: tuple[str, ...] = ()


def read_table(text: str, form: TableForm) -> list[dict[str, str]]:
    """Read a table as one object a row, every value a text; lines without anything are none.

    Raises Unreadable for a row that has not a value for each column, two columns of one name, and broken quotes.
    """
    rows = csv.reader(io.StringIO(text.removeprefix("\ufeff"), newline=""), delimiter=form.separator, strict=True)
    found: list[dict[str, str]] = []
    try:
        names = form.names or _names(rows)
        for number, row in enumerate(rows, 1):
            if not row:
                continue
            if len(row) != len(names):
                raise Unreadable(f"has {len(row)} values in line {rows.line_num}, and {len(names)} columns")
            if number > MOST_ROWS:
                raise Unreadable(f"has more than {MOST_ROWS:,} rows")
            found.append(dict(zip(names, row, strict=True)))
            if number % 256 == 0:
                checkpoint()
    except csv.Error as error:
        raise Unreadable(f"is no table of values at line {rows.line_num}: {error}") from None
    return found


def _names(rows: Iterable[list[str]]) -> tuple[str, ...]:
    names = next((row for row in rows if row), None)
    if names is None:
        raise Unreadable("has no row that names the columns")
    if len(set(names)) != len(names):
        raise Unreadable("names two columns alike")
    return tuple(names)
