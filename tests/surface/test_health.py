"""Probes: alive as long as the loop runs, ready only while work is wanted."""

from gateway.surface.health import READINESS


async def test_ready_only_between_start_and_stop(application, aiohttp_client):
    """An application is not ready before it has started, nor once it is told to stop; it lives all the time."""
    app = application.surface()
    assert "starting" == app[READINESS].state
    client = await aiohttp_client(app)
    assert (200, {"status": "ready", "catalog": "v1"}) == await _get(client, "/ready")
    app[READINESS].stop()
    assert (503, {"status": "stopping", "catalog": "v1"}) == await _get(client, "/ready")
    assert (200, {"status": "ok"}) == await _get(client, "/health")


async def test_stops_with_the_application(application, aiohttp_client):
    """Shutting down ends readiness also when nobody said so before."""
    app = application.surface()
    client = await aiohttp_client(app)
    await client.close()
    assert "stopping" == app[READINESS].state


async def test_no_provider_is_asked(call, provider):
    """A provider that is down makes no replica unready."""
    await call("GET", "/health")
    await call("GET", "/ready")
    assert [] == provider.asked


async def _get(client, path):
    response = await client.get(path)
    return response.status, await response.json()
