"""Field tables written: what the provider is sent for a canonical object, and that it is read back as the same."""

import pytest

from gateway.mapping.compile import compile_provider
from gateway.mapping.runtime.records import read_record
from gateway.mapping.runtime.writing import write_record
from gateway.model.model import load
from gateway.values.errors import MappingFault
from gateway.values.secrets import Secret

CANARY = "c4nary-v4lue"
SCOPE = {
    "settings": {"time_zone": "Europe/Berlin", "currency": "EUR", "key": Secret("s3cret")},
    "args": {},
    "now": "2026-03-01T09:00:00+01:00",
}


@pytest.mark.parametrize(
    ("line", "canonical", "written"),
    [
        ("email: mail", {"email": "x"}, {"mail": "x"}),
        ("email: contact.mail", {"email": "x"}, {"contact": {"mail": "x"}}),
        ("email: mail", {}, {}),
        ("email: mail", {"email": None}, {}),
        ("email: {at: mail, mode: read}", {"email": "x"}, {}),
        ("email: 'a || b'", {"email": "x"}, {}),
        ("email: {at: mail, default: none}", {"email": "x"}, {}),
        ("email: {at: mail, when: shown}", {"email": "x"}, {}),
        ("email: {at: mail, when: shown, mode: both}", {"email": "x"}, {"mail": "x"}),
        ("email: {value: y}", {"email": "x"}, {}),
        ("email: {at: html, as: plain_text}", {"email": "x"}, {}),
        ("address.city: town", {"address": {"city": "Ulm"}}, {"town": "Ulm"}),
        ("address.city: town", {"address": None}, {}),
        ("active: {at: on, as: {enum: [['1', true], ['0', false]]}}", {"active": False}, {"on": "0"}),
        ("active: {at: on, as: {enum: [['1', true], [1, true]]}}", {"active": True}, {}),
        ("created_at: {at: [a, b.c], as: {datetime: ['%d.%m.%Y', '%H:%M']}}",
         {"created_at": "2026-03-19T07:30:00+00:00"}, {"a": "19.03.2026", "b": {"c": "08:30"}}),
        ("external_ref: {at: [a, b], as: {join: {by: '~', parts: [p, q]}}}",
         {"external_ref": "1~2"}, {"a": "1", "b": "2"}),
        ("created_at: {at: t, as: {datetime: '%Y-%m-%d', zone: '{{ row.zone }}'}}",
         {"created_at": "2026-03-19T00:00:00+01:00"}, {}),
        ("email: mail\n      company: mail", {"email": "x", "company": "y"}, {}),
        ("email: contact\n      phone: contact.phone", {"email": "x", "phone": "y"}, {}),
        ("email: mail\n      company: {at: mail, mode: both}", {"email": "x", "company": "y"}, {"mail": "y"}),
        ("email: mail\n      company: {at: mail, mode: read}", {"email": "x", "company": "y"}, {"mail": "x"}),
        ("phone: {at: phone, as: phone}", {"phone": "+49 (0)30 1234-567"}, {"phone": "+49301234567"}),
    ],
)  # fmt: skip
def test_writing(customer, line, canonical, written):
    """A field is written where its path is simple and its own, and its codec can write; absent ones are left out."""
    assert {"name": "Ada"} | written == write_record(customer(line), {"name": "Ada", **canonical}, SCOPE)


@pytest.mark.parametrize(
    ("line", "canonical", "written"),
    [
        ("email: mail", {"email": None}, {"mail": ""}),
        ("email: contact.mail", {"email": None}, {"contact": {"mail": ""}}),
        ("email: mail", {}, {}),
        ("created_at: {at: [a, b], as: {datetime: ['%d.%m.%Y', '%H:%M']}}", {"created_at": None}, {"a": "", "b": ""}),
        ("active: {at: on, as: {enum: [['1', true], ['0', false]]}}", {"active": None}, {"on": ""}),
        ("email: {at: mail, mode: read}", {"email": None}, {}),
    ],
)
def test_nothing(customer, line, canonical, written):
    """Null is written as what the provider wants for nothing, where the record says so; what is absent still is."""
    record = customer(line, more='    null_as: ""\n')
    assert {"name": "Ada"} | written == write_record(record, {"name": "Ada", **canonical}, SCOPE)


@pytest.mark.parametrize(
    ("lines", "canonical"),
    [
        (["active: {at: on, as: {enum: [['1', true]]}}"], {"active": CANARY}),
        (["created_at: {at: t, as: {datetime: '%Y-%m-%d'}}"], {"created_at": "2026-03-19T07:30:00+00:00"}),
    ],
)
def test_what_cannot_be_written(customer, lines, canonical):
    """What the table cannot write is the mapping's fault, and the value is not told."""
    with pytest.raises(MappingFault) as caught:
        write_record(customer(*lines), {"name": "Ada", **canonical}, SCOPE)
    assert CANARY not in repr(caught.value)


def test_both_ways(customer):
    """What is written is read back as the same."""
    record = customer(
        "email: contact.mail",
        "address.city: contact.town",
        "active: {at: on, as: {enum: [['1', true], ['0', false]]}}",
        "salutation: {at: title, as: {enum: {Mr: mr, Ms: ms}}}",
        "created_at: {at: [a, b], as: {datetime: ['%d.%m.%Y', '%H:%M']}}",
    )
    canonical = {
        "name": "Ada",
        "email": "a@b.example",
        "salutation": "ms",
        "address": {"city": "Ulm"},
        "active": False,
        "created_at": "2026-10-25T02:30:00+02:00",
    }
    assert canonical == read_record(record, write_record(record, canonical, SCOPE), SCOPE)


BOOKED = """
records:
  person: {of: BookingCustomer, fields: {name: contact.name, PERSON}}
  fee: {of: Price, fields: {amount: AMOUNT, currency: {value: EUR}, type: {value: flat}}}
  item: {of: BookingItem, fields: {id: id, start: {value: null}, end: {value: null}, price: {record: fee, at: fee}}}
  event: {of: Booking, fields: {id: id, status: {value: confirmed}, title: contact.title, all_day: {value: false},
    start: {value: null}, end: {value: null}, time_zone: {value: UTC}, quantity: {value: 1},
    items: {record: item, rows: "[@]"}, customer: {record: person, at: "@"}}}
"""


@pytest.mark.parametrize(
    ("person", "written"),
    [
        ("email: contact.mail", {"contact": {"title": "a", "name": "Ada", "mail": "x"}}),
        ("email: contact.title", {}),
    ],
)
def test_embedded(compiled, person, written):
    """What an embedded record writes stands beside what is there already, and nothing of it where both want a place."""
    record = compiled(BOOKED.replace("PERSON", person).replace("AMOUNT", "amount")).records["event"]
    told = {"id": "1", "title": "a", "customer": {"name": "Ada", "email": "x"}}
    assert {"id": "1"} | written == write_record(record, told, SCOPE)


@pytest.mark.parametrize(
    ("amount", "written"),
    [("amount", {"fee": {"amount": 5}}), ("'a || b'", {}), ("{value: 5}", {})],
)
def test_embedded_in_part(compiled, amount, written):
    """An embedded object is not written where it would lack what reading it again needs, or would hold nothing."""
    record = compiled(BOOKED.replace("PERSON", "email: mail").replace("AMOUNT", amount)).records["item"]
    assert {"id": "1"} | written == write_record(record, {"id": "1", "price": {"amount": 5, "currency": "EUR"}}, SCOPE)


@pytest.mark.parametrize(
    ("line", "law"),
    [
        ("email: mail", "iso"),
        ("id: id", "lossy"),
        ("metadata: data", "iso"),
        ("phone: {at: phone, as: phone}", "lossy"),
        ("email: {at: mail, default: none}", "lossy"),
        ("created_at: {at: made, as: {unix: seconds}}", "iso"),
    ],
)
def test_laws(customer, line, law):
    """A field is exact when its codec is, or its type without one: an id is not, since a number is read as text."""
    assert law == customer(line).fields[-1].law


def test_one_place(merged):
    """Two fields that the mapping itself wants written to one place are a finding at each."""
    fields = {"name": "name", "email": {"at": "mail", "mode": "both"}, "company": {"at": "mail.to", "mode": "write"}}
    records = {"customer": {"of": "Customer", "fields": fields}}
    _, findings = compile_provider(merged({"records": records}, "example.yaml", {(): (1, 1)}, {}), load())
    told = [one.message for one in findings if one.code == "not-invertible"]
    assert [
        "`mode: both` needs a place of its own, and company is written there too",
        "`mode: write` needs a place of its own, and email is written there too",
    ] == told
