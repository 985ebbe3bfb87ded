"""Feeds as programmes really write them: what is busy never looks free, and two events never look like one."""

import pytest

from gateway.mapping.codecs.calendars import MOST_DAYS, calendar_events
from gateway.mapping.codecs.calendars.recurrence import MOST_OCCURRENCES
from gateway.mapping.codecs.calendars.windows_zones import SHOWN_AS
from gateway.mapping.codecs.calendars.zones import named_zone
from gateway.values.errors import GatewayError
from gateway.values.strictjson import Unreadable
from tests.feeds import NOW, WEEKLY, ZONE, feed, ids, read


@pytest.mark.parametrize(
    "event",
    [
        "DTSTART;VALUE=DATE:99991231",
        "DTSTART;VALUE=DATE:00010101",
        "DTSTART:20260319T083000Z\nDURATION:P9999999D",
        "DTSTART:20260319T083000Z\nDURATION:P" + "9" * 400 + "D",
        "DTSTART:20260319T083000Z\nDURATION:-PT1H",
        "DTSTART:20260319T083000Z\nDTEND:20260319T073000Z",
        "DTSTART;VALUE=DATE:20260319\nDTEND;VALUE=DATE:20260318",
        "DTSTART:20260319T083000Z\nDTEND;VALUE=DATE:20260320",
        "DTSTART:20260319T083000Z\nDTSTART:20260320T083000Z",
        "DTSTART:20260230T083000Z",
        "DTSTART 20260319T083000Z",
        "DTSTART:20260319T083000Z\nRDATE:soon",
        "DTSTART:20260319T083000Z\nRRULE:FREQ=DAILY;BYDAY=XX",
        "DTSTART:20260319T083000Z\nRRULE FREQ=DAILY",
        "DTSTART:20260319T083000Z\nRRULE:FREQ=DAILY;UNTIL=then",
        "SUMMARY:no beginning",
        *(
            f"DTSTART;TZID={name}:20260319T083000"
            for name in ("Europe", "America", "US", "Etc", "x" * 300, "Nowhere/Else", "../etc/passwd", "UTC+99", '""')
        ),
    ],
)
def test_what_decides_when_is_refused_by_name(event):
    """An event whose time cannot be told is refused with an error of ours that names it, whatever is wrong with it."""
    with pytest.raises(Unreadable) as refused:
        read(f"UID:the-one\n{event}")
    assert "the event `the-one`" in refused.value.reason


@pytest.mark.parametrize(
    "line",
    [
        "CREATED:00001231T000000Z",
        "LAST-MODIFIED:0000",
        "SEQUENCE:",
        "SEQUENCE:" + "9" * 5_000,
        "EXDATE:",
        "EXDATE:never",
        "STATUS:BUSY",
        "TRANSP:MAYBE",
        "CREATED 2026",
        "GEO:nowhere",
        "ATTENDEE;CN=:x",
        "no property at all",
        "BEGIN:VALARM\nTRIGGER:soon\nDURATION:P9999999D\nEND:VALARM",
        "BEGIN:VALARM\nTRIGGER:-PT5M",
        "END:VEVENT\nBEGIN:VTODO\nDUE:tomorrow\nRRULE:FREQ=NEVER\nEND:VTODO\nBEGIN:VEVENT\nUID:b\nDTSTART:20270101T000000Z",
    ],
)
def test_what_nobody_needs_is_left_out(line):
    """A line or component that says nothing of when somebody is busy takes neither its event nor the feed away."""
    event = read(f"UID:a\nDTSTART:20260319T083000Z\nDTEND:20260319T093000Z\n{line}", before="REFRESH-INTERVAL:soon")[0]
    expected = {"uid": "a", "key": "a", "start": "2026-03-19T08:30:00+00:00", "end": "2026-03-19T09:30:00+00:00"}
    assert event == expected | {"all_day": False}


def test_an_event_inside_another_component_is_not_overlooked():
    """Where a component is not ended, the events after it are not taken for parts of it: the feed is refused."""
    with pytest.raises(Unreadable):
        read(before="BEGIN:VTODO\nBEGIN:VEVENT\nUID:a\nDTSTART:20260319T083000Z\nEND:VEVENT")


def test_a_property_that_occurs_twice():
    """Of texts the first is taken; a STATUS or TRANSP that contradicts itself frees no time."""
    twice = "SUMMARY:one\nSUMMARY:two\nSTATUS:CONFIRMED\nSTATUS:CANCELLED\nTRANSP:OPAQUE\nTRANSP:TRANSPARENT"
    (event,) = read(f"UID:a\nDTSTART:20260319T083000Z\n{twice}")
    assert event["summary"] == "one"
    assert not event.keys() & {"status", "transparency"}


def test_a_misspelt_cancellation_cancels():
    """CANCELED, as Americans write it, is CANCELLED; words are read without regard to case."""
    events = read(
        "UID:a\nDTSTART:20260319T083000Z\nSTATUS:Canceled", "UID:b\nDTSTART:20260319T083000Z\nSTATUS:tentative"
    )
    assert ["CANCELLED", "TENTATIVE"] == [event["status"] for event in events]


@pytest.mark.parametrize("end", ["DTEND;VALUE=DATE:20260319", "DURATION:PT0S", "DURATION:P1D", ""])
def test_an_all_day_event_is_one_day_at_least(end):
    """A date that ends where it begins is that day."""
    (event,) = read(f"UID:a\nDTSTART;VALUE=DATE:20260319\n{end}")
    assert ("2026-03-19", "2026-03-20") == (event["start"], event["end"])


def test_this_and_future_keeps_every_occurrence_apart():
    """A change of one and all that follow moves each, and each is known by the start that it had at first."""
    later = "UID:w\nRECURRENCE-ID;TZID=Europe/Berlin;RANGE=THISANDFUTURE:20260316T100000"
    events = read(WEEKLY, f"{later}\nDTSTART;TZID=Europe/Berlin:20260317T120000\nDURATION:PT2H\nSUMMARY:moved")
    assert {event["recurrence"]: event["start"] for event in events} == {
        "2026-03-02T10:00:00+01:00": "2026-03-02T10:00:00+01:00",
        "2026-03-09T10:00:00+01:00": "2026-03-09T10:00:00+01:00",
        "2026-03-16T10:00:00+01:00": "2026-03-17T12:00:00+01:00",
        "2026-03-23T10:00:00+01:00": "2026-03-24T12:00:00+01:00",
        "2026-03-30T10:00:00+02:00": "2026-03-31T12:00:00+02:00",
    }
    assert 5 == len(events)
    assert ["moved"] * 3 == [event["summary"] for event in events if "summary" in event]


@pytest.mark.parametrize("change", ["RECURRENCE-ID;VALUE=DATE:20260316", "RECURRENCE-ID:20260316T090000Z"])
def test_a_change_stands_for_its_occurrence(change):
    """However a change names its occurrence, by its day or in another zone, that occurrence is not given as well."""
    events = read(WEEKLY, f"UID:w\n{change}\nDTSTART;TZID=Europe/Berlin:20260318T100000")
    starts = {event["recurrence"]: event["start"] for event in events}
    assert len(events) == 5
    assert "2026-03-18T10:00:00+01:00" == starts["2026-03-16T10:00:00+01:00"]


def test_events_that_share_a_uid_are_told_apart():
    """A series and single events of one UID are all given, with ids that differ and stay when the feed is reordered."""
    single = "UID:w\nDTSTART:20260501T100000Z"
    other = "UID:w\nDTSTART:20260502T100000Z"
    longer = "UID:w\nDTSTART:20260502T100000Z\nDURATION:PT3H"
    events = read(WEEKLY, single, other, longer, longer)
    assert len(events) == 8 == len(set(ids(events)))
    assert set(ids(read(longer, other, WEEKLY, single))) == set(ids(events))
    assert ids(read(WEEKLY, single))[0] == ("w", None)


def test_two_series_of_one_uid_have_their_own_occurrences():
    """Two series that share a UID and meet at the same times are two."""
    second = "UID:w\nDTSTART;TZID=Europe/Berlin:20260309T100000\nDURATION:PT1H\nRRULE:FREQ=WEEKLY;COUNT=5"
    events = read(WEEKLY, second)
    assert len(events) == 10 == len(set(ids(events)))


def test_floating_times_stay_floating():
    """X-WR-TIMEZONE moves neither what repeats nor what does not: floating times are the mapping's to place."""
    floating = "UID:{}\nDTSTART:20260319T083000"
    events = read(
        floating.format("a"), floating.format("b") + "\nRRULE:FREQ=DAILY;COUNT=1", before="X-WR-TIMEZONE:Asia/Tokyo"
    )
    assert ["2026-03-19T08:30:00"] * 2 == [event["start"] for event in events]


def test_busy_times_without_events_are_busy():
    """A feed of VFREEBUSY says when somebody is busy; what it calls free is not given."""
    periods = "FREEBUSY;FBTYPE=BUSY:20260319T083000Z/PT1H,20260320T083000Z/20260320T103000Z"
    events = read(
        f"{periods}\nFREEBUSY;FBTYPE=FREE:20260321T083000Z/PT1H\nFREEBUSY;FBTYPE=BUSY-TENTATIVE:20260322T083000Z/PT1H",
        kind="VFREEBUSY",
    )
    ends = ["2026-03-19T09:30:00+00:00", "2026-03-20T10:30:00+00:00", "2026-03-22T09:30:00+00:00"]
    assert ends == [event["end"] for event in events]
    assert [None, None, "TENTATIVE"] == [event.get("status") for event in events]
    assert 3 == len(set(ids(events)))
    with pytest.raises(Unreadable):
        read("FREEBUSY:tomorrow", kind="VFREEBUSY")


@pytest.mark.parametrize(
    ("name", "offset"),
    [
        ("Europe/Berlin", "+02:00"),
        ("europe/berlin", "+02:00"),
        (" Europe/Berlin ", "+02:00"),
        ("America/New York", "-04:00"),
        ("/freeassociation.sourceforge.net/Europe/Berlin", "+02:00"),
        ("tzone://Microsoft/Utc", "+00:00"),
        ("GMT-0500", "-05:00"),
        ("UTC-05:00", "-05:00"),
        ("+0530", "+05:30"),
        ("Etc/GMT+5", "-05:00"),
        ("Coordinated Universal Time", "+00:00"),
        ("Eastern Time (US & Canada)", "-04:00"),
        ("(UTC-05:00) Eastern Time (US & Canada)", "-04:00"),
        ("(GMT+01.00) Amsterdam", None),
        ("Eastern Standard Time", "-04:00"),
        ("eastern daylight time", "-04:00"),
        ("GMT Standard Time 1", "+01:00"),
        ("W. Europe Standard Time", "+02:00"),
    ],
)
def test_zones_by_the_names_that_programmes_give_them(name, offset):
    """A TZID is known by IANA, by Windows, by what Windows shows, or as a distance; any other is refused."""
    event = f'UID:a\nDTSTART;TZID="{name}":20260701T083000'
    if offset is None:
        with pytest.raises(Unreadable, match="`a`"):
            read(event)
    else:
        assert f"2026-07-01T08:30:00{offset}" == read(event)[0]["start"]


def test_every_name_that_windows_shows_is_a_zone():
    """Each text of the table stands for a zone that exists."""
    assert [] == [name for name in SHOWN_AS if named_zone(name, {}) is None]


def test_a_zone_that_the_feed_defines():
    """A TZID that the feed defines is what it says, in summer and in winter, and of no other feed."""
    event = "UID:a\nDTSTART;TZID=Our own:20260327T083000\nRRULE:FREQ=DAILY;COUNT=4;UNTIL=20260330T063000Z"
    starts = [one["start"] for one in read(event, before=ZONE)]
    assert ["2026-03-27T08:30:00+01:00", "2026-03-30T08:30:00+02:00"] == [starts[0], starts[-1]]
    assert 4 == len(starts)
    with pytest.raises(Unreadable, match="Our own"):
        read(event)


@pytest.mark.parametrize("zone", ["Europe/Berlin", "Our own"])
@pytest.mark.parametrize(
    ("start", "lasts", "end"),
    [
        ("20260328T220000", "DURATION:PT8H", "2026-03-29T07:00:00+02:00"),
        ("20260328T220000", "DURATION:PT24H", "2026-03-29T23:00:00+02:00"),
        ("20260328T220000", "DURATION:P1D", "2026-03-29T22:00:00+02:00"),
        ("20260327T220000", "DURATION:P1DT8H", "2026-03-29T07:00:00+02:00"),
        ("20261024T220000", "DURATION:PT5H30M", "2026-10-25T02:30:00+01:00"),
        ("20260321T220000", "DURATION:PT8H\nRRULE:FREQ=WEEKLY;COUNT=2", "2026-03-29T07:00:00+02:00"),
        ("20260301T220000", "RDATE;VALUE=PERIOD;TZID={zone}:20260328T220000/PT8H", "2026-03-29T07:00:00+02:00"),
        ("20260328T220000", "DTEND:20260329T050000Z\nRRULE:FREQ=DAILY;COUNT=1", "2026-03-29T07:00:00+02:00"),
        ("20260329T023000", "DTEND;TZID={zone}:20260329T033000", "2026-03-29T04:30:00+02:00"),
        (
            "20260322T023000",
            "RRULE:FREQ=WEEKLY;COUNT=2\nDTEND;TZID={zone}:20260322T033000",
            "2026-03-29T04:30:00+02:00",
        ),
    ],
)
def test_an_hour_is_an_hour_when_clocks_change(zone, start, lasts, end):
    """Hours of a DURATION, and all between two zones, take their time whatever clocks do; days are the calendar's.

    What begins at a time that clocks skip is read by the distance before (RFC 5545, 3.3.5 and 3.3.6), and takes time.
    """
    event = f"UID:a\nDTSTART;TZID={zone}:{start}\n{lasts.format(zone=zone)}"
    assert end == read(event, before=ZONE)[-1]["end"]


def test_the_span_that_is_asked_for_is_expanded():
    """Beyond the usual horizon nothing is silently free: what is asked for is expanded, or the window is too large."""
    for_ever = WEEKLY.removesuffix(";COUNT=5")
    far = read(for_ever, asked=("2041-01-01T00:00:00+01:00", "2041-02-01T00:00:00+01:00"))
    assert ["2041-01-07", "2041-01-14", "2041-01-21", "2041-01-28"] == [event["start"][:10] for event in far]
    with pytest.raises(GatewayError) as refused:
        read(for_ever, asked=("2026-01-01T00:00:00+01:00", "2041-02-01T00:00:00+01:00"))
    assert ("WINDOW_TOO_LARGE", {"max_days": MOST_DAYS}) == (refused.value.code, refused.value.details)


def test_what_repeats_too_often_is_refused():
    """However a feed makes much of little, giving occurrences ends with a refusal that names the event."""
    rule = "FREQ=DAILY;BYHOUR=" + ",".join(map(str, range(24)))
    with pytest.raises(Unreadable, match=f"`[0-9]+` repeats too often.* {MOST_OCCURRENCES:,}"):
        read(*(f"UID:{at}\nDTSTART:16010101T000000Z\nRRULE:{rule}" for at in range(20)))


def test_a_fold_may_stand_inside_a_character():
    """Lines are unfolded as bytes; a character that a fold cuts in two is whole again."""
    body = feed("UID:a\nDTSTART:20260319T083000Z\nSUMMARY:Café").replace(
        "é".encode(), "é".encode()[:1] + b"\r\n " + "é".encode()[1:]
    )
    assert "Café" == calendar_events(body, NOW)[0]["summary"]


@pytest.mark.parametrize(("charset", "codec"), [("iso-8859-1", "latin-1"), ("utf-8", "utf-8"), ("utf-16", "utf-16")])
def test_the_declared_character_set(charset, codec):
    """A feed is decoded by the character set that is declared, and refused where it is not written in it."""
    body = feed("UID:a\nDTSTART:20260319T083000Z\nSUMMARY:Café").decode().encode(codec)
    assert "Café" == calendar_events(body, NOW, charset=charset)[0]["summary"]
    for other in {"utf-8", "us-ascii", "base64", "nonsense"} - {charset}:
        with pytest.raises(Unreadable):
            calendar_events(body, NOW, charset=other)
