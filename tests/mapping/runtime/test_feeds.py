"""A feed behind a secret address: the secret is sent and never shown; a refusal is read however feeds are written."""

import asyncio

import pytest

from gateway.values.errors import GatewayError
from gateway.values.secrets import Secret

TOKEN = "a/b c&d=s3cr3t-t0ken"
FEED = """
settings:
  token: {type: secret, meaning: The token in the address of the feed.}
errors:
  - {when: "error.code == 'GONE'", is: LIMIT_EXCEEDED, code: error.code, message: error.message}
native:
  events: {safe: true, call: {get: "/feed/{{ settings.token }}.ics", answer: icalendar}}
  text: {safe: true, call: {get: "/feed/{{ settings.token }}.ics", answer: text}}
"""
LIST = """
  list: {safe: true, call: {get: /list}}
"""
YEARLY = b"""BEGIN:VCALENDAR
VERSION:2.0
PRODID:x
BEGIN:VEVENT
UID:a
DTSTART;VALUE=DATE:20100501
RRULE:FREQ=YEARLY
END:VEVENT
END:VCALENDAR
"""


async def test_the_secret_is_sent_and_not_shown(gateway, answered):
    """The request holds the secret, quoted; neither the trace nor what the provider says of it does."""
    refusal = {"error": {"code": "GONE", "message": f"no feed {TOKEN}"}}
    made = gateway(FEED, answered(refusal, 410), token=Secret(TOKEN))
    with pytest.raises(GatewayError) as refused:
        await made.run("native.events")
    assert made.requests[0].url == "https://api.example/feed/a%2Fb%20c%26d%3Ds3cr3t-t0ken.ics"
    assert made.trace.exchanges[0].request.url == "https://api.example/feed/***.ics"
    assert refused.value.provider["message"] == "no feed ***"
    assert "t0ken" not in f"{made.trace} {refused.value.detail}"


@pytest.mark.parametrize("operation", ["native.events", "native.text"])
async def test_a_refusal_may_be_json(gateway, answered, operation):
    """An error rule sees the JSON of a refusal, also where an answer is a calendar or a text."""
    made = gateway(FEED, answered({"error": {"code": "GONE", "message": "moved"}}, 410), token=Secret(TOKEN))
    with pytest.raises(GatewayError) as refused:
        await made.run(operation)
    assert refused.value.code == "LIMIT_EXCEEDED"
    assert refused.value.provider["message"] == "moved"


async def test_occurrences_follow_the_clock(gateway, answered):
    """What recurs is given around the present of the call, however long ago it began."""
    made = gateway(FEED, answered(YEARLY), token=Secret(TOKEN), now="2030-03-01T09:00:00+01:00")
    events = (await made.run("native.events")).data
    assert ["2029-05-01", "2030-05-01", "2031-05-01"] == [event["start"] for event in events]


def feed(*events):
    """Write a calendar of events, each a text with a property a line."""
    lines = [line for event in events for line in ("BEGIN:VEVENT", *event.split("\n"), "END:VEVENT")]
    return "\r\n".join(["BEGIN:VCALENDAR", *lines, "END:VCALENDAR", ""]).encode()


@pytest.mark.parametrize(
    "body",
    [
        feed(*(f"UID:{at}\nDTSTART;TZID=Europe/Berlin:20190107T100000\nRRULE:FREQ=WEEKLY" for at in range(300))),
        b"[" + b",".join(b'{"a": [%d, "b", {"c": null}]}' % at for at in range(60_000)) + b"]",
    ],
)
async def test_no_answer_holds_the_event_loop(gateway, answered, body):
    """While a feed of much that repeats, or a large JSON, is read, the event loop goes on with other work."""
    turns = 0
    kind = "events" if body.startswith(b"BEGIN") else "list"
    made = gateway(
        FEED.replace("  text:", '  list: {safe: true, call: {get: "/list"}}\n  text:'),
        answered(body),
        token=Secret(TOKEN),
    )
    reading = asyncio.ensure_future(made.run(f"native.{kind}"))
    while not reading.done():
        await asyncio.sleep(0.001)
        turns += 1
    assert len((await reading).data) > 40_000
    assert turns > 10  # read on the loop, it would turn once or twice


@pytest.mark.parametrize(
    ("operation", "content"),
    [
        ("native.list", '[{{"name": "{}"}}]'),
        ("native.text", "{}"),
        (
            "native.events",
            feed("UID:a\nDTSTART:20260319T083000Z\nSUMMARY:{}").decode(),
        ),
    ],
)
async def test_answers_are_decoded_by_the_character_set_they_declare(gateway, answered, operation, content):
    """JSON, texts and feeds are read by one rule; what does not decode is refused, never replaced."""
    mapping = FEED + LIST
    body = content.format("Café").encode("latin-1")
    declared = {"content_type": 'text/plain; charset="ISO-8859-1"'}
    made = gateway(mapping, answered(body, **declared), token=Secret(TOKEN))
    assert "Café" in str((await made.run(operation)).data)
    for headers in ({}, {"content_type": "text/plain; charset=no-such"}):
        with pytest.raises(GatewayError) as refused:
            await gateway(mapping, answered(body, **headers), token=Secret(TOKEN)).run(operation)
        assert refused.value.code == "PROVIDER_ERROR"
