"""The growth curves as one picture: SVG that a browser and a page of Markdown show, made without a library."""

from math import log10
from xml.sax.saxutils import escape

from benchmarks.measure import GATEWAY

GROWING = ("rows", "connections", "subscribers", "backlog", "memory")
_WIDTH, _HEIGHT, _LEFT, _TOP, _RIGHT, _BOTTOM = 760, 420, 70, 30, 180, 50
_COLOURS = ("#0b57d0", "#b3261e", "#146c2e", "#7d5700", "#6442a8")


def curves(rows):
    """Give by group the points `(how many, µs)` of the gateway, where there are two sizes or more."""
    found = {}
    for row in rows:
        if row.group in GROWING:
            size = int(row.name.partition(" ")[0].replace(",", ""))
            found.setdefault(row.group, []).append((size, row.median(GATEWAY)))
    return {group: sorted(points) for group, points in found.items() if len(points) > 1}


def svg(rows):
    """Draw the curves, both scales logarithmic; an empty text where there are none."""
    found = curves(rows)
    if not found:
        return ""
    sizes = [size for points in found.values() for size, _ in points]
    costs = [cost for points in found.values() for _, cost in points]
    across, up = _scale(sizes, _LEFT, _WIDTH - _RIGHT), _scale(costs, _HEIGHT - _BOTTOM, _TOP)
    parts = [*_axes(across, up), *_lines(found, across, up)]
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" font-family="sans-serif">'
    return "\n".join([head, f'<rect width="{_WIDTH}" height="{_HEIGHT}" fill="#fff"/>', *parts, "</svg>"]) + "\n"


def _scale(values, first, last):
    """Give the decades that hold all values, and the function from a value to its place between two pixels."""
    low, high = int(log10(min(values)) // 1), -int(-log10(max(values)) // 1)
    high = max(high, low + 1)
    return range(low, high + 1), lambda value: first + (log10(value) - low) / (high - low) * (last - first)


def _axes(across, up):
    bottom, right = _HEIGHT - _BOTTOM, _WIDTH - _RIGHT
    for decade in across[0]:
        x = across[1](10**decade)
        yield f'<line x1="{x:.0f}" y1="{_TOP}" x2="{x:.0f}" y2="{bottom}" stroke="#ddd"/>'
        yield f'<text x="{x:.0f}" y="{bottom + 18}" font-size="12" text-anchor="middle">{10**decade:,}</text>'
    for decade in up[0]:
        y = up[1](10**decade)
        yield f'<line x1="{_LEFT}" y1="{y:.0f}" x2="{right}" y2="{y:.0f}" stroke="#ddd"/>'
        yield f'<text x="{_LEFT - 6}" y="{y + 4:.0f}" font-size="12" text-anchor="end">{10**decade:,}</text>'
    yield f'<text x="{(_LEFT + right) // 2}" y="{_HEIGHT - 10}" font-size="12" text-anchor="middle">how many</text>'
    yield f'<text x="{_LEFT - 60}" y="{_TOP - 12}" font-size="12">µs of CPU</text>'


def _lines(found, across, up):
    for number, (group, points) in enumerate(found.items()):
        colour = _COLOURS[number % len(_COLOURS)]
        places = [(across[1](size), up[1](cost)) for size, cost in points]
        drawn = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
        yield f'<polyline points="{drawn}" fill="none" stroke="{colour}" stroke-width="2"/>'
        yield from (f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{colour}"/>' for x, y in places)
        x, y = _WIDTH - _RIGHT + 16, _TOP + 20 + 22 * number
        yield f'<line x1="{x}" y1="{y - 4}" x2="{x + 22}" y2="{y - 4}" stroke="{colour}" stroke-width="2"/>'
        yield f'<text x="{x + 28}" y="{y}" font-size="12">{escape(group)}</text>'
