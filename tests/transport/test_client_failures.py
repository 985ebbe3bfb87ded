"""What the one HTTP client says when no answer arrives, and whom it does not call, against real sockets."""

import asyncio
import gzip
import socket
import ssl
import time
import traceback
from pathlib import Path

import aiohttp.abc
import pytest

from gateway.transport.client import Client
from gateway.values.errors import ProviderUnavailable
from gateway.values.messages import Request

LOOPBACK = ("127.0.0.1/32", "::1/128")
CANARY = "s3cret"
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"
HEAD = b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n"
NOT_GZIP = b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\nContent-Encoding: gzip\r\n\r\n123456789"
CUT_GZIP = b"HTTP/1.1 200 OK\r\nContent-Length: 14\r\nContent-Encoding: gzip\r\n\r\n" + gzip.compress(b"[]")[:14]


class Names(aiohttp.abc.AbstractResolver):
    """Looks names up in a table; an exception there is raised, and a name that is not there takes for ever."""

    def __init__(self, **names):
        self.names = names

    async def resolve(self, host, port=0, family=socket.AF_UNSPEC):
        found = self.names.get(host.removesuffix(".example"))
        if isinstance(found, Exception):
            raise found
        if found is None:
            await asyncio.sleep(60)
        shape = {"hostname": host, "port": port, "family": socket.AF_INET, "proto": 0, "flags": 0}
        return [{**shape, "host": address} for address in found]

    async def close(self):
        pass


async def failure(client, request):
    """Return what `send` raises, having looked for secrets in all that could be printed of it."""
    with pytest.raises(ProviderUnavailable) as raised:
        await client.send(request)
    printed = "".join(traceback.format_exception(raised.value))
    assert CANARY not in printed
    assert "127.0.0.1" not in printed
    return raised.value


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "POST"])
@pytest.mark.parametrize("end", ["leave", "reset"])
async def test_sent_once(client, provide, method, end):
    """Whatever the method, a server that disconnects without an answer has seen the request once."""
    provider = await provide(end)
    error = await failure(client, Request(method, provider.url))
    assert (True, "PROVIDER_UNAVAILABLE") == (error.sent, error.code)
    assert 1 == len(provider.heads)


async def test_sent_once_on_a_used_connection(client, provide):
    """A connection that breaks when it is used again does not bring a second attempt either."""
    provider = await provide(OK)
    await client.send(Request("GET", provider.url))
    provider.steps = ["leave"]
    assert (await failure(client, Request("GET", provider.url))).sent
    assert (1, 2) == (provider.connections, len(provider.heads))


@pytest.mark.parametrize(
    ("code", "detail", "steps"),
    [
        ("PROVIDER_TIMEOUT", "in time", ["hang"]),
        ("PROVIDER_TIMEOUT", "in time", [b"HTTP/1.1 200 OK\r\nX-A: ", "drip"]),
        ("PROVIDER_TIMEOUT", "in time", [HEAD, b"1", "hang"]),
        ("PROVIDER_TIMEOUT", "in time", [b"HTTP/1.1 200 OK\r\n\r\n", "drip"]),
        ("PROVIDER_UNAVAILABLE", "broke", ["leave"]),
        ("PROVIDER_UNAVAILABLE", "broke", ["reset"]),
        ("PROVIDER_UNAVAILABLE", "broke", [b"HTTP/1.1 2", "leave"]),
        ("PROVIDER_UNAVAILABLE", "broke", [HEAD, b"1", "leave"]),
        ("PROVIDER_UNAVAILABLE", "broke", [HEAD, b"1", "reset"]),
        ("PROVIDER_UNAVAILABLE", "decompressed", [NOT_GZIP]),
        ("PROVIDER_UNAVAILABLE", "decompressed", [CUT_GZIP]),
        ("PROVIDER_UNAVAILABLE", "decompressed", [CUT_GZIP.replace(b"gzip", b"brxx")]),
        ("PROVIDER_UNAVAILABLE", "not valid HTTP", [CANARY.encode() + b"\r\n\r\n", "leave"]),
        ("PROVIDER_UNAVAILABLE", "not valid HTTP", [b"HTTP/1.1 200 OK\r\nX-A: " + b"a" * 70_000 + b"\r\n\r\n"]),
        ("PROVIDER_UNAVAILABLE", "not valid HTTP", [b"HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n"]),
    ],
)
async def test_answer_lost(client, provide, code, detail, steps):
    """Once the request is out, whatever ends the exchange says that it was sent, and nothing of what it said."""
    provider = await provide(*steps)
    began = time.monotonic()
    error = await failure(client, Request("POST", f"{provider.url}/?key={CANARY}", body=CANARY.encode(), timeout=0.5))
    assert (code, True) == (error.code, error.sent)
    assert detail in error.detail
    assert time.monotonic() - began < 5
    assert 1 == len(provider.heads)


async def test_refused(client):
    """A refused connection is known not to have been sent."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        error = await failure(client, Request("POST", f"http://127.0.0.1:{taken.getsockname()[1]}/?key={CANARY}"))
    assert ("PROVIDER_UNAVAILABLE", False) == (error.code, error.sent)
    assert "The provider could not be connected to." == error.detail


@pytest.mark.parametrize("certificate", [None, Path(__file__).with_name("untrusted.pem")])
async def test_tls(client, certificate):
    """A server that speaks no TLS, or that nobody vouches for, never sees the request."""
    seen = []

    async def serve(reader, writer):
        writer.write(b"hello\r\n")
        seen.append(await reader.read(100) if certificate else b"")
        writer.close()

    context = None
    if certificate:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=context)
    async with server:
        port = server.sockets[0].getsockname()[1]
        error = await failure(client, Request("POST", f"https://localhost:{port}/?key={CANARY}", timeout=5))
    assert ("PROVIDER_UNAVAILABLE", False) == (error.code, error.sent)
    assert "No trusted TLS connection to the provider could be made." == error.detail
    assert b"" == b"".join(seen)


@pytest.mark.parametrize(
    ("detail", "host"),
    [
        ("could not be resolved", "missing.example"),
        ("not take the connection in time", "slow.example"),
        ("egress.allow", "private.example"),
        ("egress.allow", "metadata.example"),
    ],
)
async def test_names(provide, detail, host):
    """A name that leads nowhere, or inside, is known not to have been sent."""
    provider = await provide(OK)
    names = Names(missing=OSError(f"no {CANARY}"), private=["127.0.0.1"], metadata=["10.0.0.1", "169.254.169.254"])
    async with Client((), resolver=names) as client:
        error = await failure(client, Request("GET", f"http://{host}:{provider.port}/", timeout=0.3))
    assert ("PROVIDER_UNAVAILABLE", False) == (error.code, error.sent)
    assert detail in error.detail
    assert 0 == provider.connections


async def test_one_of_several_addresses(provide):
    """A name with an address that may not be called is reached at one that may."""
    provider = await provide(OK)
    async with Client(LOOPBACK, resolver=Names(both=["169.254.169.254", "127.0.0.1"])) as client:
        assert 200 == (await client.send(Request("GET", f"http://both.example:{provider.port}/"))).status


async def test_a_name_that_changes_its_mind(provide):
    """A name is judged by the address that is connected to, each time anew: an earlier answer permits nothing."""
    provider = await provide(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n", "leave")
    names = Names(turning=["127.0.0.1"])
    async with Client(["127.0.0.1/32"], resolver=names) as client:
        request = Request("POST", f"http://turning.example:{provider.port}/")
        assert 200 == (await client.send(request)).status
        names.names["turning"] = ["127.0.0.2"]
        client._session.connector.clear_dns_cache()
        assert "egress.allow" in (await failure(client, request)).detail
    assert 1 == provider.connections


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "localhost", "[::1]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "0.0.0.0"]
)
async def test_this_machine_is_private(provide, host):
    """This machine is not called unless it is allowed, in whichever way it is written."""
    provider = await provide(OK)
    async with Client(()) as client:
        error = await failure(client, Request("GET", f"http://{host}:{provider.port}/"))
    assert not error.sent
    assert "egress.allow" in error.detail
    assert 0 == provider.connections


@pytest.mark.parametrize("address", ["169.254.169.254", "10.0.0.1", "[fd00:ec2::254]", "[64:ff9b::a9fe:a9fe]"])
async def test_metadata_services(client, address):
    """No packet goes to a private address: the refusal comes at once, where a connection would hang."""
    began = time.monotonic()
    assert not (await failure(client, Request("GET", f"http://{address}/latest/meta-data", timeout=30))).sent
    assert time.monotonic() - began < 5


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
async def test_allowed(client, provide, host):
    """What the operator allows is called."""
    provider = await provide(OK)
    assert b"{}" == (await client.send(Request("GET", f"http://{host}:{provider.port}/"))).body


@pytest.mark.parametrize("seconds", [0.0, -1.0])
async def test_no_time(client, provide, seconds):
    """When no time is left nothing is sent; zero never means for ever."""
    provider = await provide("hang")
    error = await failure(client, Request("GET", provider.url, timeout=seconds))
    assert ("PROVIDER_TIMEOUT", False, 0) == (error.code, error.sent, provider.connections)


async def test_cancelled(client, provide):
    """A caller that stops waiting is not told that the provider failed."""
    provider = await provide("hang")
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.1):
            await client.send(Request("GET", provider.url))
    assert 1 == len(provider.heads)
