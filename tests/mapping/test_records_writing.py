"""Field tables written: what the provider is sent for a canonical object, and that it is read back as the same."""

import pytest

from gateway.errors import MappingFault
from gateway.observe import Secret

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
    ],
)  # fmt: skip
def test_writing(customer, line, canonical, written):
    """A field is written back where its path is simple and its codec can write; absent ones are left out, like null."""
    assert {"name": "Ada"} | written == customer(line).write({"name": "Ada", **canonical}, SCOPE)


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
    record = customer(line, more='    nothing: ""\n')
    assert {"name": "Ada"} | written == record.write({"name": "Ada", **canonical}, SCOPE)


@pytest.mark.parametrize(
    ("lines", "canonical"),
    [
        (["active: {at: on, as: {enum: [['1', true]]}}"], {"active": CANARY}),
        (["created_at: {at: t, as: {datetime: '%Y-%m-%d'}}"], {"created_at": "2026-03-19T07:30:00+00:00"}),
        (["created_at: {at: t, as: {datetime: '%Y-%m-%d', zone: '{{ row.zone }}'}}"], {"created_at": CANARY}),
        (["email: contact", "phone: contact.phone"], {"email": CANARY, "phone": CANARY}),
    ],
)
def test_what_cannot_be_written(customer, lines, canonical):
    """What the table cannot write is the mapping's fault, and the value is not told."""
    with pytest.raises(MappingFault) as caught:
        customer(*lines).write({"name": "Ada", **canonical}, SCOPE)
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
    assert canonical == record.read(record.write(canonical, SCOPE), SCOPE)
