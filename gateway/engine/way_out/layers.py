"""The two layers of the way out that every exchange of a connection passes: what the trace sees, and HTTP itself."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from urllib.parse import urlsplit

from gateway.engine.tracing import NO_ANSWER, Record, Watch
from gateway.engine.way_out.exchange import Dispatch, Exchange
from gateway.telemetry import logs
from gateway.transport.limits import Gates
from gateway.values.errors import GatewayError, ProviderUnavailable, TooManyCalls
from gateway.values.messages import Call, Request, Response, Send


def http(client: Send, gates: Gates, clock: Callable[[], float]) -> Dispatch:
    """Give the innermost layer: the request is made and goes, one of so many at its host, within the call's time."""

    async def send(exchange: Exchange) -> Response:
        call, request = exchange.call, exchange.make()
        if call.deadline <= clock():
            raise ProviderUnavailable("The time for this call is used up.", sent=False, timed_out=True)
        host = urlsplit(request.url).netloc
        places = gates.places(host)
        if not places.enters(call.connection):
            await gates.at_host(host, call.connection, call.deadline)
        try:
            left = call.deadline - clock()
            return await _log(
                client, request if request.timeout <= left else replace(request, timeout=left), host, call
            )
        finally:
            places.leave(call.connection)

    return send


async def _log(client: Send, request: Request, host: str, call: Call) -> Response:
    """Send, and say so: the host and the status, never the URL."""
    id_, connection, method = call.request_id, call.connection, request.method
    try:
        response = await client(request)
    except ProviderUnavailable as error:
        logs.provider_failed(request=id_, connection=connection, method=method, host=host, reason=error.detail)
        raise
    status, seconds = response.status, response.elapsed
    logs.provider_answered(request=id_, connection=connection, method=method, host=host, status=status, seconds=seconds)
    return response


def recorded(send: Dispatch) -> Dispatch:
    """Wrap `send` so that a trace is told of each exchange, from when it waits for its turn; it changes nothing."""

    async def sending(exchange: Exchange) -> Response:
        if exchange.watch is None:
            return await send(exchange)
        return await _watch(send, exchange, exchange.watch)

    return sending


async def _watch(send: Dispatch, exchange: Exchange, watch: Watch) -> Response:
    record = watch.begin()

    def make() -> Request:
        request = _make(watch, record, exchange)
        watch.sent(record)
        return request

    try:
        record.response = await send(exchange.making(make))
    except GatewayError as error:
        record.settle(NO_ANSWER, error)
        if record.request is None and isinstance(error, TooManyCalls):
            _make(watch, record, exchange)  # its turn never came: what it would have sent
        raise
    finally:
        watch.end(record)
    return record.response


def _make(watch: Watch, record: Record, exchange: Exchange) -> Request:
    request = exchange.make()
    watch.made(record, request)
    return request
