"""What a header field says: how long to wait, and what belongs to the answer."""

import pytest

from gateway.values.http import link, retry_after
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


@pytest.mark.parametrize(
    ("header", "target"),
    [
        ('<https://a.example/x?page=2>; rel="next", </x?page=9>; rel=last', "https://a.example/x?page=2"),
        ('<a,b;c>; title="x, y;\\" z"; rel="prev NEXT"', "a,b;c"),
        ('<a>; rel=next; anchor="#x", <b>;rel=next', "b"),
        (", <a> ; rel = next ,", "a"),
        ("<a>;;rel=next;", "a"),
        ("<q>; rel=prev; rel=next", None),
        ('<a>; title="rel=next"', None),
        ("", None),
    ],
)
def test_linked(header, target):
    """The first link of the relation is given, as RFC 8288 reads the header; what is about something else is not."""
    assert target == link(header, "next")


@pytest.mark.parametrize(
    "header", ["a", "<a", "<a> rel=next", '<a>; rel="x', "<a>; rel=next <b>", "<a>" + "; " * 9999 + "?"]
)
def test_no_link_header(header):
    """What is no Link header is told, so that nobody takes it for one without a next page; at once, however long."""
    with pytest.raises(ValueError, match="Link"):
        link(header, "next")
