"""`gateway call`: make one call as a caller would, with every exchange shown on request."""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import re
import sys
from collections.abc import Iterator
from urllib.parse import urlencode

from gateway import config
from gateway.application import Ambient, open_engine, open_vault
from gateway.cli import options, serve
from gateway.config import Settings
from gateway.engine.catalog import Catalog, Connection
from gateway.engine.tracing import (
    CALL,
    NO_ANSWER,
    SESSION_REFUSED,
    STATUS,
    SUCCESS,
    UNREAD,
    UNREADABLE,
    Trace,
    TracedExchange,
)
from gateway.mapping.compiler.operations.native import native_arguments
from gateway.model.model import Operation
from gateway.model.model import arguments as checked
from gateway.model.model import load as load_model
from gateway.values.errors import CallInvalid, GatewayError
from gateway.values.messages import Call, Json, Reply

HELP = "Make one call on a connection and print the canonical answer."
EXAMPLES = """examples:
  gateway call club-b services.list
  gateway call club-b slots.list from=2026-12-01T00:00 to=2026-12-02T00:00 service_id=1 --trace
  gateway call club-a bookings.create start=2026-12-01T10:00 resource_id=49 'customer={"name": "Jane Doe"}'
  gateway call club-b native.getPromocodeInfo code=SPRING

values are JSON where they parse as JSON, and text otherwise; '"49"' is the text 49"""
_A_WAIT = 0.01
"""Seconds; shorter ones are no news."""
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
_VERDICTS = {
    SUCCESS: "a success",
    STATUS: "by the status: no error rule matched",
    UNREADABLE: "the answer does not fit",
    SESSION_REFUSED: "the session was refused",
    NO_ANSWER: "no answer",
    UNREAD: "the call ended before this was read",
}


def configure(parser: argparse.ArgumentParser) -> None:
    """Describe the verb."""
    parser.add_argument("connection", metavar="CONNECTION")
    parser.add_argument("operation", metavar="OPERATION", help="canonical, or native.NAME")
    parser.add_argument("arguments", nargs="*", metavar="NAME=VALUE")
    parser.add_argument("--trace", action="store_true", help="show each request, answer and rule, secrets masked")
    options.add_config(parser)


def run(arguments: argparse.Namespace) -> int:
    """Make the call; 1 when it fails."""
    loaded = options.load(arguments.config, config.environment())
    if loaded is None:
        return 1
    given = _give(arguments.arguments)
    if given is None:
        return 2
    settings, catalog = loaded
    serve.start_logging(settings, catalog, sys.stderr, level=logging.CRITICAL)  # what went wrong is printed below
    trace = Trace() if arguments.trace else None
    try:
        reply = asyncio.run(_call(settings, catalog, arguments.connection, arguments.operation, given, trace))
    except GatewayError as error:
        _print_trace(trace)
        print(json.dumps(_problem(error), indent=2, ensure_ascii=False), file=sys.stderr)
        return 1
    _print_trace(trace)
    for one in reply.warnings:
        print(f"warning: {one['message']}", file=sys.stderr)
    print(json.dumps(reply.data, indent=2, ensure_ascii=False))
    return 0


def _give(pairs: list[str]) -> dict[str, Json] | None:
    found: dict[str, Json] = {}
    for pair in pairs:
        name, equals, text = pair.partition("=")
        if not equals or not name:
            print(f"`{pair}` is not NAME=VALUE", file=sys.stderr)
            return None
        try:
            found[name] = json.loads(text)
        except ValueError:
            found[name] = text
    return found


async def _call(
    settings: Settings, catalog: Catalog, name: str, operation: str, given: dict[str, Json], trace: Trace | None
) -> Reply:
    ambient = Ambient()
    async with open_vault(settings, ambient) as vault, open_engine(settings, catalog, ambient, vault=vault) as engine:
        connection = engine.connection(name)
        plan = engine.operation(connection, operation)
        if operation.startswith("native."):
            args = native_arguments(plan, given)
        else:
            args = _arguments(engine.model.operations[operation], given, connection)
        call = Call(name, operation, args, "cli", deadline=asyncio.get_running_loop().time() + settings.timeout)
        return await engine.run(call, trace)


def _arguments(operation: Operation, given: dict[str, Json], connection: Connection) -> dict[str, Json]:
    """Check what was given. Raises CallInvalid, also for what only shapes an HTTP answer, such as pages."""
    problems = [
        {"field": name, "problem": "shapes the HTTP answer; here everything is printed"}
        for name in given
        if name in operation.common or name == operation.sort
    ]
    if problems:
        raise CallInvalid(f"`{problems[0]['field']}` {problems[0]['problem']}.", details={"fields": problems})
    return checked(operation, given, connection.zone)


def _problem(error: GatewayError) -> dict[str, Json]:
    known = load_model().errors[error.code]
    told = {"code": error.code, "message": error.detail or known.meaning, "details": error.details}
    return (
        told
        | ({"provider": error.provider} if error.provider else {})
        | ({"origin": error.origin} if error.origin else {})
    )


def _print_trace(trace: Trace | None) -> None:
    if trace is None:
        return
    for number, one in enumerate(trace.exchanges, 1):
        print("\n".join(_escape(line) for line in _exchange(number, one)), file=sys.stderr)
    if not trace.exchanges:
        print("no request was made", file=sys.stderr)


def _exchange(number: int, one: TracedExchange) -> Iterator[str]:
    """The lines of one exchange: what the mapping says, what was sent, what came, and what it was taken for."""
    request, response = one.request, one.response
    kind = "" if one.purpose == CALL else f" [{one.purpose}]"
    again = "" if one.attempt == 1 else f" [attempt {one.attempt}]"
    yield f"{number}. {one.step}   ({one.origin}){kind}{again}"
    if one.waited >= _A_WAIT:
        yield f"   waited {one.waited:.2f} s for its turn"
    query = f"?{urlencode(request.query, safe='*')}" if request.query else ""
    yield f"   {request.method} {request.url}{query}"
    yield from (f"   {name}: {value}" for name, value in request.headers)
    if request.body:
        yield f"   {request.body.decode()}"
    if response is not None:
        yield f"   → {response.status} in {one.seconds * 1000:.0f} ms: {response.body.decode()}"
        yield from (f"     {name}: {value}" for name, value in response.headers.items())
    yield f"   = {_settle(one)}"


def _settle(one: TracedExchange) -> str:
    """What settled an exchange, in words."""
    if one.rule is not None:
        return f"{one.rule.code}, by the error rule at {one.rule.origin} ({one.rule.text})"
    words = _VERDICTS[one.verdict]
    return ": ".join(part for part in (f"{one.code}, {words}" if one.code else words, one.error) if part)


def _escape(line: str) -> str:
    """A line without what could drive a terminal; a body keeps its own line breaks."""
    return _CONTROL.sub(lambda found: found[0].encode("unicode_escape").decode(), line)
