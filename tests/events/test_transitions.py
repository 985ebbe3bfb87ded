"""Which change of a booking is told as which event: the table of the contract, and the laws that hold in any order."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.events.transitions import decide, given_up
from gateway.model.model import load
from gateway.store.events.events import KnownState
from gateway.values.messages import Observation

CHANGES = load().changes
FIRST, SECOND = "2026-03-19T10:00:00+01:00", "2026-03-19T12:00:00+01:00"
STATUSES = ("on_hold", "pending", "confirmed", "rejected", "cancelled", "expired", "completed", "no_show")


def observation(type_, gone=False, stand_ins=(), **data):
    return Observation("club", "example", "poll", f"{type_}", "b1", {"id": "b1"} | data, gone, frozenset(stand_ins))


def known(*announced, **data):
    return KnownState({"id": "b1"} | data, tuple(f"booking.{one}" for one in announced), 3, 1_000)


def told(before, seen, **more):
    decision = decide(before, seen, CHANGES, CHANGES.tracked, 2_000, **more)
    return [one.type.removeprefix("booking.") for one in decision.events], decision


@pytest.mark.parametrize("status", STATUSES)
def test_a_booking_that_is_seen_for_the_first_time(status):
    """One that is still to come, or under way, was created; one that is over already is remembered and no news."""
    events, decision = told(None, observation("changed", status=status))
    assert ([] if status in CHANGES.final else ["created"]) == events
    assert status == decision.known.data["status"]


@pytest.mark.parametrize("new", STATUSES)
@pytest.mark.parametrize("old", STATUSES)
def test_every_new_status_is_told_by_its_name(old, new):
    """From any status to another: the event of the new one, `updated` where it has none, nothing for the same.

    A source without a word for how it ended says what was before, which is no news.
    """
    ended = old in CHANGES.final and old != "cancelled" and old in CHANGES.later[new]
    expected = [] if old == new or ended else ["updated"] if new in ("on_hold", "pending") else [new]
    events, decision = told(known("created", status=old), observation("changed", status=new))
    assert expected == events
    assert [{"status": old}] * len(expected) == [one.previous for one in decision.events]


@pytest.mark.parametrize(
    ("old", "new", "expected", "previous"),
    [
        ({"start": FIRST}, {"start": SECOND}, ["rescheduled"], {"start": FIRST}),
        ({"end": FIRST}, {"end": SECOND}, ["rescheduled"], {"end": FIRST}),
        ({"resource_id": "1"}, {"resource_id": "2"}, ["rescheduled"], {"resource_id": "1"}),
        ({"notes": "a"}, {"notes": "b"}, ["updated"], {"notes": "a"}),
        ({"notes": "a"}, {"notes": None}, ["updated"], {"notes": "a"}),
        (
            {"customer": {"email": "a@x.org"}},
            {"customer": {"email": "b@x.org"}},
            ["updated"],
            {"customer.email": "a@x.org"},
        ),
        (
            {"start": FIRST, "notes": "a"},
            {"start": SECOND, "notes": "b"},
            ["rescheduled"],
            {"start": FIRST, "notes": "a"},
        ),
        ({"start": FIRST}, {"start": "2026-03-19T09:00:00Z"}, [], {}),
        ({"notes": "a"}, {}, [], {}),
        ({}, {"notes": "a"}, [], {}),
        ({"customer": None}, {"customer": {"email": "b@x.org"}}, [], {}),
        ({"title": "a"}, {"title": "b"}, [], {}),
    ],
)
def test_what_else_differs(old, new, expected, previous):
    """Time and place are `rescheduled`, other tracked fields `updated`; what one side cannot tell is no difference."""
    events, decision = told(
        known("created", status="confirmed", **old), observation("changed", status="confirmed", **new)
    )
    assert expected == events
    assert [previous] * len(expected) == [one.previous for one in decision.events]


def test_a_new_status_outweighs_a_new_time():
    """A booking that was cancelled and moved is cancelled; the provider's own word for a move is kept."""
    before = known("created", status="pending", start=FIRST)
    new = {"status": "confirmed", "start": SECOND}
    assert ["confirmed"] == told(before, observation("changed", **new))[0]
    assert ["rescheduled"] == told(before, observation("booking.rescheduled", **new))[0]


@pytest.mark.parametrize(
    ("before", "word", "data", "expected", "status"),
    [
        (None, "booking.created", {"status": "confirmed"}, ["created"], "confirmed"),
        (None, "booking.cancelled", {"status": "cancelled"}, ["cancelled"], "cancelled"),
        (None, "booking.updated", {"status": "confirmed"}, ["updated"], "confirmed"),
        (known("created", status="pending"), "booking.confirmed", {"status": "confirmed"}, ["confirmed"], "confirmed"),
        # the message has the state before, or none
        (known("created", status="pending"), "booking.confirmed", {"status": "pending"}, ["confirmed"], "confirmed"),
        (known("created", status="pending"), "booking.cancelled", {}, ["cancelled"], "cancelled"),
        # told before, by whatever source
        (
            known("created", "confirmed", status="confirmed"),
            "booking.confirmed",
            {"status": "confirmed"},
            [],
            "confirmed",
        ),
        (known("created", status="pending"), "booking.created", {"status": "pending"}, [], "pending"),
        (
            known("created", "cancelled", status="cancelled"),
            "booking.cancelled",
            {"status": "cancelled"},
            [],
            "cancelled",
        ),
        # there before anybody looked, so never told
        (known(status="confirmed"), "booking.created", {"status": "pending"}, ["created"], "confirmed"),
        (known(status="cancelled"), "booking.cancelled", {"status": "cancelled"}, ["cancelled"], "cancelled"),
        # late: it happened, but what is known is newer
        (
            known("created", status="confirmed"),
            "booking.confirmed",
            {"status": "confirmed", "start": FIRST},
            ["confirmed"],
            "confirmed",
        ),
        (known("confirmed", status="confirmed"), "booking.created", {"status": "pending"}, ["created"], "confirmed"),
        (
            known("created", status="confirmed"),
            "booking.updated",
            {"status": "pending", "notes": "old"},
            [],
            "confirmed",
        ),
        (
            known("created", status="confirmed", start=SECOND),
            "booking.rescheduled",
            {"status": "pending", "start": FIRST},
            [],
            "confirmed",
        ),
        (
            known("created", "cancelled", status="cancelled"),
            "booking.confirmed",
            {"status": "confirmed"},
            [],
            "cancelled",
        ),
        (
            known("created", "cancelled", status="cancelled"),
            "booking.rescheduled",
            {"status": "confirmed", "start": FIRST},
            [],
            "cancelled",
        ),
        # over in one way and then in another
        (
            known("created", "confirmed", status="completed"),
            "booking.no_show",
            {"status": "no_show"},
            ["no_show"],
            "no_show",
        ),
        # a word for a change that is none
        (
            known("created", status="confirmed", start=FIRST),
            "booking.rescheduled",
            {"status": "confirmed", "start": FIRST},
            [],
            "confirmed",
        ),
        (
            known("created", status="confirmed", notes="a"),
            "booking.updated",
            {"status": "confirmed", "notes": "a"},
            [],
            "confirmed",
        ),
        # deleted, also when it was cancelled before
        (known("created", "cancelled", status="cancelled"), "booking.deleted", {}, ["deleted"], "cancelled"),
        (known("deleted", status="confirmed"), "booking.deleted", {}, [], None),
        (known("deleted", status="confirmed"), "changed", {"status": "cancelled"}, [], None),
    ],
)
def test_the_words_of_a_provider(before, word, data, expected, status):
    """A word is told once for each booking, whoever was first, and a late one changes nothing that is newer."""
    events, decision = told(before, observation(word, **data))
    assert expected == events
    if decision.known is not None:
        assert status == decision.known.data["status"]
        assert set(decision.known.announced) == {
            *(before.announced if before else ()),
            *(f"booking.{one}" for one in expected),
        }
        if before is not None and "start" in before.data:
            assert before.data["start"] == decision.known.data["start"]
    else:
        assert status is None or status == before.data["status"]


def test_the_status_is_not_taken_from_a_stand_in():
    """What the provider cannot tell counts until something better is known, and undoes nothing afterwards."""
    read = observation("changed", stand_ins=["status"], status="confirmed", notes="b")
    events, decision = told(None, read)
    assert (["created"], "confirmed") == (events, decision.known.data["status"])
    events, decision = told(known("created", "cancelled", status="cancelled", notes="b"), read)
    assert ([], None) == (events, decision.known)
    events, decision = told(known("created", "cancelled", status="cancelled", notes="a"), read)
    assert (["updated"], "cancelled") == (events, decision.known.data["status"])
    for status in ("pending", "confirmed"):
        before = known("created", status="confirmed", notes="a")
        update = observation("booking.updated", stand_ins=["status"], status=status, notes="b")
        assert ["updated"] == told(before, update)[0]
        word = observation("booking.cancelled", stand_ins=["status"], status=status)
        events, decision = told(before, word)
        assert (["cancelled"], "cancelled") == (events, decision.known.data["status"])


def test_what_is_not_listed_any_more():
    """A booking that vanished is cancelled once; one that is over, or that nobody knows, is left alone."""
    gone = observation("changed", gone=True)
    assert ["cancelled"] == told(known("created", status="confirmed"), gone)[0]
    assert [] == told(known("created", status="completed"), gone)[0]
    assert ([], None) == (told(None, gone)[0], told(None, gone)[1].known)


def test_an_older_state_changes_nothing():
    """Of two states that tell when they are from, the older one counts for nothing but its word."""
    before = known("created", status="confirmed", notes="new", updated_at="2026-03-01T10:00:00Z")
    old = {"status": "confirmed", "notes": "old", "updated_at": "2026-03-01T09:00:00Z"}
    for type_, expected in (("changed", []), ("booking.updated", []), ("booking.confirmed", ["confirmed"])):
        events, decision = told(before, observation(type_, **old))
        assert expected == events
        assert decision.known is None or "new" == decision.known.data["notes"]


@pytest.mark.parametrize("before", [None, known("created", status="pending", start=FIRST)])
def test_a_quiet_observation_is_remembered_and_not_told(before):
    """A baseline tells nothing, and what it remembers is told by nobody afterwards."""
    seen = observation("changed", status="confirmed", start=SECOND)
    events, decision = told(before, seen, quiet=True)
    assert ([], "confirmed", SECOND) == (events, decision.known.data["status"], decision.known.data["start"])
    assert (before.announced if before else ()) == decision.known.announced
    assert ([], None) == (told(decision.known, seen)[0], told(decision.known, seen)[1].known)


def test_a_booking_that_takes_the_place_of_another():
    """It is told as moved, with what was before; the other one is over and not told, and no word for it is later."""
    old = known("created", status="confirmed", start=FIRST, notes="a")
    new = observation("changed", status="pending", start=SECOND, notes="a")
    events, decision = told(None, new, replaced=old)
    assert (["rescheduled"], {"start": FIRST}) == (events, decision.events[0].previous)
    over = given_up(old, CHANGES, 2_000)
    assert "cancelled" == over.data["status"]
    for late in (observation("booking.cancelled", status="cancelled"), observation("changed", status="cancelled")):
        assert [] == told(over, late)[0]
    assert ["created"] == told(None, new, replaced=over)[0]
    assert given_up(over, CHANGES, 2_000) is None


WORDS = {"confirmed": "booking.confirmed", "cancelled": "booking.cancelled", "completed": "booking.completed"}
LIVES = (
    ("pending", "confirmed", "completed"),
    ("pending", "confirmed", "cancelled"),
    ("on_hold", "cancelled"),
    ("on_hold", "expired"),
    ("pending", "rejected"),
    ("confirmed", "no_show"),
    ("confirmed",),
)


@st.composite
def histories(draw):
    """Draw the true states of a booking in their order, each with the word for what made it so."""
    dated = draw(st.booleans())  # without dates of change only words that come once can be told apart when late
    statuses, state, states = draw(st.sampled_from(LIVES)), {"start": FIRST, "notes": "n0"}, []
    moves = draw(st.integers(0, 3 if dated else 1))
    for place, status in enumerate(statuses):
        word = "booking.created" if place == 0 else f"booking.{status}"
        state = state | {"status": status}
        states.append((word, state))
        while moves and status not in CHANGES.final and draw(st.booleans()):
            moves -= 1
            if dated and draw(st.booleans()):
                state = state | {"notes": f"n{len(states)}"}
                states.append(("booking.updated", state))
            else:
                state = state | {"start": f"2026-03-20T{10 + len(states)}:00:00+01:00"}
                states.append(("booking.rescheduled", state))
    if dated:
        states = [(word, one | {"updated_at": f"2026-03-01T{at:02}:00:00Z"}) for at, (word, one) in enumerate(states)]
    return states


@st.composite
def stories(draw):
    """Draw a history and who looked when: polls see the state of their time, words come at it or later, twice even."""
    states = draw(histories())
    seen = []
    for at, (word, state) in enumerate(states):
        seen += [(at + 0.5, "changed", state)] * draw(st.integers(0, 2))
        later = draw(st.lists(st.sampled_from([0.1, 0.6, 1.1, 2.7, 99]), max_size=2))
        seen += [(at + wait, word, state) for wait in later]
    return states, sorted(seen, key=lambda one: one[0])


@given(stories())
@settings(max_examples=100)
def test_whoever_learns_first_tells_and_nobody_tells_twice(story):
    """In any order of polls and words, repeated or late: no transition twice, none that was not, and none undone."""
    states, seen = story
    before, events = None, []
    for _, type_, state in [*seen, (100, "changed", states[-1][1])]:
        decision = decide(before, observation(type_, **state), CHANGES, CHANGES.tracked, 2_000)
        before = decision.known or before
        events += [one.type for one in decision.events]
        assert all(one.previous.keys() <= {"status", "start", "notes"} for one in decision.events)
    happened = [word for word, _ in states]
    for word in set(events):
        # several changes of a kind that nobody saw in between are told as one; of those that came once, none twice
        assert events.count(word) <= happened.count(word), events
    assert {name: states[-1][1][name] for name in ("status", "start", "notes")} == {
        name: before.data[name] for name in ("status", "start", "notes")
    }


@given(histories(), st.permutations(["booking_webhook", "poll", "gateway"]))
@settings(max_examples=50)
def test_with_every_source_in_step_each_transition_is_told_once(states, order):
    """Where all see every state, each transition is told exactly once, whoever is first."""
    before, events = None, []
    for word, state in states:
        for source in order:
            type_ = "changed" if source == "poll" else word
            decision = decide(before, observation(type_, **state), CHANGES, CHANGES.tracked, 2_000)
            before = decision.known or before
            events += [one.type for one in decision.events]
    assert [word for word, _ in states] == events
