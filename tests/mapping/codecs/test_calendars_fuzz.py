"""Whatever bytes a feed is, only our own errors leave its reader."""

from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.mapping.codecs.calendars import calendar_events
from gateway.values.strictjson import Unreadable
from tests.feeds import NOW, ZONE, feed, ids, read

TIMES = st.sampled_from(
    [
        "20260319T083000Z",
        "20260319T083000",
        "20260319",
        "99991231",
        "00010101T000000Z",
        "00000000",
        "",
        "x",
        "99991231T235960Z",
    ]
)
PARAMETERS = st.sampled_from(
    [
        "",
        ";VALUE=DATE",
        ";TZID=Europe/Berlin",
        ";TZID=Europe",
        ";TZID=",
        ';TZID="a',
        ";TZID=Our own",
        ";RANGE=THISANDFUTURE",
        ";FBTYPE=FREE",
    ]
)
RULES = st.lists(
    st.one_of(
        st.sampled_from(
            ["FREQ=DAILY", "FREQ=YEARLY", "FREQ=WEEKLY", "FREQ=MONTHLY", "FREQ=HOURLY", "WKST=SU", "BYDAY=-1SU,MO"]
        ),
        st.builds(
            "{}={}".format,
            st.sampled_from(
                ["COUNT", "INTERVAL", "UNTIL", "BYMONTH", "BYMONTHDAY", "BYYEARDAY", "BYWEEKNO", "BYSETPOS", "BYHOUR"]
            ),
            st.one_of(st.integers(-400, 400).map(str), TIMES, st.just("9" * 30)),
        ),
    ),
    max_size=5,
).map(";".join)
LINES = st.one_of(
    st.builds(
        "{}{}:{}".format,
        st.sampled_from(
            ["DTSTART", "DTEND", "RECURRENCE-ID", "RDATE", "EXDATE", "CREATED", "LAST-MODIFIED", "FREEBUSY"]
        ),
        PARAMETERS,
        st.one_of(
            TIMES, st.builds("{}/{}".format, TIMES, st.sampled_from(["P1D", "P9999999D", "PT", "20260320T000000Z"]))
        ),
    ),
    RULES.map("RRULE:{}".format),
    st.sampled_from(
        ["DURATION:P9999999D", "DURATION:-P1D", "DURATION:PT", "DURATION:P99999D", "UID:b", "SEQUENCE:-1", "EXRULE:x"]
    ),
    st.sampled_from(
        [
            "BEGIN:VALARM",
            "END:VALARM",
            "END:VEVENT",
            "BEGIN:VEVENT",
            "BEGIN:VFREEBUSY",
            "END:VFREEBUSY",
            "END:VCALENDAR",
        ]
    ),
    st.text(max_size=20),
)


@given(
    st.lists(st.lists(LINES, max_size=6).map("\n".join), min_size=1, max_size=3),
    st.sampled_from(["", ZONE, ZONE[:-60]]),
)
@settings(max_examples=300, deadline=None)
def test_only_our_own_errors_leave_the_reader(events, zone):
    """Whatever properties an event has, the answer is a list of events, each with an id of its own, or our refusal."""
    try:
        given_events = read(*(f"UID:a\nDTSTART:20260319T083000Z\n{event}" for event in events), before=zone)
    except Unreadable:
        return
    assert len(given_events) == len(set(ids(given_events)))


@given(st.binary(max_size=200), st.sampled_from(["utf-8", "iso-8859-1", "utf-16", "iso-2022-jp", "gb18030", "x"]))
def test_any_bytes_are_read_or_refused(body, charset):
    """Bytes that are nothing, or damage a feed, give our refusal and no other exception."""
    for whole in (body, feed("UID:a\nDTSTART:20260319T083000Z").replace(b"UID:a", b"UID:" + body)):
        try:
            assert isinstance(calendar_events(whole, NOW, charset=charset), list)
        except Unreadable:
            continue
