"""Values that are a little wrong: what providers might send, drawn with a seed, and how two outcomes are compared."""

import copy
import json

from gateway.values.errors import GatewayError
from gateway.values.truth import MISSING

GONE = object()
ODD = (
    None, "", 0, 1, -1, 2, 1.5, -0.0, 1e300, float("inf"), True, False, [], {}, [None], [[]], {"": None}, "0", "1",
    "60", "49", "49.5", "12.50", " ", "x" * 300, "\ud800", "a\x00b", "a~b%7E", 10**20, -(10**45), "null", "true",
    "de", "EUR", "Europe/Berlin", "2026-03-29 02:30", "2026-10-25 02:30", "2026-03-29T02:30:00",
    "2026-10-25T02:30:00+01:00", "2026-07-19T06:30:00Z", "2026-07-19T06:30:00.123+05:30", "2026-02-30 10:00",
    "0001-01-01 00:00", "9999-12-31 23:59", "2026-07-19", "24:00", "08:30", "29.03.2026", "02:30", "1504792800",
    1504792800, 253402300800, "https://a.b/c", "javascript:x", "+49 (0)30 1234-567", "<b>a</b>", "a@b.c", [1, "a"],
    ["a", "a"], {"id": 1}, [{"id": "1"}], [{}], ["2026-07-19", "08:30"],
)  # fmt: skip


def deep(levels):
    """Give a list in a list, so many times."""
    held = []
    for _ in range(levels):
        held = [held]
    return held


def changed(value, rng):
    """Change one place of a value, at any depth: another value there, its other writing, or nothing."""
    if isinstance(value, dict | list) and value and rng.random() < 0.85:
        made = copy.copy(value)
        key = rng.choice(list(made)) if isinstance(made, dict) else rng.randrange(len(made))
        inner = changed(made[key], rng)
        if inner is GONE:
            del made[key]
        else:
            made[key] = inner
        return made
    draw = rng.random()
    if draw < 0.15:
        return GONE
    if draw < 0.3:
        return other_kind(value)
    return deep(rng.choice((3, 90, 150))) if draw > 0.98 else copy.deepcopy(rng.choice(ODD))


def replaced(value, rng):
    """Change one place of a value, which is null where it is gone as a whole."""
    found = changed(value, rng)
    return None if found is GONE else found


def other_kind(value):
    """Write a value as another kind of the same: a number as text, a text as number, one as a list of it."""
    if isinstance(value, bool) or value is None:
        return str(value)
    if isinstance(value, int | float):
        return str(value)
    if isinstance(value, str):
        return int(value) if value.isascii() and value.isdigit() and len(value) < 40 else [value]
    return {"a": value} if isinstance(value, list) else list(value) if isinstance(value, dict) else None


def outcome(run):
    """Give what comes of a run: the value with the order of its keys, or the error with its text, code and place."""
    try:
        return "value", shown(run())
    except GatewayError as error:
        provider = json.dumps([error.details, error.provider], default=repr)
        return type(error).__name__, error.detail, error.code, error.origin, provider


def shown(value):
    """Write a value so that its kinds and the order of keys are seen."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{shown(key)}: {shown(one)}" for key, one in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(shown, value)) + "]"
    assert value is not MISSING
    return f"{type(value).__name__} {value!r}"
