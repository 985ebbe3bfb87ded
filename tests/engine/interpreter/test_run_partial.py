"""Rows that do not fit: left out where a caller asked for the list itself, refused wherever something is made of it."""

from dataclasses import replace

import pytest

from gateway.values.errors import AnswerMismatch
from gateway.values.messages import Call

LISTS = """
operations:
  locations.list: {cache: 10m, call: {get: /places}, result: {rows: data, record: place}}
  locations.get: {result: {find: locations.list}}
  bookings.get:
    steps:
      - {name: all, run: locations.list, with: {}}
      - {name: found, call: {get: "/b/{{ args.id }}"}}
    result: {at: found.data, record: booking}
"""
ROWS = {"data": [{"id": 1, "name": "a"}, {"id": [], "name": "b"}, {"id": 3, "name": "c"}]}


def listing(partial):
    return Call("club", "locations.list", {}, "r1", 2000.0, partial=partial)


async def test_only_where_a_caller_asked_for_the_list(club):
    """One answer is kept for callers without its bad row, and is never used where all rows count."""
    made = club(LISTS, *[ROWS] * 4)
    for _ in range(2):
        reply = await made.engine.run(listing(partial=True))
        assert (["1", "3"], [1]) == ([one["id"] for one in reply.data], [one["row"] for one in reply.warnings])
    assert 1 == len(made.requests)
    for call in (
        listing(partial=False),
        *(Call("club", f"{of}.get", {"id": "1"}, "r1", 2000.0, partial=True) for of in ("locations", "bookings")),
    ):
        with pytest.raises(AnswerMismatch):
            await made.engine.run(call)


async def test_very_many(club):
    """Of very many rows that do not fit the first are told, and how many more there are."""
    made = club(LISTS, {"data": [{"id": [], "name": "b"}] * 250})
    reply = await made.engine.run(listing(partial=True))
    assert ([], 101) == (reply.data, len(reply.warnings))
    assert reply.warnings[-1]["message"].startswith("150 more rows")


PAGED = """
operations:
  locations.list: {call: {get: /places, complete: "!next && length(data) < `3`"}, result: {rows: data, record: place}}
  locations.get: {result: {find: locations.list}}
  bookings.get:
    steps:
      - {name: all, run: locations.list, with: {}}
      - {name: found, call: {get: "/b/{{ args.id }}"}}
    result: {at: found.data, record: booking}
  bookings.delete:
    steps:
      - {name: taken, call: {get: /taken, complete: "!next"}}
      - {name: gone, call: {delete: "/b/{{ args.id }}"}}
"""
FULL = {"data": [{"id": 1, "name": "a"}, {"id": 2, "name": "b"}, {"id": 3, "name": "c"}]}
NEXT = {"data": [{"id": 1, "name": "a"}], "next": "/places?page=2"}


@pytest.mark.parametrize("answer", [FULL, NEXT])
async def test_a_part_of_a_list(club, answer):
    """A page that is full, or names another, is told with a warning to who wants a part, and is no answer elsewhere."""
    made = club(PAGED, *[answer] * 9)
    for call in (listing(partial=True), replace(listing(partial=False), parted=True)):
        reply = await made.engine.run(call)
        assert (False, ["LIST_INCOMPLETE"]) == (reply.whole, [one["code"] for one in reply.warnings])
        assert [str(one["id"]) for one in answer["data"]] == [one["id"] for one in reply.data]
    found = await made.engine.run(Call("club", "locations.get", {"id": "1"}, "r1", 2000.0))
    assert "a" == found.data["name"]
    sent = len(made.requests)
    for call in (
        listing(partial=False),
        Call("club", "locations.get", {"id": "7"}, "r1", 2000.0, partial=True),
        Call("club", "bookings.get", {"id": "1"}, "r1", 2000.0, partial=True),
    ):
        with pytest.raises(AnswerMismatch, match="the list goes on"):
            await made.engine.run(call)
    assert sent + 3 == len(made.requests)


async def test_nothing_is_written_on_a_part_of_a_list(club):
    """A step that reads before a write needs all there is: nothing is sent on the word of one page."""
    made = club(PAGED, NEXT, NEXT)
    with pytest.raises(AnswerMismatch, match="the list goes on"):
        await made.engine.run(Call("club", "bookings.delete", {"id": "1"}, "r1", 2000.0))
    assert ["GET"] == [request.method for request in made.requests]


async def test_all_of_a_list(club):
    """A page that is not full and names no other is the whole list, and nothing is said."""
    made = club(PAGED, {"data": FULL["data"][:2], "next": None})
    reply = await made.engine.run(listing(partial=True))
    assert (True, (), 2) == (reply.whole, reply.warnings, len(reply.data))
