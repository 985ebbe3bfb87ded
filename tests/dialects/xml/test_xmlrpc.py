"""A server of XML-RPC (the one of Python's standard library) as a provider, by a mapping alone."""

import pytest

from gateway.values.errors import GatewayError
from gateway.values.secrets import Secret

NOTE = 'a < b & "c" Ö\r\n]]>'


async def test_calls(calling, xmlrpc):
    """Structures and lists of XML-RPC are read as they are, and texts reach the server as they were."""
    call = await calling("courts", base_url=f"http://127.0.0.1:{xmlrpc}")
    told = {one["id"]: (one["name"], one["bookable"]) for one in await call("resources.list")}
    assert {"1": ("Halle & <Hof>", True), "2": ("Platz", False)} == told
    assert {"number": "1", "note": NOTE.replace("\r\n", "\n")} == await call(
        "native.book", court=1, start="9", note=NOTE
    )


async def test_faults(calling, xmlrpc):
    """A fault of XML-RPC, inside HTTP 200, is what error rules make of it."""
    call = await calling("courts", base_url=f"http://127.0.0.1:{xmlrpc}")
    await call("native.book", court=1, start="9", note="")
    with pytest.raises(GatewayError) as taken:
        await call("native.book", court=1, start="9", note="")
    assert ("BOOKING_CONFLICT", "taken") == (taken.value.code, taken.value.provider["message"][-5:])
    other = await calling("courts", base_url=f"http://127.0.0.1:{xmlrpc}", password=Secret("wrong"))
    with pytest.raises(GatewayError) as refused:
        await other("resources.list")
    assert "PROVIDER_AUTH_FAILED" == refused.value.code
