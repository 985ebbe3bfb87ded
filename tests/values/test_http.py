"""What a header field says: how long to wait."""

import pytest

from gateway.values.http import retry_after
from gateway.values.messages import Response

BIG = "9" * 20


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("120", 120.0),
        (" 5 ", 5.0),
        ("0", None),
        ("-5", None),
        ("1.5", None),
        ("١٢", None),
        ("99999999999999999999", 86_400.0),
        ("Sun, 01 Mar 2026 09:00:30 GMT", 30.0),
        ("Sun, 01 Mar 2026 10:00:30 +0100", 30.0),
        ("Sun, 01 Mar 2026 08:59:00 GMT", None),
        ("Fri, 01 Jan 2027 00:00:00 GMT", 86_400.0),
        ("Sun, 01 Mar 2026 09:00:30", None),
        ("soon", None),
        ("", None),
        ("Fri, 99 Foo 2026 99:99:99 GMT", None),
        *((f"Sun, {BIG} Mar 2026 09:00:00 GMT", None), (f"Sun, 01 Mar {BIG} 09:00:00 GMT", None)),
        *((f"Sun, 01 Mar 2026 {BIG}:00:00 GMT", None), (f"Sun, 01 Mar 2026 09:00:00 +{BIG}", None)),
    ],
)
def test_retry_after(text, seconds):
    """Retry-After is read as seconds or as a date against the answer's own date, at most a day; the rest is nothing."""
    headers = {"retry-after": text, "date": "Sun, 01 Mar 2026 09:00:00 GMT"}
    assert seconds == retry_after(Response(503, headers, b""))


def test_retry_after_without_a_clock():
    """A date cannot be understood in an answer that does not tell its own; no header is no wait."""
    assert retry_after(Response(503, {"retry-after": "Sun, 01 Mar 2026 09:00:30 GMT"}, b"")) is None
    assert retry_after(Response(503, {}, b"")) is None
