"""Answers that have not changed: asked for by what they came with, and given again as they were."""

import pytest

from gateway.engine.way_out.validators import LARGEST, MOST_BYTES, KeptAnswers
from gateway.values.errors import GatewayError
from gateway.values.messages import Response

OTHER = """
native:
  other: {safe: true, args: {id: {type: id, required: true}}, call: {get: "/o/{{ args.id }}", not_modified: 304}}
"""
DATE = "Sun, 01 Mar 2026 08:00:00 GMT"


def asked(request):
    """Give the headers that ask whether something changed."""
    return {name: value for name, value in request.headers if name.lower().startswith("if-")}


async def test_unchanged(gateway):
    """An answer is asked for by its tag and date, and one that has not changed is read as it was."""
    first = Response(200, {"etag": '"1"', "last-modified": DATE}, b'{"a": 1}')
    second = Response(200, {"etag": '"2"'}, b'{"a": 2}')
    made = gateway(OTHER, first, Response(304, {}, b""), second, Response(304, {}, b""))
    assert [{"a": 1}, {"a": 1}, {"a": 2}, {"a": 2}] == [(await made.run("native.other", id="7")).data for _ in range(4)]
    tagged = {"If-None-Match": '"1"', "If-Modified-Since": DATE}
    assert [{}, tagged, tagged, {"If-None-Match": '"2"'}] == [asked(one) for one in made.requests]


async def test_another_request(gateway):
    """What was answered to one request is asked for by that request alone, and not without a tag or after a refusal."""
    tagged = Response(200, {"etag": '"1"'}, b"{}")
    made = gateway(OTHER, tagged, Response(200, {}, b"{}"), Response(404, {"etag": '"3"'}, b"{}"), tagged)
    await made.run("native.other", id="7")
    await made.run("native.other", id="8")
    with pytest.raises(GatewayError):
        await made.run("native.other", id="8")
    await made.run("native.other", id="8")
    assert [{}, {}, {}, {}] == [asked(one) for one in made.requests]


async def test_nothing_was_kept(gateway):
    """A provider that says so of what nobody has is an error, and no empty answer."""
    made = gateway(OTHER, Response(304, {}, b""))
    with pytest.raises(GatewayError):
        await made.run("native.other", id="7")


def test_bounds():
    """No more bytes are kept than a connection may have, the answers used last, and none that is large."""
    kept, body = KeptAnswers(), b"x" * (LARGEST // 2)
    for number in range(20):
        kept.keep((number,), Response(200, {"etag": str(number)}, body))
        assert kept.of((0,)) is not None
    there = [number for number in range(20) if kept.of((number,)) is not None]
    assert [0, 13, 14, 15, 16, 17, 18, 19] == there
    assert MOST_BYTES >= len(there) * len(body)
    kept.keep((0,), Response(200, {"etag": "a"}, b"x" * (LARGEST + 1)))
    assert kept.of((0,)) is None
