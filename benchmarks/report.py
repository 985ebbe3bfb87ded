"""What was measured, as tables for people and as JSON for the next run."""

import json
import os
import platform
from importlib.metadata import version

from benchmarks.measure import BEFORE, GATEWAY

LIBRARIES = ("aiohttp", "jmespath", "jinja2", "sqlalchemy", "orjson", "uvloop")
_HEADINGS = {
    "calls": "Whole calls over sockets: CPU of the process for one request",
    "in process": "In one process, bytes to bytes: CPU for doing it once",
    "libraries": "Beside libraries that map data, in one process: CPU for doing it once",
    "shipped": "The shipped mappings, their examples once through: CPU, beside decoding and encoding the same bytes",
    "rows": "How it grows with the rows of an answer: CPU for one answer",
    "connections": "How it goes with the connections of callers: CPU for one request",
    "subscribers": "How it grows with the subscribers of an event: CPU for one delivery",
    "backlog": "How it grows with the deliveries that wait: CPU for one event accepted and delivered",
    "stores": "Events accepted and delivered, by store: CPU of the gateway for one event",
    "memory": "After so many calls: CPU for one call",
    "start": "Starting: from the start of the process until it is ready",
}
_PREFACE = """<!-- Made by `make bench`: measure again instead of changing this file. -->

# Performance

What describing a provider costs beside writing the code for it by hand, measured in one run: the sides take turns, and
their answers are compared byte for byte before anything is timed. ± is half of what the middle half of the rounds
spans. The figures are those of one machine; the ratios are what is worth remembering.

`benchmarks/byhand.py` is what the gateway is compared with. *bare* gives the same bytes and does nothing else.
*dutiful* asks for a key, reads strict JSON, checks types, logs, keeps times and stores what must not be lost.

Measured on {}."""


def machine():
    """Tell what was measured on, and with what."""
    processor = "unknown"
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as told:  # noqa: PTH123 - no path of ours
            processor = next(
                (line.partition(":")[2].strip() for line in told if line.startswith("model name")), processor
            )
    except FileNotFoundError:
        pass
    return {
        "processor": processor,
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "system": platform.system(),
        "python": platform.python_version(),
        "libraries": {name: version(name) for name in LIBRARIES},
    }


def number(value):
    """Write a figure with three digits that count, and no more."""
    if value >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def cell(row, side):
    """Write a side's median and spread."""
    return f"{number(row.median(side))} ±{row.spread(side) * 50:.0f}%"


def against(row, side):
    """Write how many times what a side needs the gateway needs."""
    middle, apart = row.ratio(GATEWAY, side)
    return f"{number(middle)} ±{apart * 50:.0f}%"


def table(rows):
    """Give the lines of one group's table: a header and a line for each row."""
    sides = list(dict.fromkeys(side for row in rows for side in row.sides))
    others = [side for side in sides if side != GATEWAY]
    head = ["", *(f"{side}, {rows[0].unit}" for side in sides), *(f"gateway : {side}" for side in others)]
    lines = [head]
    for row in rows:
        figures = [cell(row, side) if side in row.sides else "" for side in sides]
        lines.append([row.name, *figures, *(against(row, side) if side in row.sides else "" for side in others)])
    return lines


def seen(rows):
    """Give the lines of what else was seen of the sides of a group, where something was."""
    kept = {
        "per_second": "requests/s",
        "p50_ms": "p50 ms",
        "p99_ms": "p99 ms",
        "cpu_seconds": "CPU s",
        "memory_mb": "MB",
    }
    lines = [["", "side", *kept.values()]]
    for row in rows:
        for side, more in row.more.items():
            lines.append([row.name, side, *(number(more[name]) if name in more else "" for name in kept)])
    used = [at for at in range(len(lines[0])) if at < 2 or any(line[at] for line in lines[1:])]
    return [[line[at] for at in used] for line in lines] if len(lines) > 1 else []


def aligned(lines):
    """Write lines of cells as columns: the first to the left, the others to the right."""
    widths = [max(len(line[at]) for line in lines) for at in range(len(lines[0]))]
    written = (
        "  ".join(
            one.ljust(width) if at == 0 else one.rjust(width)
            for at, (one, width) in enumerate(zip(line, widths, strict=True))
        )
        for line in lines
    )
    return "\n".join(line.rstrip() for line in written)


def markdown(lines):
    """Write lines of cells as a table of Markdown."""
    head, *rest = ([*line] for line in lines)
    marks = ["---", *("--:" for _ in head[1:])]
    return "\n".join("| " + " | ".join(line) + " |" for line in (head, marks, *rest))


def grouped(rows):
    """Give the rows by their group, in the order of the headings."""
    return {group: found for group in _HEADINGS if (found := [row for row in rows if row.group == group])}


def text(rows):
    """Write everything for a terminal. ± is half of what the middle half of the rounds spans."""
    parts = []
    for group, found in grouped(rows).items():
        abouts = "\n".join(f"  {row.name}: {row.about}" for row in found)
        parts += [f"{_HEADINGS[group]}\n{abouts}\n\n{aligned(table(found))}"]
        if more := seen(found):
            parts.append(aligned(more))
    return "\n\n".join(parts) + "\n"


def page(rows, told, picture=None):
    """Write the page of the documentation, with this picture of the growth curves."""
    libraries = ", ".join(f"{name} {one}" for name, one in told["libraries"].items())
    measured_on = f"{told['processor']}, {told['cores']} cores, {told['system']}, Python {told['python']}, {libraries}"
    parts = [_PREFACE.format(measured_on)]
    if picture is not None:
        parts.append(f"![How CPU grows with rows, connections, subscribers, what waits and calls]({picture})")
    for group, found in grouped(rows).items():
        abouts = "\n".join(f"- {row.name}: {row.about}" for row in found)
        parts += [f"## {_HEADINGS[group].partition(':')[0]}", abouts, markdown(table(found))]
        if more := seen(found):
            parts.append(markdown(more))
    return "\n\n".join(parts) + "\n"


def as_json(rows, told):
    """Give everything as JSON."""
    return json.dumps({"machine": told, "rows": [row.as_json() for row in rows]}, indent=1, ensure_ascii=False) + "\n"


def compared(before, after):
    """Give the lines that set two runs side by side. What changed by less than both runs scatter is no change.

    The hand-written side tells how much faster the machine was: the last column is without that.
    """
    old = {(one["group"], one["name"]): one for one in before["rows"]}
    lines = [["", "before", "after", "change", "noise", "without the machine"]]
    for one in after["rows"]:
        other = old.get((one["group"], one["name"]))
        if other is None:
            continue
        was, now = other["sides"][GATEWAY], one["sides"][GATEWAY]
        noise = (was["spread"] + now["spread"]) / 2
        change = now["median"] / was["median"] - 1
        shared = [side for side in one["ratios"] if side in other["ratios"] and side != BEFORE]
        fair = one["ratios"][shared[0]]["median"] / other["ratios"][shared[0]]["median"] - 1 if shared else change
        told = f"{change:+.0%}" if abs(change) > noise else f"({change:+.0%})"
        name = f"{one['group']} {one['name']}"
        lines.append([name, number(was["median"]), number(now["median"]), told, f"±{noise:.0%}", f"{fair:+.0%}"])
    return lines
