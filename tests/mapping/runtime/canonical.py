"""Canonical values made up from the contract: a strategy for each type, and for what a record writes."""

from datetime import UTC, datetime

from hypothesis import strategies as st

from gateway.model.types import times

# Berlin and New York change by an hour, Lord Howe by half of one, Kolkata never; the instants are their changes.
CHANGES = {
    "Europe/Berlin": ["2026-03-29T01:00", "2026-10-25T01:00"],
    "America/New_York": ["2026-03-08T07:00", "2026-11-01T06:00"],
    "Australia/Lord_Howe": ["2026-04-04T15:00", "2026-10-03T15:30"],
    "Asia/Kolkata": [],
}
LETTERS = st.characters(codec="utf-8", categories=["L", "M", "N", "P", "S", "Zs"], max_codepoint=0x2FFFF)
VISIBLE = LETTERS.filter(str.isprintable)
# What looks like something else to a codec, a form or a careless reader.
AWKWARD = ["+49 (0)30 1234-567", "0", "12.50", "null", "true", "[]", "~a~b%7E", "a, b", "<b>&amp;</b>", "ÄÖ ü\u0301"]
TEXT = st.sampled_from(AWKWARD) | st.text(VISIBLE, min_size=1, max_size=12)
SCALARS = {
    "id": TEXT,
    "email": TEXT,
    "boolean": st.booleans(),
    "date": st.dates().map(str),
    "clock": st.times().map("{:%H:%M}".format),
    "time_zone": st.sampled_from(["UTC", *CHANGES]),
    "currency": st.sampled_from(["EUR", "JPY", "KWD"]),
    "url": st.text("abcXYZ09-_~%?=&", max_size=8).map("https://club.example/{}".format),
    "any": st.none() | st.booleans() | st.integers() | TEXT,
}


def instants(zone):
    """Give whole minutes from 1970 to 2096, many of them within two hours of a change of the clocks, in the zone."""
    around = [
        st.integers(second - 7200, second + 7200)
        for change in CHANGES[zone]
        for second in [int(datetime.fromisoformat(change).replace(tzinfo=UTC).timestamp())]
    ]
    return st.one_of(st.integers(0, 4_000_000_000), *around).map(lambda at: times.from_epoch(at - at % 60, zone))


def values(type_, zone):
    """Give values of a type of the contract that are not null. Numbers have as many digits as prices and places do."""
    match type_.kind:
        case "instant":
            return instants(zone)
        case "enum":
            return st.sampled_from(type_.allowed)
        case "text" if type_.pattern:
            return st.from_regex(type_.pattern, fullmatch=True)
        case "text":
            return st.lists(TEXT, min_size=1, max_size=3).map("\n".join) if type_.multiline else TEXT
        case "integer" | "number":
            lowest = -(10**9) if type_.minimum is None else type_.minimum
            highest = 10**9 if type_.maximum is None else type_.maximum
            whole = st.integers(lowest, highest)
            return whole if type_.kind == "integer" else st.floats(lowest, highest).map(lambda one: round(one, 7))
        case "list":
            return st.lists(values(type_.item, zone), min_size=type_.minimum or 0, max_size=type_.maximum or 3)
        case "map":
            return st.dictionaries(TEXT, values(type_.item, zone), max_size=3)
        case "object":
            required = {one.name: values(one.type, zone) for one in type_.fields.values() if one.required}
            others = {one.name: values(one.type, zone) for one in type_.fields.values() if not one.required}
            return st.fixed_dictionaries(required, optional=others)
        case kind:
            return SCALARS[kind]


def fields(record, records, zone, mode="both"):
    """Give canonical objects of what a record reads and writes (or only writes), some fields absent and some null.

    An embedded object is given with all that its own record writes, and the required members of one together.
    """
    lines = [plan for plan in record.fields if plan.mode == mode]
    heads = {name: [one for one in lines if one.name.split(".")[0] == name] for name in (_head(one) for one in lines)}
    return st.fixed_dictionaries({}, optional={name: _field(record, records, zone, heads[name]) for name in heads})


def _head(plan):
    return plan.name.split(".")[0]


def _field(record, records, zone, lines):
    """Give values of one field, which is written by one line, or by one for each member."""
    made = {plan.name: _given(record, plan, records, zone) for plan in lines}
    if len(lines) == 1 and "." not in lines[0].name:
        return made[lines[0].name]
    named = {plan.name.split(".", 1)[1]: made[plan.name] for plan in lines}
    must = {name for name in named if record.resource.field(f"{_head(lines[0])}.{name}").required}
    return st.fixed_dictionaries(
        {name: named[name] for name in named if name in must},
        optional={name: named[name] for name in named if name not in must},
    )


def _given(record, plan, records, zone):
    """Give values of what one line writes, null among them where that is one."""
    field = record.resource.field(plan.name)
    found = _values(field, plan, records, zone)
    return st.none() | found if field.nullable and not field.required else found


def _values(field, plan, records, zone):
    """Give values that are not null, an embedded object with none in it: its record has no word for null."""
    if plan.embeds:
        inner = records[plan.embeds]
        lines = [one for one in inner.fields if one.mode == plan.mode]
        named = {one.name: _values(inner.resource.field(one.name), one, records, zone) for one in lines}
        return st.fixed_dictionaries(named).map(nested)
    found = values(field.type, zone)
    return found.filter(lambda value: value not in plan.unwritable) if plan.unwritable else found


def nested(named):
    """Make of values by their dotted names the object that they are the fields of."""
    made = {}
    for name, value in named.items():
        inner = made
        *heads, last = name.split(".")
        for head in heads:
            inner = inner.setdefault(head, {})
        inner[last] = value
    return made
