"""iCalendar feeds for tests: written of a few properties, and read."""

from gateway.mapping.codecs.calendars import calendar_events

NOW = "2026-03-01T09:00:00+01:00"
WEEKLY = "UID:w\nDTSTART;TZID=Europe/Berlin:20260302T100000\nDURATION:PT1H\nRRULE:FREQ=WEEKLY;COUNT=5"


def feed(*events, before="", kind="VEVENT"):
    """Write a calendar of events, each a text with a property a line."""
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", *before.strip().split("\n")]
    for event in events:
        lines += [f"BEGIN:{kind}", *event.strip().split("\n"), f"END:{kind}"]
    return "\r\n".join([line for line in [*lines, "END:VCALENDAR", ""] if line or line == lines[-1]]).encode()


def read(*events, before="", kind="VEVENT", asked=(None, None)):
    """Read such a calendar."""
    return calendar_events(feed(*events, before=before, kind=kind), NOW, asked)


def ids(events):
    """What mappings make ids of."""
    return [(event["key"], event.get("recurrence")) for event in events]


ZONE = """
BEGIN:VTIMEZONE
TZID:Our own
BEGIN:STANDARD
DTSTART:16011028T030000
RRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=10
TZOFFSETFROM:+0200
TZOFFSETTO:+0100
END:STANDARD
BEGIN:DAYLIGHT
DTSTART:16010325T020000
RRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=3
TZOFFSETFROM:+0100
TZOFFSETTO:+0200
END:DAYLIGHT
END:VTIMEZONE
"""
