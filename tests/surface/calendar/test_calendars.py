"""Calendar feeds: what programmes read in them, who may make and revoke them, and what stays unsaid."""

import logging
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from icalendar import Calendar

from gateway.model.model import load
from gateway.store.events.feeds import Feed
from gateway.surface.calendar.contents import Entry, Names
from gateway.surface.calendar.icalendar import STATUSES, render
from tests.listeners import START, canonical
from tests.surface.conftest import KEYS, Caller

FEEDS = "/v1/club-a/calendar/feeds"
FEED = Feed("feed_1", "club-a", "web", "Courts", None, None, START)
BERLIN = ZoneInfo("Europe/Berlin")


def written(*entries, feed=FEED, names=Names()):  # noqa: B008 - it is frozen
    return render(feed, "Europe/Berlin", entries, names, timedelta(minutes=15))


def parsed(*bookings, **more):
    return Calendar.from_ical(written(*(Entry(one) for one in bookings), **more)).events


def shown(raw):
    """Give the events of a calendar by the ids of their bookings."""
    return {str(event["UID"]).partition("@")[0]: event for event in Calendar.from_ical(raw).events}


class Reader:
    """Makes feeds as a caller and reads them as a calendar programme does: without a key."""

    def __init__(self, client):
        self.client = client
        self.call = Caller(client, KEYS["web"])

    async def make(self, **body):
        status, made, _ = await self.call("POST", FEEDS, json={"name": "Courts"} | body)
        assert 201 == status
        return made

    async def read(self, made, query="", **headers):
        path = made["url"].removeprefix(str(self.client.make_url("/")).rstrip("/"))
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        async with self.client.get(path + query, headers=sent) as response:
            return response.status, await response.read(), response.headers


@pytest.fixture
async def reader(serve, database, provider, booking):
    """Give a reader; the provider lists one booking and two courts."""
    provider.answers["GET /bookings"] = (200, {"ok": True, "data": [booking]})
    provider.answers["GET /courts"] = (200, {"ok": True, "data": [{"id": "c1", "name": "Court 1"}]})
    client, _ = await serve(database)
    return Reader(client)


def test_the_head_is_what_programmes_ask_for():
    """Product, version, names and how often to come stand in the head."""
    calendar = Calendar.from_ical(written(feed=Feed("f", "club-a", "web", "Court; 1, \\east", None, None, START)))
    assert ("2.0", "GREGORIAN") == (calendar["VERSION"], calendar["CALSCALE"])
    assert calendar["PRODID"]
    assert b"X-WR-CALNAME:Court\\; 1\\, \\\\east\r\n" in calendar.to_ical()
    assert timedelta(minutes=15) == calendar["REFRESH-INTERVAL"].dt
    raw = written()
    assert b"REFRESH-INTERVAL;VALUE=DURATION:PT15M\r\nX-PUBLISHED-TTL:PT15M\r\n" in raw
    assert b"METHOD" not in raw


def test_a_booking_is_an_event():
    """Identity, times, change, place and state of a booking come back from the text."""
    data = canonical(resource_id="c1", title="Tennis", created_at="2026-01-01T10:00:00+01:00")
    (event,) = Calendar.from_ical(written(Entry(data, 3, START), names=Names({}, {"c1": "Court 1"}))).events
    assert "7@club-a.booking-gateway" == event["UID"]
    assert datetime(2026, 3, 19, 8, tzinfo=UTC) == event.start
    assert datetime(2026, 3, 19, 9, tzinfo=UTC) == event.end
    assert ("Tennis", "Court 1", "CONFIRMED", "OPAQUE", 3) == tuple(
        event[name] for name in ("SUMMARY", "LOCATION", "STATUS", "TRANSP", "SEQUENCE")
    )
    changed = datetime.fromtimestamp(START // 1000, UTC)
    assert [changed, changed] == [event["LAST-MODIFIED"].dt, event["DTSTAMP"].dt]
    assert datetime(2026, 1, 1, 9, tzinfo=UTC) == event["CREATED"].dt


@pytest.mark.parametrize(
    ("start", "end"),
    [
        ("2026-03-29T01:30:00+01:00", "2026-03-29T03:30:00+02:00"),
        ("2026-10-25T02:30:00+02:00", "2026-10-25T02:30:00+01:00"),
        ("2026-07-01T09:00:00+02:00", "2026-07-01T10:00:00+02:00"),
    ],
)
def test_times_stay_the_same_when_clocks_change(start, end):
    """The hour that is skipped and the hour that comes twice move no booking."""
    (event,) = parsed(canonical(start=start, end=end))
    assert [datetime.fromisoformat(start), datetime.fromisoformat(end)] == [event.start, event.end]


@pytest.mark.parametrize(
    ("start", "end", "days"),
    [
        ("2026-03-29T00:00:00+01:00", "2026-03-30T00:00:00+02:00", 1),
        ("2026-03-28T00:00:00+01:00", "2026-03-31T00:00:00+02:00", 3),
        ("2026-03-28T00:00:00+01:00", None, 1),
    ],
)
def test_whole_days_are_dates_in_their_own_zone(start, end, days):
    """A whole day is a date and not a time, also when it has 23 hours; the end is the day after."""
    (event,) = parsed(canonical(start=start, end=end, all_day=True))
    first = date.fromisoformat(start[:10])
    assert [first, first + timedelta(days=days)] == [event.start, event.end]
    assert "DATE" == event["DTSTART"].params["VALUE"]


def test_every_status_of_the_contract_has_a_word():
    """What a calendar says of a status covers the contract, and what is over blocks no time."""
    statuses = load().resources["Booking"].fields["status"].type.allowed
    assert set(statuses) == set(STATUSES)
    for event in parsed(*(canonical(status, status=status) for status in statuses)):
        assert (event["STATUS"] == "CANCELLED") == (event["TRANSP"] == "TRANSPARENT")


def test_a_booking_without_a_time_is_not_shown():
    """What is unscheduled stands in no calendar; what has no later end has none."""
    assert [] == parsed(canonical(start=None, end=None))
    (event,) = parsed(canonical(end="2026-03-19T09:00:00+01:00"))
    assert "DTEND" not in event


def test_customers_are_shown_only_where_that_was_chosen():
    """Names and remarks stand in a feed with `show: customer` and nowhere in another."""
    data = canonical(title="Tennis", customer={"name": "Ada L.", "email": "ada@example.com"}, notes="knee hurts")
    plain = written(Entry(data))
    chosen = written(Entry(data), feed=Feed("f", "club-a", "web", "x", None, "customer", START))
    for secret in (b"Ada", b"knee"):
        assert secret not in plain
        assert secret in chosen
    assert b"ada@example.com" not in chosen


@settings(max_examples=60)
@given(st.text(max_size=300))
def test_no_text_can_break_out_of_its_line(title):
    """Whatever a title holds, there is one event with the same summary, in lines of 75 octets that end in CRLF."""
    feed = Feed("f", "club-a", "web", title, None, "customer", START)
    raw = written(Entry(canonical(f"7{title}", title=title, notes=title, resource_id="c1")), feed=feed)
    assert all(len(line) <= 75 for line in raw.split(b"\r\n"))
    assert not {b"\n", b"\r"} & {raw.replace(b"\r\n", b"")[n : n + 1] for n in range(len(raw))}
    raw.decode("utf-8")
    (event,) = Calendar.from_ical(raw).events
    assert 1 == raw.count(b"\r\nBEGIN:")
    assert "CONFIRMED" == event["STATUS"]
    plain = "".join(char for char in title if char.isprintable()).strip()
    assert plain == "".join(char for char in str(event["SUMMARY"]) if char.isprintable()).strip() or not plain


def test_line_breaks_and_separators_are_escaped():
    """A title that looks like another property stays a title."""
    raw = written(Entry(canonical(title="a;b,c\\\r\nATTENDEE:mailto:x\rSTATUS:CANCELLED\x00")))
    assert b"SUMMARY:a\\;b\\,c\\\\\\nATTENDEE:mailto:x\\nSTATUS:CANCELLED\r\n" in raw


async def test_a_feed_is_made_read_listed_and_revoked(reader):
    """The URL is told once; it is read without a key until the feed is revoked, and then it is unknown."""
    made = await reader.make()
    assert {"id", "name", "resource_id", "show", "url", "created_at"} == made.keys()
    assert made["url"].startswith(str(reader.client.make_url("/v1/club-a/calendar/feed/")))
    status, raw, headers = await reader.read(made)
    assert (200, "text/calendar; charset=utf-8") == (status, headers["Content-Type"])
    assert ("private, max-age=0", "nosniff") == (headers["Cache-Control"], headers["X-Content-Type-Options"])
    assert ["7"] == list(shown(raw))
    _, listed, _ = await reader.call("GET", FEEDS)
    assert [{name: value for name, value in made.items() if name != "url"}] == listed["data"]
    assert 204 == (await reader.call("DELETE", f"{FEEDS}/{made['id']}"))[0]
    assert 404 == (await reader.read(made))[0]
    assert 404 == (await reader.call("DELETE", f"{FEEDS}/{made['id']}"))[0]


async def test_live_and_known_are_one_calendar(reader, published, provider, booking):
    """The live list wins, the store adds how often a booking changed and what is over and listed no more."""
    made = await reader.make()
    await published("club-a", canonical(title="old"), canonical("8"), canonical("9"))
    await published("club-a", canonical("8", status="cancelled"))
    provider.answers["GET /bookings"] = (200, {"ok": True, "data": [booking | {"notes": "new"}]})
    first = shown((await reader.read(made))[1])
    assert {"7": "CONFIRMED", "8": "CANCELLED"} == {key: str(event["STATUS"]) for key, event in first.items()}
    assert {"7": 0, "8": 1} == {key: event["SEQUENCE"] for key, event in first.items()}
    assert "Booking" == first["7"]["SUMMARY"]
    await published("club-a", canonical(start="2026-03-20T09:00:00+01:00", end="2026-03-20T10:00:00+01:00"))
    assert 1 == shown((await reader.read(made))[1])["7"]["SEQUENCE"]


async def test_what_is_learned_later_than_the_list_is_shown(reader, published, moments):
    """A booking that changed after the provider was asked stands as the store knows it."""
    made = await reader.make()
    moments.append(START + 60_000)
    await published("club-a", canonical(status="cancelled"), canonical("new"))
    moments.append(START)
    events = shown((await reader.read(made))[1])
    assert {"new": "CONFIRMED"} == {key: event["STATUS"] for key, event in events.items() if key != "7"}


async def test_a_feed_can_show_one_resource(reader, published, provider):
    """The resource of the feed and the one that is asked for both choose."""
    provider.answers["GET /bookings"] = (200, {"ok": True, "data": []})
    moments = canonical("1", resource_id="c1", status="cancelled"), canonical("2", resource_id="c2", status="cancelled")
    await published("club-a", *(one | {"status": "confirmed"} for one in moments))
    await published("club-a", *moments)
    every, one = await reader.make(), await reader.make(resource_id="c1")
    assert ["1", "2"] == sorted(shown((await reader.read(every))[1]))
    assert ["2"] == list(shown((await reader.read(every, "?resource_id=c2"))[1]))
    assert ["1"] == list(shown((await reader.read(one))[1]))
    assert [] == list(shown((await reader.read(one, "?resource_id=c2"))[1]))
    assert 400 == (await reader.read(one, "?resource=c2"))[0]
    assert "Court 1" == shown((await reader.read(one))[1])["1"]["LOCATION"]


async def test_what_did_not_change_is_not_sent_again(reader, provider, booking, moments):
    """Tag and date both give 304 while the bytes are the same, later too, and 200 when a booking changed."""
    made = await reader.make()
    _, _, headers = await reader.read(made)
    moments.append(START + 60_000)
    for sent in ({"If_None_Match": headers["ETag"]}, {"If_Modified_Since": headers["Last-Modified"]}):
        status, raw, again = await reader.read(made, **sent)
        assert (304, b"", headers["ETag"]) == (status, raw, again["ETag"])
    provider.answers["GET /bookings"] = (200, {"ok": True, "data": [booking | {"status": "cancelled"}]})
    for sent in ({"If_None_Match": headers["ETag"]}, {"If_Modified_Since": headers["Last-Modified"]}):
        status, _, again = await reader.read(made, **sent)
        assert 200 == status
        assert headers["ETag"] != again["ETag"]


async def test_a_calendar_is_made_once_in_a_while(serve, database, provider, reader, moments):
    """Within its age a calendar is given again without asking anybody, and says how old it is."""
    client, _ = await serve(database, max_age=300)
    often = Reader(client)
    made = await often.make()
    await often.read(made)
    asked = len(provider.asked)
    moments.append(START + 299_000)
    _, _, headers = await often.read(made)
    assert (asked, "299", "private, max-age=300") == (len(provider.asked), headers["Age"], headers["Cache-Control"])
    moments.append(START + 301_000)
    assert "Age" not in (await often.read(made))[2]
    assert asked < len(provider.asked)


async def test_resources_of_a_link_cost_the_provider_nothing(serve, database, provider, reader):
    """Whoever has the link may name any number of resources: they are chosen from the list that is there."""
    client, _ = await serve(database, max_age=300)
    often = Reader(client)
    made = await often.make()
    await often.read(made)
    asked = len(provider.asked)
    for number in range(30):
        status, raw, _ = await often.read(made, f"?resource_id=x{number}")
        assert (200, []) == (status, list(shown(raw)))
    assert ["7"] == list(shown((await often.read(made))[1]))
    assert asked == len(provider.asked)


async def test_while_the_provider_is_down_the_last_calendar_stands_for_a_day(reader, provider, moments):
    """Half a calendar is never given: the last whole one with its age, and after a day or without one, the error."""
    made = await reader.make()
    _, whole, _ = await reader.read(made)
    provider.answers["GET /bookings"] = (500, {"ok": False})
    moments.append(START + 3_600_000)
    status, raw, headers = await reader.read(made)
    assert (200, whole, "3600") == (status, raw, headers["Age"])
    assert 502 <= (await reader.read(await reader.make()))[0] <= 503
    moments.append(START + 86_400_000)
    assert 502 <= (await reader.read(made))[0] <= 503


async def test_an_unknown_token_opens_nothing_and_is_written_nowhere(reader, caplog):
    """Wrong tokens and right ones at another connection are answered alike; no log holds a token."""
    caplog.set_level(logging.DEBUG)
    made = await reader.make()
    token = made["url"].rpartition("/")[2].removesuffix(".ics")
    assert len(token) >= 43
    assert 200 == (await reader.read(made))[0]
    answers = []
    for path in (
        f"club-a/calendar/feed/{token[:-1]}.ics",
        f"club-b/calendar/feed/{token}.ics",
        "club-a/calendar/feed/%C3%A4.ics",
    ):
        status, body, _ = await Caller(reader.client, None)("GET", f"/v1/{path}", headers={"X-Request-Id": "r"})
        answers.append((status, body))
    assert [(404, answers[0][1])] * 3 == answers
    assert token[:20] not in str(answers)
    ours = [record for record in caplog.records if record.name.startswith("gateway")]
    assert "calendar.feed" in str([vars(record) for record in ours])
    assert token[:20] not in str([vars(record) for record in ours])


async def test_feeds_belong_to_who_made_them(serve, database, reader):
    """Another caller neither sees nor revokes a feed, and who may not both read and write makes none."""
    made = await reader.make()
    other = Caller(reader.client, KEYS["reporting"])
    assert [] == (await other("GET", FEEDS))[1]["data"]
    assert 403 == (await other("DELETE", f"{FEEDS}/{made['id']}"))[0]
    assert 403 == (await other("POST", FEEDS, json={"name": "x"}))[0]
    writer = Caller(reader.client, KEYS["writer"])
    assert 404 == (await writer("DELETE", f"{FEEDS}/{made['id']}"))[0]
    status, answer, _ = await writer("POST", FEEDS, json={"name": "x"})
    assert (403, "read") == (status, answer["error"]["details"]["needs"])
    assert 403 == (await reader.call("GET", "/v1/club-c/calendar/feeds"))[0]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "name"),
        ({"name": ""}, "name"),
        ({"name": "a\nb"}, "name"),
        ({"name": "x" * 81}, "name"),
        ({"name": "x", "show": "everything"}, "show"),
        ({"name": "x", "token": "mine"}, "token"),
    ],
)
async def test_a_feed_that_cannot_be_meant_is_refused(reader, body, field):
    """A feed needs a name of one line; nobody chooses a token."""
    status, answer, _ = await reader.call("POST", FEEDS, json=body)
    assert (400, field) == (status, answer["error"]["details"]["fields"][0]["field"])


async def test_an_idempotency_key_is_refused(reader):
    """An answer with a token is not kept, and a key that would be ignored is an error."""
    status, _, _ = await reader.call("POST", FEEDS, json={"name": "x"}, headers={"Idempotency-Key": "k"})
    assert 400 == status
