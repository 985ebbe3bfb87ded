"""Windows of time: a caller's instants widened to the local days that providers ask for, split where they must be.

Pure. Days are local to the connection's zone and inclusive on both sides; instants are half-open, `[from, to)`.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import TypeAlias

from gateway.computation.budget import check_rows, spend
from gateway.mapping.nodes.given import WindowPlan
from gateway.mapping.runtime.results import Result
from gateway.model.types.times import zone_of
from gateway.values.errors import GatewayError
from gateway.values.messages import Json

MAX_WINDOWS = 24
"""Provider calls that one list may be split into: two years by months. Beyond, a caller is told, not kept waiting."""

Bounds: TypeAlias = tuple[datetime | None, datetime | None]
"""Not before, and before; None where the caller gave none."""


def bounds_of(args: Mapping[str, Json], names: tuple[str, str]) -> Bounds:
    """The caller's own bounds, from the two arguments that hold them."""
    first, end = (args.get(name) for name in names)
    return _instant(first), _instant(end)


def chunks(bounds: Bounds, plan: WindowPlan, now: datetime, zone: str) -> list[dict[str, str]]:
    """Give the windows to ask for, as `first_date` and `last_date`.

    Without a beginning the window begins with today, without an end it has `default_days`. Raises WINDOW_TOO_LARGE
    when the provider would have to be asked more than MAX_WINDOWS times.
    """
    local = zone_of(zone)
    start, end = bounds
    days = timedelta(days=plan.default_days or 1)
    today = now.astimezone(local).date()
    if start is not None:
        first = start.astimezone(local).date()
    else:
        first = min((end.astimezone(local) - days).date(), today) if end is not None else today
    last = first + days - timedelta(days=1)
    if end is not None:
        last = (end - timedelta(microseconds=1)).astimezone(local).date()
    wanted = (last - first).days + 1
    width = plan.max_days or wanted
    if wanted > width * MAX_WINDOWS:
        raise GatewayError(
            f"The window has {wanted} days; this provider is asked at most {width * MAX_WINDOWS} at a time.",
            code="WINDOW_TOO_LARGE",
            details={"max_days": width * MAX_WINDOWS},
        )
    found = []
    while first <= last:
        until = min(first + timedelta(days=width - 1), last)
        found.append({"first_date": first.isoformat(), "last_date": until.isoformat()})
        first = until + timedelta(days=1)
    return found


def unite(listed: Result, more: Result, start: str, bounds: Bounds) -> Result:
    """Give a list with the rows of one more window that begin, by their field `start`, inside the bounds.

    A row whose id is there already stays as it is there.
    """
    rows, raw = list(listed.rows), list(listed.raw)
    known = {row["id"] for row in rows}
    for row, own in zip(more.rows, more.raw, strict=True):
        spend()
        if within(row.get(start), bounds) and row["id"] not in known:
            known.add(row["id"])
            rows.append(row)
            raw.append(own)
    check_rows(len(rows))
    return Result(rows, raw, single=False, left_out=listed.left_out + more.left_out, part=listed.part or more.part)


def around(window: Mapping[str, str]) -> tuple[str, str]:
    """Give the instants that the days of a window are between in every zone, and two days after it.

    What begins on its last day may end then.
    """
    first, last = (date.fromisoformat(window[name]).toordinal() for name in ("first_date", "last_date"))
    days = date.fromordinal(max(first - 1, 1)), date.fromordinal(min(last + 4, date.max.toordinal()))
    return f"{days[0]}T00:00:00+00:00", f"{days[1]}T00:00:00+00:00"


def within(start: Json, bounds: Bounds) -> bool:
    """Whether a row that starts then is inside `[from, to)`; a row without a start is not held back."""
    begin = _instant(start)
    first, end = bounds
    return begin is None or ((first is None or begin >= first) and (end is None or begin < end))


def _instant(text: Json) -> datetime | None:
    return datetime.fromisoformat(text) if isinstance(text, str) else None
