"""What of a request may go on the wire."""

from urllib.parse import parse_qsl

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.transport.outgoing import check_headers, target
from gateway.values.errors import MappingFault
from gateway.values.messages import Request

CANARY = "s3cret"


@pytest.mark.parametrize(
    ("expected", "url", "query"),
    [
        ("https://a.example/b", "https://a.example/b", ()),
        ("https://a.example", "https://a.example", ()),
        ("https://a.example/b?c=d", "https://a.example/b", (("c", "d"),)),
        ("https://a.example/b?x=1&c=d", "https://a.example/b?x=1", (("c", "d"),)),
        ("https://a.example/b?c=1&c=2", "https://a.example/b", (("c", "1"), ("c", "2"))),
        ("https://a.example/b?c=d%20e%2Bf%26g%3D%2F%3F%23%25", "https://a.example/b", (("c", "d e+f&g=/?#%"),)),
        ("https://a.example/b?a%5Bb%5D%5B0%5D=%C3%A9%0D%0A", "https://a.example/b", (("a[b][0]", "é\r\n"),)),
        ("https://a.example/b%2Fc%3Fd%2e%2e?e=", "https://a.example/b%2Fc%3Fd%2e%2e", (("e", ""),)),
        ("http://[2606:4700::1111]:8080/", "http://[2606:4700::1111]:8080/", ()),
        ("https://xn--bro-hoa.example/", "https://xn--bro-hoa.example/", ()),
    ],
)
def test_target(expected, url, query):
    """The query is appended percent-encoded and what the URL already holds is sent as it is."""
    assert expected == str(target(Request("GET", url, query=query)))


@given(st.lists(st.tuples(st.text(st.characters(codec="utf-8"), min_size=1), st.text(st.characters(codec="utf-8")))))
def test_query_arrives(pairs):
    """Whatever text the pairs hold, a server reads the same pairs."""
    url = target(Request("GET", "https://a.example/b", query=tuple(pairs)))
    assert pairs == parse_qsl(url.raw_query_string, keep_blank_values=True, strict_parsing=bool(pairs))


@pytest.mark.parametrize(
    ("because", "url"),
    [
        ("character", "https://a.example/b c"),
        ("character", "https://a.example/b\r\nX-A: b"),
        ("character", "https://a.example/\x00"),
        ("character", "https://a.example/é"),
        ("character", "https://①②⑦.0.0.1/"),
        ("character", "https://a.example\\@b.example/"),
        ("fragment", "https://a.example/b#c"),
        ("character", ""),
        ("http://", "ftp://a.example/b"),
        ("http://", "file:///etc/passwd"),
        ("http://", "/b/c"),
        ("http://", "//a.example/b"),
        ("user name", f"https://user:{CANARY}@a.example/"),
        ("user name", f"https://{CANARY}@a.example/"),
        ("user name", "https://@a.example/"),
        ("cannot be read", "https://a.example:port/"),
        ("cannot be read", "https://a.example:99999/"),
        ("cannot be read", "https://[::1/"),
        ("host", "https:///b"),
        ("host", "https://a.example:0/"),
        ("host", "https://127.1/"),
        ("host", "https://2130706433/"),
        ("host", "https://0177.0.0.1/"),
        ("host", "https://127.0.0.1./"),
        ("host", "https://[fe80::1%25eth0]/"),
        ("host", "https://[fe80::1%eth0]/"),
        ("host", "https://a..example/"),
        ("host", "https://-a.example/"),
        ("host", f"https://{'a' * 64}.example/"),
        ("host", f"https://{'a.' * 127}example/"),
        ("host", "https://a%2eexample/"),
        ("host", "https://a;b.example/"),
    ],
)
def test_url_refused(because, url):
    """A URL that a client and a server could read differently is refused, and the message does not repeat it."""
    with pytest.raises(MappingFault, match=because) as refusal:
        target(Request("GET", url))
    assert CANARY not in str(refusal.value)


def test_headers_pass():
    """Any token names a header, and any printable Latin-1 text and tab is a value."""
    check_headers(Request("GET", "https://a.example", headers=(("X-Company!", "a\tb ~ é"), ("X-Company!", ""))))
    check_headers(Request("GET", "https://a.example", headers=(("Accept-Encoding", "identity"),)))


@pytest.mark.parametrize(
    ("because", "name", "value"),
    [
        ("name of a header", "", "a"),
        ("name of a header", "X A", "a"),
        ("name of a header", "X-A:", "a"),
        ("name of a header", "X-A\r\nX-B", "a"),
        ("name of a header", "X-Ä", "a"),
        ("value of the header x-a", "X-A", f"{CANARY}\r\nX-B: c"),
        ("value of the header x-a", "X-A", f"{CANARY}\n"),
        ("value of the header x-a", "X-A", f"{CANARY}\x00"),
        ("value of the header x-a", "X-A", f"{CANARY}\x7f"),
        ("value of the header x-a", "X-A", f"{CANARY}\u2028"),
        ("value of the header x-a", "X-A", f"{CANARY}\ud800"),
        ("written by the gateway", "Accept-Encoding", "br"),
        ("written by the gateway", "Host", "b.example"),
        ("written by the gateway", "Transfer-Encoding", "chunked"),
        ("written by the gateway", "CONTENT-LENGTH", "0"),
    ],
)
def test_header_refused(because, name, value):
    """A header that could end early, begin another one or reframe the message is refused without repeating it."""
    with pytest.raises(MappingFault, match=because) as refusal:
        check_headers(Request("GET", "https://a.example", headers=((name, value),)))
    assert CANARY not in str(refusal.value)
