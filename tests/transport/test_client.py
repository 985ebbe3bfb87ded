"""What the one HTTP client sends and what it makes of answers that arrive, against real sockets."""

import gzip
import tracemalloc
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

import aiohttp
import pytest

from gateway import __version__
from gateway.transport.client import Client
from gateway.values.errors import AnswerMismatch, MappingFault
from gateway.values.http import retry_after
from gateway.values.messages import Request

CUT = gzip.compress(b"12")[:17]
"""All that was said, but not the end of it."""
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"


async def test_exchange(client, provide):
    """A request arrives as it was written, and the answer comes back whole."""
    provider = await provide(
        b"HTTP/1.1 201 Created\r\nContent-Length: 8\r\nX-A: 1\r\nx-a: 2\r\nX-B: \xc3\xa9 \xff\r\n\r\n",
        b'{"a": 1}',
    )
    response = await client.send(
        Request(
            "POST",
            f"{provider.url}/a%2Fb?c=1",
            headers=(("Content-Type", "application/json"), ("X-Key", "k"), ("X-Key", "l")),
            query=(("d e", "f+g"),),
            body=b"{}",
        )
    )
    assert (201, b'{"a": 1}') == (response.status, response.body)
    assert abs(parsedate_to_datetime(response.headers["date"]) - datetime.now(UTC)) < timedelta(minutes=5)
    assert {"content-length": "8", "x-a": "1", "x-b": "é \ufffd", "date": response.headers["date"]} == response.headers
    assert 0 < response.elapsed < 5
    first, *fields = provider.heads[0].split("\r\n")
    assert "POST /a%2Fb?c=1&d%20e=f%2Bg HTTP/1.1" == first
    expected = {"Content-Type: application/json", "X-Key: k", "X-Key: l", f"User-Agent: booking-gateway/{__version__}"}
    assert expected <= set(fields)
    assert [b"{}"] == provider.bodies


async def test_no_type_is_guessed(client, provide):
    """A body without a declared type is sent without one, also a large one."""
    provider = await provide(OK)
    await client.send(Request("POST", provider.url, body=b"a" * 2_000_000))
    assert [2_000_000] == [len(body) for body in provider.bodies]
    assert "content-type" not in provider.heads[0].lower()


async def test_no_content(client, provide):
    """A 204 is an answer with an empty body, and its connection is used again."""
    provider = await provide(b"HTTP/1.1 204 No Content\r\n\r\n")
    responses = [await client.send(Request("DELETE", provider.url)) for _ in range(2)]
    assert [(204, b""), (204, b"")] == [(response.status, response.body) for response in responses]
    assert 1 == provider.connections


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_redirect_is_an_answer(client, provide, status):
    """A redirect is given back and never followed: it could lead inside, and would carry the credentials along."""
    head = f"HTTP/1.1 {status} Elsewhere\r\nLocation: /elsewhere\r\nContent-Length: 0\r\n\r\n"
    provider = await provide(head.encode())
    response = await client.send(Request("POST", provider.url, body=b"{}"))
    assert (status, "/elsewhere") == (response.status, response.headers["location"])
    assert 1 == len(provider.heads)


async def test_no_cookies(client, provide):
    """A cookie is not kept: one caller's session at the provider must not serve the next."""
    provider = await provide(b"HTTP/1.1 200 OK\r\nSet-Cookie: a=b\r\nContent-Length: 0\r\n\r\n")
    await client.send(Request("GET", provider.url))
    await client.send(Request("GET", provider.url))
    assert 2 == len(provider.heads)
    assert "cookie" not in provider.heads[1].lower()


async def test_repeated_headers(client, provide):
    """Of a repeated header the first counts, but links are one list however many lines they come in (RFC 8288)."""
    lines = b"X-A: 1\r\nLink: </a>; rel=first\r\nX-A: 2\r\nlink: </b>; rel=next\r\n"
    provider = await provide(b"HTTP/1.1 200 OK\r\n" + lines + b"Content-Length: 0\r\n\r\n")
    answer = await client.send(Request("GET", provider.url))
    assert ("1", "</a>; rel=first, </b>; rel=next") == (answer.headers["x-a"], answer.headers["link"])


async def test_proxies_of_the_environment(client, provide, monkeypatch):
    """The environment's proxy is not used: it would call addresses that the guard never sees."""
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    monkeypatch.setenv("no_proxy", "")
    provider = await provide(OK)
    assert 200 == (await client.send(Request("GET", provider.url))).status


@pytest.mark.parametrize("most", [1_000, 65_536, 1_000_000])
async def test_size(client, provide, most):
    """An answer of exactly the permitted size is read, one byte more is a mismatch."""
    provider = await provide(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % most, b"a" * most)
    assert most == len((await client.send(Request("GET", provider.url, max_bytes=most))).body)
    with pytest.raises(AnswerMismatch, match=f"larger than {most - 1} bytes"):
        await client.send(Request("GET", provider.url, max_bytes=most - 1))


async def test_endless_body(client, provide):
    """An answer that never ends is cut at the permitted size and not read until the time is over."""
    provider = await provide(b"HTTP/1.1 200 OK\r\n\r\n", "flood")
    with pytest.raises(AnswerMismatch, match="larger than 1000000 bytes"):
        await client.send(Request("GET", provider.url, max_bytes=1_000_000, timeout=30))


async def test_compression(client, provide):
    """A compressed answer is asked for and arrives in the clear."""
    packed = gzip.compress(b'{"a": 1}')
    head = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(packed)
    provider = await provide(head, packed)
    assert b'{"a": 1}' == (await client.send(Request("GET", provider.url))).body
    assert "Accept-Encoding: gzip" in provider.heads[0]


@pytest.mark.parametrize(
    ("date", "wait"),
    [(b"", True), (b"Date: yesterday\r\n", True), (b"Date: Thu, 01 Jan 2099 00:00:00 GMT\r\n", False)],
)
async def test_a_date_of_retry_after(client, provide, date, wait):
    """A time in Retry-After is counted from the answer's Date, and from when it came where that says no time."""
    until = b"Retry-After: Thu, 01 Jan 2099 00:00:00 GMT\r\n"
    provider = await provide(b"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n" + date + until + b"\r\n")
    found = retry_after(await client.send(Request("GET", provider.url)))
    assert wait == (found == 86_400)
    assert wait or found is None


async def test_long_headers(client, provide):
    """Headers of 64 KiB, and some hundreds of them, are an answer like any other."""
    many = b"".join(b"X-%d: a\r\n" % number for number in range(400))
    head = b"HTTP/1.1 200 OK\r\nContent-Security-Policy: " + b"a" * 60_000 + b"\r\n" + many
    provider = await provide(head + b"Content-Length: 2\r\n\r\nok")
    response = await client.send(Request("GET", provider.url))
    assert (200, b"ok", "a") == (response.status, response.body, response.headers["x-399"])


async def test_bomb(client, provide):
    """The size is counted after decompression, and a small answer that unpacks to 100 MB does not take that memory."""
    packed = gzip.compress(bytes(100_000_000), 9)
    head = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(packed)
    provider = await provide(head, packed)
    tracemalloc.start()
    try:
        with pytest.raises(AnswerMismatch, match="larger than 1000000 bytes"):
            await client.send(Request("GET", provider.url, max_bytes=1_000_000))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 10_000_000


@pytest.mark.parametrize(
    ("expected", "steps"),
    [
        (b"1234", [b"HTTP/1.1 202 Accepted\r\nContent-Length: 4\r\n\r\n1234"]),
        (b"12345678", [b"HTTP/1.1 202 Accepted\r\nContent-Length: 9\r\n\r\n123456789"]),
        (b"aaaaaaaa", [b"HTTP/1.1 202 Accepted\r\n\r\n", "flood"]),
        (b"1", [b"HTTP/1.1 202 Accepted\r\nContent-Length: 9\r\n\r\n1", "leave"]),
        (b"1", [b"HTTP/1.1 202 Accepted\r\nContent-Length: 9\r\n\r\n1", "hang"]),
        (b"", [b"HTTP/1.1 202 Accepted\r\nContent-Length: 9\r\n\r\n", "reset"]),
        (b"", [b"HTTP/1.1 202 Accepted\r\nContent-Length: 9\r\nContent-Encoding: gzip\r\n\r\n123456789"]),
        (b"12", [b"HTTP/1.1 202 Accepted\r\nContent-Length: 17\r\nContent-Encoding: gzip\r\n\r\n" + CUT]),
        (b"", [b"HTTP/1.1 202 Accepted\r\nContent-Length: 2\r\nContent-Encoding: br\r\n\r\n12"]),
        (b"a", [b"HTTP/1.1 202 Accepted\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n", "leave"]),
    ],
)
async def test_the_status_is_enough(client, provide, expected, steps):
    """Where the status is what matters, a body is read so far at most, and one that breaks takes nothing back."""
    provider = await provide(*steps)
    response = await client.send(Request("POST", provider.url, body=b"{}", timeout=0.3, enough=8))
    assert (202, expected) == (response.status, response.body)
    assert 1 == len(provider.heads)


async def test_enough_of_a_bomb(client, provide):
    """Of a small answer that unpacks to 100 MB no more is unpacked than is read."""
    packed = gzip.compress(bytes(100_000_000), 9)
    head = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(packed)
    provider = await provide(head, packed)
    tracemalloc.start()
    try:
        assert bytes(9) == (await client.send(Request("POST", provider.url, enough=9))).body
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 10_000_000


async def test_connections_of_answers_of_which_the_status_is_enough(client, provide):
    """An answer that arrived whole leaves its connection for the next exchange; one that was cut does not."""
    provider = await provide(OK)
    for _ in range(3):
        await client.send(Request("POST", provider.url, enough=9))
    assert 1 == provider.connections
    provider.steps = [b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n1234", "hang"]
    await client.send(Request("POST", provider.url, enough=4))
    provider.steps = [OK]
    await client.send(Request("POST", provider.url, enough=9))
    assert (2, 5) == (provider.connections, len(provider.heads))


async def test_the_switch_against_second_attempts(client):
    """aiohttp's own second attempt is on by default and off in ours; the attribute is private, so it is pinned."""
    async with aiohttp.ClientSession() as usual:
        assert (True, False) == (usual._retry_connection, client._session._retry_connection)


@pytest.mark.parametrize(
    ("url", "headers"),
    [
        ("http://127.0.0.1:{port}/", (("X-A", "b\r\nX-C: d"),)),
        ("http://127.0.0.1:{port}/ HTTP/1.1\r\nX-C: d", ()),
        ("http://user@127.0.0.1:{port}/", ()),
    ],
)
async def test_injection(client, provide, url, headers):
    """A request that may not be sent reaches nobody."""
    provider = await provide(OK)
    with pytest.raises(MappingFault):
        await client.send(Request("GET", url.replace("{port}", str(provider.port)), headers))
    assert 0 == provider.connections


async def test_not_open():
    """A client is used inside its `async with`, and says so."""
    with pytest.raises(RuntimeError, match="not open"):
        await Client(()).send(Request("GET", "http://127.0.0.1/"))
