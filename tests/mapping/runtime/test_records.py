"""Field tables read: what becomes of a provider's row, and what is never told of it."""

import pytest

from gateway.mapping.runtime.records import read_record
from gateway.mapping.runtime.results import read_all
from gateway.values.errors import AnswerMismatch
from gateway.values.secrets import Secret

CANARY = "c4nary-v4lue"
SCOPE = {
    "settings": {"time_zone": "Europe/Berlin", "currency": "EUR", "key": Secret("s3cret")},
    "args": {},
    "now": "2026-03-01T09:00:00+01:00",
}


def read(record, **row):
    """Read a row whose name is known."""
    found = read_record(record, {"name": "Ada", **row}, SCOPE)
    assert "Ada" == found.pop("name")
    return found


@pytest.mark.parametrize(
    ("line", "row", "found"),
    [
        ("email: mail", {}, {}),
        ("email: mail", {"mail": None}, {"email": None}),
        ("email: mail", {"mail": ""}, {"email": None}),
        ("email: mail", {"mail": "a@b.example"}, {"email": "a@b.example"}),
        ("email: contact.mail", {"contact": {}}, {}),
        ("email: contact.mail", {"contact": None}, {}),
        ("email: contact.mail", {"contact": []}, {}),
        ("email: contact.mail", {"contact": {"mail": None}}, {"email": None}),
        ("email: 'a || b'", {"b": "x"}, {"email": "x"}),
        ("email: 'a || b'", {}, {"email": None}),  # beyond plain keys a path cannot tell missing from null
        ("id: number", {"number": 49}, {"id": "49"}),
        ("id: number", {"number": "049"}, {"id": "049"}),
        ("active: on", {"on": False}, {"active": False}),
        ("active: {at: on, as: {enum: [['1', true], ['0', false]]}}", {"on": "0"}, {"active": False}),
        ("active: {at: on, as: {enum: [['1', true], ['0', false]]}}", {"on": ""}, {"active": None}),
        ("active: {at: on, as: {enum: [['1', true], ['', false]]}}", {"on": ""}, {"active": False}),
        ("active: {value: true}", {}, {"active": True}),
        ("language: {at: lang, default: de}", {}, {"language": "de"}),
        ("language: {at: lang, default: de}", {"lang": None}, {"language": "de"}),
        ("language: {at: lang, default: de}", {"lang": ""}, {"language": "de"}),
        ("language: {at: lang, default: de}", {"lang": "en"}, {"language": "en"}),
        ("email: {at: mail, when: shown}", {"mail": "x", "shown": True}, {"email": "x"}),
        ("email: {at: mail, when: shown}", {"mail": "x", "shown": False}, {}),
        ("email: {at: mail, when: shown}", {"mail": "x", "shown": 1}, {"email": "x"}),
        ("email: {at: mail, when: mail}", {"mail": "x"}, {"email": "x"}),
        ("email: {at: mail, when: shown}", {"mail": "x", "shown": []}, {}),
        ("email: {at: mail, when: shown}", {"mail": "x", "shown": None}, {}),
        ("email: {at: mail, when: shown}", {"mail": "x"}, {}),
        ("email: {at: mail, mode: write}", {"mail": "x"}, {}),
        ("email: {compute: '{{ lower(row.mail) }}'}", {"mail": "X"}, {"email": "x"}),
        ("email: {compute: {$optional: '{{ row.mail }}'}}", {}, {}),
        ("email: {compute: '{{ fields.name }}@{{ settings.currency }}'}", {}, {"email": "Ada@EUR"}),
        ("created_at: {at: [day, time], as: {datetime: ['%d.%m.%Y', '%H:%M']}}",
         {"day": "19.03.2026", "time": "08:30"}, {"created_at": "2026-03-19T08:30:00+01:00"}),
        ("created_at: {at: [day, time], as: {datetime: ['%d.%m.%Y', '%H:%M']}}", {"day": "19.03.2026"}, {}),
        ("created_at: {at: [day, time], as: {datetime: ['%d.%m.%Y', '%H:%M']}}",
         {"day": "19.03.2026", "time": ""}, {"created_at": None}),
        ("email: mail\n      external_ref: {from: [name, email], as: {join: {by: '~', parts: [a, b]}}}", {}, {}),
    ],
)  # fmt: skip
def test_reading(customer, line, row, found):
    """A field is absent when the provider cannot tell it, null when it is known to be empty, never an empty text."""
    assert found == read(customer(line), **row)


@pytest.mark.parametrize(
    ("line", "row", "path"),
    [
        ("id: {at: number}", {"number": {"c": CANARY}}, "`number`"),
        ("id: number", {"number": True}, "`number`"),
        ("id: number", {"number": CANARY * 30}, "`number`"),
        ("email: contact.mail", {"contact": {"mail": [CANARY]}}, "`contact.mail`"),
        ("active: on", {"on": CANARY}, "`on`"),
        ("salutation: title", {"title": CANARY}, "`title`"),
        ("salutation: {at: title, as: {enum: {Mr: mr}}}", {"title": CANARY}, "`title`"),
        ("created_at: {at: created, as: rfc3339}", {"created": CANARY}, "`created`"),
        ("created_at: {at: [day, time], as: {datetime: ['%d.%m.%Y', '%H:%M']}}",
         {"day": CANARY, "time": CANARY}, "`day, time`"),
        ("created_at: {at: created, as: {datetime: '%Y-%m-%d %H:%M'}}", {"created": "2026-03-29 02:30"}, "`created`"),
        ("created_at: {at: t, as: {datetime: '%Y-%m-%d', zone: '{{ row.zone }}'}}", {"t": "2026-03-29"}, "`t`"),
        ("email: 'lower(mail)'", {"mail": [CANARY]}, "`lower(mail)`"),
        ("email: {at: mail, when: 'contains(flags, `1`)'}", {"flags": 5}, "`contains(flags, `1`)`"),
        ("email: {compute: '{{ lower(row.mail) }}'}", {"mail": [CANARY]}, "lower(row.mail)"),
        ("email: {compute: '{{ row.mail }}'}", {}, "`row.mail` is missing"),
        ("email: {compute: '{{ row.mail }}'}", {"mail": {CANARY: 1}}, "for email"),
        ("metadata: meta", {"meta": [CANARY]}, "`meta`"),
        ("metadata: meta", {"meta": {"a": [CANARY]}}, "`meta`"),
    ],
)  # fmt: skip
def test_what_does_not_fit(customer, line, row, path):
    """What a field cannot hold is a mismatch naming file, line and path, and never what was there."""
    with pytest.raises(AnswerMismatch, match=r"^example\.yaml:7: ") as caught:
        read(customer(line), **row)
    assert path in caught.value.detail
    assert CANARY not in repr(caught.value)
    assert ("PROVIDER_ERROR", "example.yaml:7") == (caught.value.code, caught.value.origin)


@pytest.mark.parametrize("row", [{}, {"name": None}, {"name": ""}, [], CANARY, 5, None])
def test_required(customer, row):
    """A required field that is missing or empty is a mismatch naming file, line and path, and never the row."""
    with pytest.raises(AnswerMismatch, match=r"^example\.yaml:6: `name` is missing, and name is required$") as caught:
        read_record(customer(), row, SCOPE)
    assert CANARY not in repr(caught.value)


ADDRESS = ("address.street: street", "address.city: town")
GEO = """
records:
  location:
    of: Location
    fields:
      id: id
      name: id
      time_zone: {compute: "{{ settings.time_zone }}"}
      geo.latitude: lat
      geo.longitude: lng
"""


@pytest.mark.parametrize(
    ("row", "found"),
    [
        ({}, {}),
        ({"street": "Weg 1"}, {"address": {"street": "Weg 1"}}),
        ({"street": "", "town": "Ulm"}, {"address": {"street": None, "city": "Ulm"}}),
    ],
)
def test_members(customer, row, found):
    """An object written member by member holds what the provider tells of it."""
    assert found == read(customer(*ADDRESS), **row)


@pytest.mark.parametrize(
    ("row", "found"),
    [
        ({"lat": 51.5, "lng": 0}, {"geo": {"latitude": 51.5, "longitude": 0}}),
        ({"lat": 51.5}, {}),
        ({}, {}),
        ({"lat": 51.5, "lng": None}, {"geo": None}),
        ({"lat": None, "lng": None}, {"geo": None}),
    ],
)
def test_incomplete(compiled, row, found):
    """An object without a member it must have is left out, or null where that member is known to be empty."""
    out = read_record(compiled(GEO).records["location"], {"id": "1", **row}, SCOPE)
    assert {"id": "1", "name": "1", "time_zone": "Europe/Berlin"} | found == out


def test_incomplete_and_required(compiled):
    """An embedded object that the contract requires cannot be left out: that is a mismatch."""
    record = compiled("""
records:
  push:
    of: SlotPush
    fields: {accepted: ok, rejected: {record: no, rows: bad}}
  no: {of: RejectedSlot, fields: {id: id, reason: why}}
""").records["push"]
    assert {"accepted": 1, "rejected": []} == read_record(record, {"ok": 1, "bad": []}, SCOPE)
    with pytest.raises(AnswerMismatch, match="rejected is required"):
        read_record(record, {"ok": 1}, SCOPE)
    with pytest.raises(AnswerMismatch, match="`bad` is not a list"):
        read_record(record, {"ok": 1, "bad": CANARY}, SCOPE)


SERVICE = """
records:
  service:
    of: Service
    private: [pin]
    fields:
      active: {value: true}
      form_fields: {record: question, rows: questions}
      price: {record: price, at: cost}
      type: {value: event}
      name: name
      id: id
  price: {of: Price, fields: {amount: amount, currency: {value: EUR}, type: {value: flat}}}
  question: {of: FormField, fields: {name: id, label: text, type: {value: text}}}
operations:
  services.list: {unsupported: {resource_id: none}, call: {get: /s}, result: {rows: data, record: service}}
"""
PRICE = {"amount": 5, "currency": "EUR", "type": "flat"}


@pytest.fixture
def service(compiled):
    """Give the plan of a provider with services that have a price and questions."""
    return compiled(SERVICE)


@pytest.mark.parametrize(
    ("row", "found"),
    [
        ({"cost": {"amount": 5}}, {"price": PRICE}),
        ({"cost": None}, {"price": None}),
        ({"cost": []}, {"price": None}),  # PHP's empty object
        ({}, {}),
        ({"questions": []}, {"form_fields": []}),
        ({"questions": None}, {"form_fields": None}),
        ({"questions": [{"id": "a", "text": "b"}]}, {"form_fields": [{"name": "a", "label": "b", "type": "text"}]}),
    ],
)
def test_embedded(service, row, found):
    """Embedded objects and lists of them are read by their own records; missing, null and `[]` keep their meaning."""
    out = read_record(service.records["service"], {"id": "1", "name": "a", **row}, SCOPE)
    assert found == {name: out[name] for name in out if name in {"price", "form_fields"}}


@pytest.mark.parametrize("row", [{"cost": CANARY}, {"cost": [CANARY]}, {"questions": {"a": CANARY}}, {"questions": 5}])
def test_embedded_misfit(service, row):
    """What is no object or no list where one is read is a mismatch that does not tell what it is."""
    with pytest.raises(AnswerMismatch, match=r"`(cost|questions)` is not (an object|a list)") as caught:
        read_record(service.records["service"], {"id": "1", "name": "a", **row}, SCOPE)
    assert CANARY not in repr(caught.value)


def test_order(service):
    """A canonical object has its fields in the contract's order, whatever the file's."""
    row = {"id": "1", "name": "a", "cost": {"amount": 5}, "questions": []}
    assert ["id", "name", "type", "price", "active", "form_fields"] == list(
        read_record(service.records["service"], row, SCOPE)
    )


def test_provider_data(service):
    """The provider's own row is given without what its record calls private and what is secret by its name."""
    (rows,) = service.ways["services.list"][0].variants[0].rows
    row = {"id": "1", "name": "a", "pin": CANARY, "Token": CANARY, "deep": [{"hash": CANARY, "pin": 1, "x": 2}]}
    (shown,) = read_all([rows], {"data": [row]}, SCOPE, None, show=True, partial=False).raw
    assert {"id": "1", "name": "a", "deep": [{"x": 2}]} == shown


def test_named_rows(compiled):
    """A list of embedded objects may walk named levels; the row itself is then called `row`."""
    record = compiled("""
records:
  service:
    of: Service
    fields:
      id: id
      name: name
      type: {value: event}
      active: {value: true}
      form_fields:
        record: question
        rows: [{name: page, at: pages, when: "{{ page.shown }}"}, {name: line, at: lines}]
  question: {of: FormField, fields: {name: line, label: page.title, type: row.kind}}
""").records["service"]
    pages = [
        {"title": "A", "shown": True, "lines": ["x", "y"]},
        {"title": "B", "shown": False, "lines": 5},
        {"title": "C", "shown": True, "lines": ["z"]},
    ]
    found = read_record(record, {"id": "1", "name": "a", "kind": "text", "pages": pages}, SCOPE)["form_fields"]
    assert [("x", "A"), ("y", "A"), ("z", "C")] == [(one["name"], one["label"]) for one in found]
