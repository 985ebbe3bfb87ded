"""The round trips of records on rows that examples pass: what comes back otherwise is told, with its line."""

import pytest

from gateway.examples.round_trips import Readings, round_trips
from gateway.mapping.compile import compile_provider
from gateway.mapping.expressions.probes import probed
from gateway.mapping.runtime.records import read_record
from gateway.mapping.runtime.writing import write_record
from gateway.model.model import load

SCOPE = {"settings": {"time_zone": "Europe/Berlin", "currency": "EUR"}, "args": {}, "now": "2026-03-01T09:00:00+01:00"}


@pytest.fixture
def tried(merged):
    """Give a function that reads rows with a record of these fields and holds them against the laws."""

    def of(fields, *rows, **more):
        records = {"customer": {"of": "Customer", "fields": {"name": "name", **fields}}, **more}
        readings = Readings()
        document = merged({"records": records}, "example.yaml", {(): (1, 1), ("records", "customer"): (7, 1)}, {})
        plan, findings = compile_provider(document, load())
        assert [] == [str(one) for one in findings if one.level == "error"]
        with probed(readings):
            for row in rows:
                read_record(plan.records["customer"], {"name": "Ada"} | row, SCOPE)
        return round_trips(readings.found, plan.records)

    return of


@pytest.mark.parametrize(
    ("line", "row", "fields"),
    [
        ("mail", {"mail": "a"}, 2),
        ("mail", {"mail": ""}, 2),  # null, which is not written
        ("mail", {}, 1),
        ("contact.mail", {"contact": {"mail": "a", "other": "b"}}, 2),
        ("a || b", {"a": "x"}, 1),
        ({"at": "mail", "default": "none", "mode": "both"}, {"mail": None}, 2),
    ],
)
def test_what_comes_back(tried, line, row, fields):
    """A field that is read and written is tried where a row has it, and nothing is told when it is as it was."""
    assert (fields, ()) == tried({"email": line}, row)


@pytest.mark.parametrize(
    ("name", "line", "row"),
    [
        ("id", "id", {"id": 7}),
        ("phone", {"at": "phone", "as": "phone"}, {"phone": "+49 (0)30 1234-567"}),
        ("created_at", {"at": "made", "as": "rfc3339"}, {"made": "2026-03-19T07:30:00.5Z"}),
        ("active", {"at": "on", "as": {"enum": [["1", True], ["0", False]], "else": False}}, {"on": "2"}),
    ],
)
def test_what_settles(tried, name, line, row):
    """What is lossy may be written otherwise than the provider had it, and is the same from then on."""
    assert (2, ()) == tried({name: line}, row)


def test_what_was_written(merged):
    """What a record writes is a row like any other, unless it is too little to be read."""
    customer = {"of": "Customer", "fields": {"name": "name", "email": {"at": "mail", "as": {"enum": {"A": "a@b.c"}}}}}
    readings = Readings()
    document = merged({"records": {"customer": customer}}, "example.yaml", {(): (1, 1)}, {})
    plan, _ = compile_provider(document, load())
    with probed(readings):
        write_record(plan.records["customer"], {"name": "Ada", "email": "a@b.c"}, SCOPE)
        write_record(plan.records["customer"], {"email": "a@b.c"}, SCOPE)
    assert [{"name": "Ada", "mail": "A"}] == [one.row for one in readings.found]
    assert (2, ()) == round_trips(readings.found, plan.records)


def test_embedded(tried):
    """An embedded record is held against the laws with its own rows, and as part of what embeds it."""
    address = {"of": "Address", "fields": {"city": "town", "street": "street"}}
    row = {"place": {"town": "Ulm", "street": "A 1"}}
    assert (4, ()) == tried({"address": {"record": "address", "at": "place"}}, row, address=address)


def test_what_does_not_come_back(tried):
    """A field that reads otherwise once it is written is told with its line, its record and all that differs."""
    line = {"at": "to.mail", "mode": "both", "default": "x", "when": "!to || length(to) == `2`"}  # writing changes it
    fields, [broken] = tried({"email": line}, {})
    assert (2, "example.yaml:7", "customer.email") == (fields, broken.origin, broken.field)
    assert ('email is missing, expected "x"', 'to is missing, expected {"mail": "x"}') == broken.told


def test_what_cannot_be_written(tried):
    """A value that is read and cannot be written is told, without the value; each field is told once."""
    line = {"at": "on", "as": {"enum": [["1", True], ["0", False]]}, "default": None, "mode": "both"}
    assert (2, ()) == tried({"active": line}, {"on": "1"})
    line = {"at": "kind", "as": {"enum": {"A": "mr"}, "else": "ms"}, "mode": "both"}
    assert (1, ()) == tried({"salutation": line}, {"kind": "B"})  # no word for it, as the mapping's author knows
    line = {"at": "kind", "as": {"enum": {"A": "x"}, "else": "y"}, "mode": "both"}
    fields, broken = tried({"language": line}, {"kind": "B"}, {"kind": "C"})
    assert (2, ["customer.language"]) == (fields, [one.field for one in broken])
    assert ("example.yaml:7: cannot be written: not a value the provider has a word for",) == broken[0].told
