"""Windows of time: a caller's instants widened to the local days that providers ask for, split where they must be.

Pure. Days are local to the connection's zone and inclusive on both sides; instants are half-open, `[from, to)`.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from gateway.mapping.plan import WindowPlan
from gateway.messages import Json


def chunks(
    args: Mapping[str, Json], plan: WindowPlan, now: datetime, zone: str
) -> tuple[list[dict[str, str]], tuple[datetime | None, datetime | None]]:
    """Give the windows to ask for (`first_date`, `last_date`) and the bounds that rows are held to.

    Without `from` the window begins with today, without `to` it ends `default_days` after its beginning; a bound the
    caller did not give holds no row back.
    """
    local = ZoneInfo(zone)
    start = _instant(args.get("from"))
    end = _instant(args.get("to"))
    days = timedelta(days=plan.default_days or 1)
    if start is not None:
        first = start.astimezone(local).date()
    elif end is not None:
        first = min((end.astimezone(local) - days).date(), now.astimezone(local).date())
    else:
        first = now.astimezone(local).date()
    last = (
        (end - timedelta(microseconds=1)).astimezone(local).date()
        if end is not None
        else first + days - timedelta(days=1)
    )
    width = timedelta(days=(plan.max_days or (last - first).days + 1) - 1)
    found = []
    while first <= last:
        until = min(first + width, last)
        found.append({"first_date": first.isoformat(), "last_date": until.isoformat()})
        first = until + timedelta(days=1)
    return found, (start, end)


def within(row: Mapping[str, Json], bounds: tuple[datetime | None, datetime | None]) -> bool:
    """Whether a row starts inside `[from, to)`."""
    start = _instant(row.get("start"))
    if start is None:
        return True
    first, end = bounds
    return (first is None or start >= first) and (end is None or start < end)


def _instant(text: Json) -> datetime | None:
    return datetime.fromisoformat(text) if isinstance(text, str) else None
