"""What `gateway link` prints for people, made of what links tell of themselves. Pure; times are those of the link."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from gateway.values.messages import Json

_GAP = "  "


def list_lines(statuses: Sequence[Mapping[str, Json]]) -> list[str]:
    """Show every link in a line."""
    if not statuses:
        return ["the configuration has no links"]
    heads = ("link", "club", "marketplace", "center", "to tell", "to look at")
    rows = [
        (
            one["name"],
            one["club"],
            one["peer"],
            one["center_id"],
            str(one["outbox"]["waiting"]),
            str(len(one["attention"])),
        )
        for one in statuses
    ]
    return table(heads, rows)


def status_lines(status: Mapping[str, Json], zone: str) -> list[str]:
    """Show how a link fares: what it sells, when it last did something, what was booked, what must be looked at."""
    outbox = status["outbox"]
    lines = [f"{status['name']}: {status['club']} on {status['peer']} as {status['center_id']}; times in {zone}", ""]
    lines += table(("facility", "resource", "name", "problem"), map(_facility, status["facilities"]))
    lines += ["", *table(("last", "when", "why it failed"), _lasts(status, zone))]
    lines += ["", f"to tell: {outbox['waiting']} waiting, {outbox['parked']} refused by the marketplace"]
    counts = status["ledger"]["counts"]
    lines += ["bookings: " + (", ".join(f"{count} {state}" for state, count in sorted(counts.items())) or "none")]
    entries = status["ledger"]["entries"]
    if entries:
        heads = ("facility", "start", "end", "player", "state", "booking", "asked for", "reason")
        lines += ["", *table(heads, (_entry(one, zone) for one in entries))]
    told = [f"  - {_plain(sentence)}" for sentence in status["attention"]]
    return [*lines, "", *(["look at this:", *told] if told else ["nothing to look at"])]


def diff_lines(diff: Mapping[str, Json], zone: str) -> list[str]:
    """Show where the marketplace was told something else than the club says."""
    if diff["in_step"]:
        return [f"{diff['name']}: in step at {_when(diff['checked_at'], zone)}"]
    found = diff["differences"]
    heads = ("facility", "start", "end", "told", "club", "what comes of it")
    rows = [
        (
            one["facility_id"],
            _when(one["start"], zone),
            _when(one["end"], zone),
            one["told"],
            one["club"],
            _outlook(one),
        )
        for one in found
    ]
    count = f"{len(found)} {'difference' if len(found) == 1 else 'differences'}"
    return [*table(heads, rows), "", f"{diff['name']}: {count} at {_when(diff['checked_at'], zone)}; times in {zone}"]


def table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """Give lines with columns as wide as what stands in them; nothing in them can steer a terminal."""
    cells = [list(heads), *([_plain(cell) for cell in row] for row in rows)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    return [_GAP.join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in cells]


def _facility(one: Mapping[str, Json]) -> Sequence[str]:
    return one["facility_id"], one["resource_id"], one.get("name") or "", one.get("problem") or ""


def _lasts(status: Mapping[str, Json], zone: str) -> Iterator[Sequence[str]]:
    for word, key in (("asked by the marketplace", "pull"), ("read from the club", "read"), ("told", "push")):
        yield word, _when(status.get(f"last_{key}_at"), zone), status.get(f"last_{key}_error") or ""
    if status.get("next_push_at") is not None:
        yield "(next) told", _when(status["next_push_at"], zone), ""


def _entry(one: Mapping[str, Json], zone: str) -> Sequence[str]:
    times = [_when(one[name], zone) for name in ("start", "end")]
    who = one.get("player") or ""
    booking, reason = one.get("booking_id") or "", one.get("reason") or ""
    return one["facility_id"], *times, who, one["state"], booking, _when(one["created_at"], zone), reason


def _outlook(one: Mapping[str, Json]) -> str:
    if one.get("parked") is not None:
        return f"refused by the marketplace: {one['parked']}"
    return "is about to be told" if one["waiting"] else ""


def _when(moment: str | None, zone: str) -> str:
    """Write a moment as the clocks of the zone show it, with the offset: an hour that comes twice is told apart."""
    if moment is None:
        return "never"
    return datetime.fromisoformat(moment).astimezone(ZoneInfo(zone)).isoformat(" ", "minutes")


def _plain(text: str) -> str:
    return "".join(one if one.isprintable() else "\N{REPLACEMENT CHARACTER}" for one in text)
