"""The ids that are a call's own, `uuid()` and `idempotency_key`: no other call has them, and none undoes by them."""

from itertools import count

import pytest

from gateway.mapping.expressions.ids import uuid_of
from gateway.values.errors import ProviderRejected
from gateway.values.messages import Call
from tests.applications import MARCH, engine_of

MADE = """
native:
  book:
    vars: {ref: "{{ uuid() }}"}
    steps:
      - {name: one, call: {put: "/b/{{ ref }}", json: {key: "{{ idempotency_key }}", line: "{{ uuid(ref, 'line') }}"}},
         undo: {call: {delete: "/b/{{ ref }}"}}}
      - {name: two, call: {post: /pay, json: {of: "{{ uuid() }}"}}}
    result: {at: two}
"""
INNER = """
operations:
  locations.get:
    call: {get: "/l/{{ args.id }}", query: {key: "{{ idempotency_key }}", id: "{{ uuid() }}"}}
    result: {at: data, record: place}
  locations.list:
    steps:
      - name: all
        for_each: {in: "{{ ['1', '1', '2'] }}", as: it, concurrency: 3}
        run: locations.get
        with: {id: "{{ it }}"}
      - {name: places, compute: {$for: one, $in: "{{ all }}", $give: "{{ one.body }}"}}
    result: {rows: "places[].{id: to_number(id), name: name}", record: place}
"""


def asks(made, key="", start=1):
    """Ask again on a new engine, as after a restart, with other random ids."""
    numbers = count(start)
    clock, fresh = (lambda: made.time), (lambda: uuid_of("random", next(numbers)))
    engine = engine_of(made.engine.catalog, made.send, lambda: MARCH, clock=clock, new_uuid=fresh)
    return engine.run(Call("club", "native.book", {}, "r1", made.time + 25, idempotency_key=key))


async def test_two_equal_calls(club):
    """Two equal calls within a second have ids of their own, and what the second undoes is its own."""
    made = club(MADE, {}, {}, {}, ProviderRejected("", code="BOOKING_CONFLICT"), {})
    await made.run("native.book")
    with pytest.raises(ProviderRejected):
        await made.run("native.book")
    first, paid, second, _, undone = made.requests
    assert first.url != second.url == undone.url
    assert paid.body == f'{{"of":"{first.url.rpartition("/")[2]}"}}'.encode()


async def test_idempotency_key(club):
    """The caller's key gives the same id after a restart; without one it is the call's own."""
    made = club(MADE, *[{}] * 8)
    for key, start in (("k", 1), ("k", 2), ("", 3), ("", 4)):
        await asks(made, key, start)
    keys = [one.body.split(b'"')[3] for one in made.requests[::2]]
    assert keys[:2] == [b"k", b"k"]
    assert len(set(keys)) == 3
    assert len({one.url for one in made.requests[::2]}) == 4


async def test_what_is_run(club):
    """An operation that is run has ids of its own, each time it is run, and the same when the call is repeated."""
    place = {"data": {"id": 1, "name": "Hall"}}
    made = club(INNER, *[place] * 6)
    for _ in range(2):
        await made.engine.run(Call("club", "locations.list", {}, "r1", made.time + 25, idempotency_key="k"))
    keys, ids = ([dict(one.query)[name] for one in made.requests] for name in ("key", "id"))
    assert (3, 6) == (len(set(keys)), len(set(ids)))
    assert sorted(keys[:3]) == sorted(keys[3:])


def test_made_of_parts():
    """A UUID that parts make is always the same, of the form that providers check, and tells parts apart."""
    assert uuid_of("a", "b") == uuid_of("a", "b") != uuid_of("ab") != uuid_of("a", 1)
    assert "4" == uuid_of("a")[14]
    assert uuid_of("a")[19] in "89ab"
