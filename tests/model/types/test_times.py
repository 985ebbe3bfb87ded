"""Instants, days and zones against the rules of RFC 3339, PEP 495 and the published zone data."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.model.types import times
from gateway.model.types.times import GapTime, TimeRefused, ZoneUnknown
from gateway.values.secrets import Credential

ZONES = ("UTC", "Europe/Berlin", "Europe/London", "America/New_York", "Asia/Kathmandu", "Australia/Lord_Howe")

# Local time, zone, canonical instant, seconds since 1970.
VECTORS = [
    ("2015-12-30T13:00:00", "Europe/London", "2015-12-30T13:00:00+00:00", 1451480400),
    ("2023-10-11T11:00", "Europe/Berlin", "2023-10-11T11:00:00+02:00", 1697014800),
    ("2026-03-19T08:30", "Europe/Paris", "2026-03-19T08:30:00+01:00", 1773905400),
    ("2026-07-19T08:30", "Europe/Paris", "2026-07-19T08:30:00+02:00", 1784442600),
    ("2017-09-07T16:00", "Europe/Rome", "2017-09-07T16:00:00+02:00", 1504792800),
    ("2026-10-25T02:30", "Europe/Berlin", "2026-10-25T02:30:00+02:00", 1792888200),
]


@pytest.mark.parametrize(("local", "zone", "instant", "seconds"), VECTORS)
def test_local_times_are_placed_in_their_zone(local, zone, instant, seconds):
    """A time without an offset is local, and the first occurrence when it is ambiguous."""
    assert instant == times.parse_instant(local, zone)
    assert instant == times.local_to_instant(datetime.fromisoformat(local), zone)
    assert seconds == times.epoch(instant)
    assert instant == times.from_epoch(seconds, zone)


@pytest.mark.parametrize(
    ("written", "zone", "instant"),
    [
        ("2026-03-19T08:30:00+01:00", "Europe/Berlin", "2026-03-19T08:30:00+01:00"),
        ("2026-03-19T07:30:00Z", "Europe/Berlin", "2026-03-19T08:30:00+01:00"),
        ("2026-03-19t07:30:00z", "Europe/Berlin", "2026-03-19T08:30:00+01:00"),
        ("2026-03-19T07:30Z", "Europe/Berlin", "2026-03-19T08:30:00+01:00"),
        ("2026-03-19T07:30:00.000Z", "Europe/Berlin", "2026-03-19T08:30:00+01:00"),
        ("2026-03-19T07:30:59.999999999Z", "Europe/Berlin", "2026-03-19T08:30:59+01:00"),
        ("2026-03-19T07:30:00-00:00", "Europe/Berlin", "2026-03-19T08:30:00+01:00"),
        ("2026-03-18T21:30:00-10:00", "Europe/Berlin", "2026-03-19T08:30:00+01:00"),
        ("2026-10-25T02:30:00+01:00", "Europe/Berlin", "2026-10-25T02:30:00+01:00"),
        ("2026-10-25T02:30:00+02:00", "Europe/Berlin", "2026-10-25T02:30:00+02:00"),
        ("2026-03-29T02:30:00+01:00", "Europe/Berlin", "2026-03-29T03:30:00+02:00"),
        ("2026-07-19T22:30:00Z", "Europe/Madrid", "2026-07-20T00:30:00+02:00"),
    ],
)
def test_an_offset_settles_the_moment(written, zone, instant):
    """Any offset is read, and the result is expressed in the zone; of an ambiguous hour the one that was said."""
    assert instant == times.parse_instant(written, zone)


@pytest.mark.parametrize(
    ("local", "zone"),
    [
        ("2026-03-29T02:30", "Europe/Berlin"),
        ("2026-03-29T02:00", "Europe/Berlin"),
        ("2026-03-29T01:59:59", "Europe/London"),
        ("2026-10-04T02:15", "Australia/Lord_Howe"),
        ("2024-04-26T00:30", "Africa/Cairo"),
        ("2011-12-30T12:00", "Pacific/Apia"),
    ],
)
def test_skipped_times_do_not_exist(local, zone):
    """A local time that the clocks skip is refused as such, half-hour changes and whole skipped days included."""
    with pytest.raises(GapTime):
        times.parse_instant(local, zone)


@pytest.mark.parametrize(
    "local", ["2026-03-29T01:59:59", "2026-03-29T03:00", "2026-10-25T01:59:59", "2026-10-25T03:00"]
)
def test_the_hours_around_a_change_exist(local):
    """The last moment before a change and the first after it are ordinary times."""
    assert local == times.parse_instant(local, "Europe/Berlin")[: len(local)]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "now",
        "2026-03-19",
        "08:30",
        "2026-03-19 08:30",
        "2026-03-19T08:30:00 01:00",
        "2026-3-19T08:30",
        "2026-02-30T08:30",
        "2026-03-19T24:00",
        "2026-03-19T08:60",
        "2026-03-19T08:30:60Z",
        "2026-03-19T08:30:00+0100",
        "2026-03-19T08:30:00+24:00",
        "2026-03-19T08:30:00.Z",
        "2026-03-19T08:30:00Z\n",
        "２０２６-03-19T08:30:00Z",  # noqa: RUF001 - full-width digits are the case
        "02026-03-19T08:30:00Z",
        "0000-03-19T08:30:00Z",
        "9999-12-31T23:30:00-10:00",
        "0001-01-01T00:30:00+10:00",
        "1773905400",
        "20260319T083000Z",
        "2026-W12-4T08:30",
    ],
)
def test_other_texts_are_no_times(text):
    """What is not RFC 3339 (seconds and offset may be missing), or is no day of the calendar, is refused."""
    with pytest.raises(TimeRefused) as refused:
        times.parse_instant(text, "Europe/Berlin")
    assert times.INSTANT == str(refused.value)


@pytest.mark.parametrize(
    "name", ["", "Europe/Bern2", "europe/berlin", "Europe", "../etc/passwd", "/etc/passwd", "Factory", "CEST"]
)
def test_only_iana_zones_are_zones(name):
    """A name that IANA does not list is refused, and never tried as a path."""
    with pytest.raises(ZoneUnknown):
        times.zone_of(name)


def test_every_listed_zone_has_rules():
    """Every name on the list can be used."""
    assert sorted(times.zone_names()) == sorted(times.zone_of(name).key for name in times.zone_names())


@pytest.mark.parametrize(
    ("day", "zone", "instant"),
    [
        (date(2026, 3, 29), "Europe/Berlin", "2026-03-29T00:00:00+01:00"),
        (date(2026, 3, 30), "Europe/Berlin", "2026-03-30T00:00:00+02:00"),
        (date(2024, 4, 26), "Africa/Cairo", "2024-04-26T01:00:00+03:00"),
        (date(2024, 11, 3), "America/Havana", "2024-11-03T00:00:00-04:00"),
    ],
)
def test_a_day_begins_with_its_first_instant(day, zone, instant):
    """That is midnight, the end of the gap where clocks skip midnight, and the first of two midnights."""
    assert instant == times.start_of_day(day, zone)


@pytest.mark.parametrize("text", ["2026-03-19", "2024-02-29", "0001-01-01", "9999-12-31"])
def test_days_are_read(text):
    """`YYYY-MM-DD` is read as it is written."""
    assert text == times.parse_date(text).isoformat()


@pytest.mark.parametrize(
    "text", ["", "2026-3-19", "2026-02-29", "20260319", "19.03.2026", "2026-03-19T00:00", "2026-W12-4", "2026-03-19\n"]
)
def test_other_texts_are_no_days(text):
    """Other forms and days that do not exist are refused."""
    with pytest.raises(TimeRefused):
        times.parse_date(text)


def test_clock_times_are_read():
    """`HH:MM` from 00:00 to 23:59 is read."""
    assert [time(0, 0), time(8, 30), time(23, 59)] == [times.parse_clock(text) for text in ("00:00", "08:30", "23:59")]


@pytest.mark.parametrize("text", ["", "8:30", "24:00", "08:60", "08:30:00", "0830", "08:30\n", "8.30"])
def test_other_texts_are_no_clock_times(text):
    """Other forms and hours that do not exist are refused."""
    with pytest.raises(TimeRefused):
        times.parse_clock(text)


@pytest.mark.parametrize(
    "instant", ["2026-03-19T08:30:00Z", "2026-03-19T08:30+01:00", "2026-03-19T08:30:00", "2026-03-19"]
)
def test_only_canonical_instants_are_counted_with(instant):
    """Arithmetic takes canonical instants and nothing that looks like one."""
    for use in (times.moment, times.epoch):
        with pytest.raises(TimeRefused):
            use(instant)
    with pytest.raises(TimeRefused):
        times.to_zone(instant, "UTC")


@pytest.mark.parametrize(
    ("written", "normal"),
    [
        ("2026-03-19T08:30:00+01:00", "2026-03-19T08:30:00+01:00"),
        ("2026-03-19T08:30:00Z", "2026-03-19T08:30:00+00:00"),
        ("2026-03-19T08:30:00-00:00", "2026-03-19T08:30:00+00:00"),
        ("2026-03-19T08:30:00.5-03:30", "2026-03-19T08:30:00-03:30"),
        ("2026-03-19T08:30z", "2026-03-19T08:30:00+00:00"),
    ],
)
def test_normal_instants_keep_their_offset(written, normal):
    """Normalising changes how a time is written and neither its moment nor its offset."""
    assert normal == times.normal_instant(written)


@pytest.mark.parametrize("text", ["2026-03-19T08:30:00", "2026-13-19T08:30:00+01:00", "", "x"])
def test_an_instant_without_a_zone_needs_an_offset(text):
    """Without a zone to read it in, a time must say its offset."""
    with pytest.raises(TimeRefused):
        times.normal_instant(text)


def test_offsets_of_local_mean_time_are_refused():
    """An offset with seconds cannot be written in RFC 3339, so such a time is refused rather than bent."""
    with pytest.raises(TimeRefused):
        times.parse_instant("1850-01-01T00:00", "Europe/Berlin")


@pytest.mark.parametrize("seconds", [10**12, -(10**12), 10**30])
def test_seconds_beyond_the_calendar_are_refused(seconds):
    """Seconds outside the years 1 to 9999 are refused and do not overflow."""
    with pytest.raises(TimeRefused):
        times.from_epoch(seconds, "UTC")


MOMENTS = st.datetimes(datetime(1980, 1, 1), datetime(2037, 12, 31), timezones=st.just(UTC))  # noqa: DTZ001 - bounds


@settings(max_examples=100)
@given(when=MOMENTS, zone=st.sampled_from(ZONES), other=st.sampled_from(ZONES))
def test_a_zone_changes_how_a_moment_is_written_and_not_the_moment(when, zone, other):
    """From zone to zone and back is the same text, and the seconds since 1970 stay."""
    instant = times.from_epoch(int(when.timestamp()), zone)
    assert instant == times.to_zone(times.to_zone(instant, other), zone)
    assert times.epoch(instant) == times.epoch(times.to_zone(instant, other))
    assert instant == times.parse_instant(instant, zone)
    assert instant == times.normal_instant(instant)


@settings(max_examples=100)
@given(when=MOMENTS, zone=st.sampled_from(ZONES))
def test_the_wall_clock_leads_back_to_the_moment(when, zone):
    """What the clocks show is placed at the same moment again, or an hour's change before it when that is ambiguous."""
    instant = times.from_epoch(int(when.timestamp()), zone)
    again = times.local_to_instant(times.wall_clock(instant, zone), zone)
    assert times.moment(again) in {times.moment(instant), times.moment(instant) - _change(instant, zone)}


def _change(instant: str, zone: str) -> timedelta:
    """By how much the two readings of an ambiguous local time differ; nothing otherwise."""
    local = times.wall_clock(instant, zone).replace(tzinfo=ZoneInfo(zone))
    return (local.replace(fold=0).utcoffset() or timedelta()) - (local.replace(fold=1).utcoffset() or timedelta())


@settings(max_examples=100)
@given(text=st.text(max_size=40), zone=st.sampled_from([*ZONES, "Nowhere/At_All"]))
def test_any_text_is_read_or_refused(text, zone):
    """No text makes anything but an instant or a refusal."""
    try:
        instant = times.parse_instant(text, zone)
    except TimeRefused:
        return
    assert instant == times.to_zone(instant, zone)


@pytest.mark.parametrize(
    ("zone", "end", "shown"),
    [
        ("Europe/Berlin", "2026-03-29T03:00:00+02:00", "2026-03-29 02:00"),
        ("Europe/London", "2026-03-29T02:00:00+01:00", "2026-03-29 01:00"),
        ("America/Santiago", "2026-09-06T01:00:00-03:00", "2026-09-06 00:00"),
        ("Australia/Lord_Howe", "2026-10-04T02:30:00+11:00", "2026-10-04 02:00"),
        ("Europe/Berlin", "2026-10-25T02:00:00+01:00", "2026-10-25 02:00"),
        ("Europe/Berlin", "2026-03-29T03:30:00+02:00", "2026-03-29 03:30"),
    ],
)
def test_the_end_of_an_interval_on_the_wall(zone, end, shown):
    """What ends as the clocks are put forward ends at the time until which they showed the old one."""
    assert shown == times.last_showing(end, zone).isoformat(" ", "minutes")


@pytest.mark.parametrize(
    ("zone", "start", "end", "told"),
    [
        ("Europe/Berlin", "2026-10-25T02:00:00+02:00", "2026-10-25T02:00:00+01:00", "2026-10-25T03:00:00+01:00"),
        ("Europe/Berlin", "2026-10-25T01:30:00+02:00", "2026-10-25T02:30:00+01:00", "2026-10-25T03:30:00+01:00"),
        ("Europe/Berlin", "2026-10-25T00:00:00+00:00", "2026-10-25T01:00:00+00:00", "2026-10-25T03:00:00+01:00"),
        # an end of its own
        ("Europe/Berlin", "2026-10-25T02:00:00+02:00", "2026-10-25T03:00:00+01:00", "2026-10-25T03:00:00+01:00"),
        ("Europe/Berlin", "2026-10-25T01:30:00+02:00", "2026-10-25T02:30:00+02:00", "2026-10-25T02:30:00+02:00"),
        ("Europe/Berlin", "2026-03-29T01:00:00+01:00", "2026-03-29T03:00:00+02:00", "2026-03-29T03:00:00+02:00"),
        ("Asia/Beirut", "2026-10-24T23:00:00+03:00", "2026-10-24T23:00:00+02:00", "2026-10-25T00:00:00+02:00"),
        ("Australia/Lord_Howe", "2026-04-05T01:30:00+11:00", "2026-04-05T01:30:00+10:30", "2026-04-05T02:00:00+10:30"),
    ],
)
def test_an_end_without_offset(zone, start, end, told):
    """An end that the clocks show for the second time is told as the beginning and the length by the clock."""
    assert told == times.clock_end(start, end, zone)
    assert told == times.parse_instant(told[:16], zone)


def test_what_is_made_of_a_secret_stays_that():
    """An instant that was read before as a plain text is still of its own type where it is made of a secret."""
    text = "2026-03-19T08:30:00+01:00"
    assert str is type(times.normal_instant(text))
    assert Credential is type(times.normal_instant(Credential(text)))
    assert str is type(times.normal_instant(text))
