"""Rows that do not fit: left out where a caller asked for the list itself, refused wherever something is made of it."""

import pytest

from gateway.errors import AnswerMismatch
from gateway.messages import Call

LISTS = """
operations:
  locations.list: {cache: 10m, call: {get: /places}, rows: data, row: place}
  locations.get: {find: locations.list}
  bookings.get:
    steps:
      - {name: all, run: locations.list, with: {}}
      - {name: found, call: {get: "/b/{{ args.id }}"}}
    at: found.data
    row: booking
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
