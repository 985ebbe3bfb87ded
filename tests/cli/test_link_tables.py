"""What `gateway link` prints: columns, local times, and nothing that could steer a terminal."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.cli.link_tables import diff_lines, list_lines, status_lines, table
from gateway.model.model import load

STATUS, DIFF = (load().gateway.types[name] for name in ("LinkStatus", "LinkDiff"))
ZONE = "Europe/Paris"
ENTRY = {
    "id": "lb_1",
    "facility_id": "49",
    "start": "2026-03-19T07:30:00+00:00",
    "end": "2026-03-19T08:30:00+00:00",
    "slot_id": "49-202603190830",
    "player": "Jane Doe",
    "booking_id": "312",
    "state": "confirmed",
    "created_at": "2026-03-18T22:59:30+00:00",
    "updated_at": "2026-03-18T22:59:31+00:00",
    "reason": None,
}
STATUS_NOW = {
    "name": "club-a-market",
    "peer": "market",
    "club": "club-a",
    "center_id": "WYZ",
    "facilities": [
        {"facility_id": "49", "name": "Court 1", "resource_id": "r49", "problem": None},
        {"facility_id": "50", "name": "Court 2", "resource_id": "r50", "problem": "the club has no such resource"},
    ],
    "last_pull_at": "2026-03-18T23:00:00+00:00",
    "last_pull_error": None,
    "last_read_at": None,
    "last_read_error": "PROVIDER_UNAVAILABLE: it does not answer",
    "last_push_at": None,
    "last_push_error": None,
    "next_push_at": "2026-03-18T23:00:30+00:00",
    "outbox": {"waiting": 3, "parked": 1},
    "ledger": {"counts": {"confirmed": 1, "cancelled": 2}, "entries": [ENTRY]},
    "attention": ["Court 50: the club has no such resource."],
}
DIFFERENCE = {
    "facility_id": "49",
    "start": "2026-10-25T00:30:00+00:00",
    "end": "2026-10-25T01:30:00+00:00",
    "told": "free",
    "club": "busy",
    "waiting": True,
    "parked": None,
}
DIFF_NOW = {
    "name": "club-a-market",
    "checked_at": "2026-03-18T23:00:00+00:00",
    "differences": [DIFFERENCE],
    "in_step": False,
}


def test_the_cases_are_what_the_document_says():
    """What is shown here fits the types that the OpenAPI document has."""
    assert STATUS_NOW == STATUS.accept(STATUS_NOW)
    assert DIFF_NOW == DIFF.accept(DIFF_NOW)


def test_status():
    """A status shows everything there is to know, in the zone of the link."""
    assert """\
club-a-market: club-a on market as WYZ; times in Europe/Paris

facility  resource  name     problem
49        r49       Court 1
50        r50       Court 2  the club has no such resource

last                      when                    why it failed
asked by the marketplace  2026-03-19 00:00+01:00
read from the club        never                   PROVIDER_UNAVAILABLE: it does not answer
told                      never
(next) told               2026-03-19 00:00+01:00

to tell: 3 waiting, 1 refused by the marketplace
bookings: 2 cancelled, 1 confirmed

facility  start                   end                     player    state      booking  asked for               reason
49        2026-03-19 08:30+01:00  2026-03-19 09:30+01:00  Jane Doe  confirmed  312      2026-03-18 23:59+01:00

look at this:
  - Court 50: the club has no such resource.""" == "\n".join(status_lines(STATUS_NOW, ZONE))


def test_a_status_of_nothing():
    """A link that has done nothing yet says so."""
    bare = {name: value for name, value in STATUS_NOW.items() if not name.startswith(("last_", "next_"))}
    bare |= {"ledger": {"counts": {}, "entries": []}, "attention": []}
    lines = status_lines(bare, ZONE)
    assert 3 == "\n".join(lines).count("never")
    assert ["bookings: none", "", "nothing to look at"] == lines[-3:]


def test_differences():
    """A difference is a line; an hour that comes twice in autumn is told by its offset."""
    parked = DIFFERENCE | {"start": "2026-10-25T01:30:00+00:00", "waiting": False, "parked": "400: unknown court"}
    plain = DIFFERENCE | {"told": "nothing", "waiting": False}
    assert """\
facility  start                   end                     told     club  what comes of it
49        2026-10-25 02:30+02:00  2026-10-25 02:30+01:00  free     busy  is about to be told
49        2026-10-25 02:30+01:00  2026-10-25 02:30+01:00  free     busy  refused by the marketplace: 400: unknown court
49        2026-10-25 02:30+02:00  2026-10-25 02:30+01:00  nothing  busy

club-a-market: 3 differences at 2026-03-19 00:00+01:00; times in Europe/Paris""" == "\n".join(
        diff_lines(DIFF_NOW | {"differences": [DIFFERENCE, parked, plain]}, ZONE)
    )
    assert diff_lines(DIFF_NOW, ZONE)[-1].startswith("club-a-market: 1 difference at ")


def test_no_difference():
    """In step is one line."""
    told = DIFF_NOW | {"differences": [], "in_step": True}
    assert ["club-a-market: in step at 2026-03-19 00:00+01:00"] == diff_lines(told, ZONE)


@pytest.mark.parametrize(
    ("statuses", "expected"),
    [
        ([], ["the configuration has no links"]),
        (
            [STATUS_NOW],
            [
                "link           club    marketplace  center  to tell  to look at",
                "club-a-market  club-a  market       WYZ     3        1",
            ],
        ),
    ],
    ids=["none", "one"],
)
def test_list(statuses, expected):
    """Every link is a line, and none are told in a sentence."""
    assert expected == list_lines(statuses)


@settings(max_examples=60)
@given(st.lists(st.tuples(st.text(), st.text()), max_size=5))
def test_table(rows):
    """Whatever stands in a cell, a row is one line that a terminal shows as it is."""
    lines = table(("a", "b"), rows)
    assert len(rows) + 1 == len(lines)
    assert all(line.isprintable() for line in lines)
