"""A contract is built from its document, or everything that is wrong with the document is told where it stands."""

from __future__ import annotations

import pytest

from gateway.documents.yaml import parse
from gateway.model.build import ModelBroken, build

BASE = """\
types:
  BookingStatus: {meaning: Where it stands, enum: [confirmed, cancelled]}
  Wish: {meaning: What somebody asks, fields: {days: {type: integer, meaning: How long}}}
resources:
  Booking:
    meaning: A reservation
    fields:
      id: {type: id, required: true, meaning: Its id}
common: {}
operations:
  bookings.get:
    {summary: Read, effect: safe, scope: read, method: GET, path: "/b/{id}", gives: {one: Booking}, not_found: GONE,
     args: {id: {type: id, where: path, required: true, meaning: Which}}}
lifecycle: {confirmed: [cancelled], cancelled: []}
events: {booking.created: {data: Booking, meaning: It was made}}
requests: {slots.asked: {data: Wish, gives: [slots], meaning: Somebody asks}}
changes:
  {of: Booking, status: id, span: [id, id], first: booking.created, becomes: {cancelled: booking.created},
   tracked: [id], moved: {fields: [id], event: booking.created}, otherwise: booking.created, vanished: cancelled,
   also: {it: [copy, id]}, removed: booking.created, replaces: id, channel: id,
   operations: {bookings.get: booking.created}}
errors: {GONE: {status: 404, title: Gone, meaning: It is not there}}
"""


def _built(text: str) -> list[tuple[str, str]]:
    """Build a contract; of each finding the text at its place, to the end of the line, and the message."""
    document, findings = parse(text.encode(), "contract")
    assert document is not None, findings
    lines = text.split("\n")
    try:
        build(document)
    except ModelBroken as broken:
        found = broken.findings
    else:
        return []
    assert {"wrong-contract"} == {one.code for one in found}
    return [(lines[one.line - 1][one.column - 1 :], one.message) for one in found]


def test_the_smallest_contract_is_built():
    """The cases below differ from a sound contract by what they change."""
    assert [] == _built(BASE)


WHICH = "required: true, meaning: Which"


@pytest.mark.parametrize(
    ("old", "new", "place", "message"),
    [
        ("type: id, required", "type: ids, required", "ids, ", "there is no type `ids`; did you mean `id`?"),
        ("type: id, required: true", "type: Booking", "Booking, ", "`Booking` holds itself"),
        ("type: id, required", "type: {list: id, of: id}, required", "id}", "`of` is not known here"),
        ("type: id, required", "type: {texts: {}}, required", "{}}", "`texts` builds no type"),
        ("type: id, required", "type: [id], required", "[id]", "a type is a name, or an object with one of"),
        ("type: id, required", "type: {part_of: Ship}, required", "Ship", "there is no type `Ship`"),
        ("meaning: Its id", "meanings: Its id", "Its id", "`meanings` is not known here; did you mean `meaning`?"),
        ("effect: safe", "effect: harmless", "harmless", "`harmless` is not known here"),
        ("/b/{id}", "/b", '"/b"', "the path and its arguments do not name the same"),
        ("not_found: GONE", "not_found: GOEN", "GOEN", "`GOEN` is not known here; did you mean `GONE`?"),
        ("not_found: GONE", "window: [id, to], not_found: GONE", "[id, to]", "`to` is not known here"),
        ("not_found: GONE", "order: [ip], not_found: GONE", "[ip]", "`ip` is not known here"),
        ("not_found: GONE", "refused: {id: no}, not_found: GONE", "no}", "`id` is an argument"),
        ("not_found: GONE", "rules: {not_both: [[id, at]]}, not_found: GONE", "[[id", "`at` is not known here"),
        ("{one: Booking}", "{one: Bookin}", "{one: B", "`Bookin` is not known here; did you mean `Booking`?"),
        ("cancelled: []", "canceled: []", "[]", "`canceled` is not known here; did you mean `cancelled`?"),
        ("data: Booking,", "", "{ meaning", "`data` is missing"),
        ("data: Booking,", "data: Booking, by: [bookings.put],", "[bookings.put]", "`bookings.put` is not known here"),
        ("data: Booking,", "data: Booking, tracked: [ip],", "[ip]", "`ip` is not known here"),
        ("data: Booking,", "data: Booking, twice: true,", "true", "`twice` is not known here"),
        ("data: Wish", "data: Wihs", "Wihs", "`Wihs` is not known here; did you mean `Wish`?"),
        ("data: Wish", "data: BookingStatus", "BookingStatus", "`BookingStatus` is not known here"),
        ("gives: [slots], ", "", "{data: Wish", "`gives` is missing"),
        ("where: path,", "where: header,", "header", "`header` is not known here"),
        (WHICH, "default: [], meaning: Which", "[], meaning", "must be an id"),
        (WHICH, "filter: {equals: [ids]}, meaning: Which", "[ids]", "the rows have no field `ids`"),
        (WHICH, "unkept_by: [booking_system], meaning: Which", "[booking_system]", "only what is `descriptive` may be"),
        (WHICH, "descriptive: true, unkept_by: [club], meaning: Which", "[club]", "`club` is not known here"),
        (WHICH, "filter: {near: [id]}, meaning: Which", "[id]", "`near` is not known here"),
        ("span: [id, id]", "span: [id, at]", "{of: B", "`at` is no field of Booking"),
        ("vanished: cancelled", "vanished: gone", "gone", "`gone` is not known here"),
        ("otherwise: booking", "otherwise: bookin", "bookin", "`bookin.created` is not known here; did you mean `boo"),
        ("{bookings.get: b", "{bookings.gte: b", "b", "`bookings.gte` is not known here; did you mean `bookings.get`"),
        ("also: {it: [copy, id]}", "also: {it: [twice, id]}", "[twice", "`twice` is none of copy, utc and minutes"),
        ("errors: {", "error: {}\nerrors: {", "{}", "`error` is not known here; did you mean `errors`?"),
        ("status: 404", "status: 404, form_of: LOST", "LOST", "`LOST` is not known here"),
    ],
)
def test_a_broken_contract_says_where(old, new, place, message):
    """A fault of the file is found where it stands, with a suggestion where there is one."""
    assert old in BASE
    found = _built(BASE.replace(old, new, 1))
    assert [] != [one for one in found if one[0].startswith(place) and one[1].startswith(message)], found


def test_every_broken_part_is_found():
    """One fault does not hide another."""
    sound = BASE.replace("operations: {bookings.get: booking.created}", "operations: {}")
    broken = sound.replace("effect: safe", "effect: harmless").replace("title: Gone", "titel: Gone")
    assert ["`harmless` is", "`titel` is"] == [" ".join(message.split()[:2]) for _, message in _built(broken)]
