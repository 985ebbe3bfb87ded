"""What a poll lists: its window in local days, what it is known by, and how often it may be made. No I/O, no clock."""

from __future__ import annotations

import hashlib
import json
import re
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from math import ceil

from gateway.engine.catalog import Connection
from gateway.mapping.nodes.calls import CallStep
from gateway.mapping.nodes.polling import PollingPlan
from gateway.mapping.nodes.provider import FittedPlan
from gateway.model.types.times import moment, start_of_day, to_zone, zone_of
from gateway.values.messages import Json

_LONGEST_BACK = 92
"""Days that a poll looks back at most, after however long a time in which none was complete."""
_DIGEST = re.compile(r"(\d+)/(\d+)/([0-9a-f]{40})")


@dataclass(frozen=True, slots=True)
class Span:
    """A window: canonical instants `[first, end)` in the connection's zone, and the moment that it was made at."""

    first: str
    end: str
    now: str

    @property
    def start_ms(self) -> int:
        """The beginning, in milliseconds since 1970."""
        return _milliseconds(self.first)

    @property
    def end_ms(self) -> int:
        """The end, not included, in milliseconds since 1970."""
        return _milliseconds(self.end)

    def holds(self, start: Json) -> bool:
        """Tell whether what begins then is in the window; what has no beginning is in every window."""
        return start is None or self.start_ms <= _milliseconds(start) < self.end_ms


def span_of(plan: PollingPlan, zone: str, now: int, complete_at: int | None) -> Span:
    """Give the window of a poll: from the last complete one on, if it was made longer ago than a poll looks back.

    Days are local, both ends included; `now` and `complete_at` are in milliseconds since 1970.
    """
    today = _day(now, zone)
    first = today - timedelta(days=plan.before)
    if complete_at is not None:
        first = min(first, max(_day(complete_at, zone), today - timedelta(days=_LONGEST_BACK)))
    return _span(first, today + timedelta(days=plan.after), zone, now)


def digest_of(plan: PollingPlan, connection: Connection) -> str:
    """Give what a list is known by: its days, and a hash of how it is made and read, without secrets."""
    listed = [connection.provider.name, plan.digest, dict(connection.public)]
    found = hashlib.sha256(json.dumps(listed, sort_keys=True).encode()).hexdigest()[:40]
    return f"{plan.before}/{plan.after}/{found}"


def old_span(digest: str, plan: PollingPlan, connection: Connection, now: int) -> Span | None:
    """Give the window that a list of this digest has today; None for a list that was made or read in another way."""
    old, new = _DIGEST.fullmatch(digest), digest_of(plan, connection)
    if old is None or not new.endswith(old[3]):
        return None
    today = _day(now, connection.zone)
    first = today - timedelta(days=max(int(old[1]), _LONGEST_BACK))  # what begins earlier was in it once
    return _span(first, today + timedelta(days=int(old[2])), connection.zone, now)


def interval_of(plan: PollingPlan, provider: FittedPlan) -> float:
    """Give the seconds between polls that the mapping wants, and its rates allow."""
    operation = provider.operations[plan.operation]
    width = operation.window.max_days if operation.window is not None else None
    lists = ceil((plan.before + plan.after + 1) / width) if width else 1
    seconds = plan.interval
    for variant in operation.variants:
        for limit, calls in Counter(step.call.limit for step in variant.steps if isinstance(step, CallStep)).items():
            rate = provider.limits.rates.get(limit)
            if rate is not None:
                seconds = max(seconds, calls * lists * rate.seconds / rate.amount)
    return seconds


def _span(first: date, last: date, zone: str, now: int) -> Span:
    at = datetime.fromtimestamp(now // 1000, UTC).isoformat(timespec="seconds")
    return Span(start_of_day(first, zone), start_of_day(last + timedelta(days=1), zone), to_zone(at, zone))


def _day(milliseconds: int, zone: str) -> date:
    return datetime.fromtimestamp(milliseconds / 1000, zone_of(zone)).date()


def _milliseconds(instant: str) -> int:
    return int(moment(instant).timestamp() * 1000)
