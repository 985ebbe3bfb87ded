"""Golden examples run through the engine against their recorded exchanges.

Nothing is sent: the provider's side is the recording, and a request that no exchange expects is a difference.
"""

from __future__ import annotations

import itertools
import json
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import parse_qsl, urlencode

from gateway import auth
from gateway.catalog import Catalog, Connection
from gateway.engine import Engine
from gateway.errors import GatewayError, NotMapped
from gateway.examples import Example, Examples, Exchange, HookExample, written
from gateway.mapping.hooks_translate import FORGED, is_equal, is_forged, to_messages, to_reply
from gateway.mapping.native import native_arguments
from gateway.mapping.plan import Scope
from gateway.mapping.plan_hooks import HookPlan
from gateway.messages import Call, Json, Message, Request, Response
from gateway.model.model import Model, arguments
from gateway.strictjson import JsonRefused, decode_json

_TRY_AGAIN: Final = 503
"""What the sender of a message is told whose object cannot be fetched now."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one example: nothing to say, or the differences."""

    example: Example | HookExample
    differences: tuple[str, ...]


@dataclass(slots=True)
class _Playback:
    """The provider's side of one example. A request gets the first exchange that expects it and was not used."""

    exchanges: list[Exchange]
    unexpected: list[str] = field(default_factory=list)

    async def send(self, request: Request) -> Response:
        problems = []
        for exchange in self.exchanges:
            difference = request_differs(exchange, request)
            if not difference:
                self.exchanges.remove(exchange)
                return Response(exchange.status, exchange.answer_headers, _same_id(exchange, request))
            problems.append(f"  {exchange.origin}: {difference}")
        sent = f"{request.method} {request.url}" + (f"?{urlencode(request.query)}" if request.query else "")
        told = "\n".join(problems) or "  no exchange is left"
        self.unexpected.append(
            f"sent {sent} {request.body.decode(errors='replace')}, which no exchange expects:\n{told}"
        )
        return Response(599, {}, b"")


class _FetchFailed(Exception):
    """The object of a thin message could not be fetched, because of `cause`."""

    def __init__(self, cause: GatewayError) -> None:
        super().__init__(cause.code)
        self.cause = cause


def _same_id(exchange: Exchange, request: Request) -> bytes:
    """A JSON-RPC answer carries the id of its request, whatever the recording had."""
    if exchange.body_kind != "jsonrpc":
        return exchange.answer
    try:
        answer, sent = decode_json(exchange.answer), decode_json(request.body)
    except JsonRefused:
        return exchange.answer
    return written({**answer, "id": sent["id"]}) if isinstance(answer, dict) and "id" in answer else exchange.answer


def request_differs(exchange: Exchange, request: Request) -> str:
    """How a request differs from what an exchange expects; empty when it does not."""
    if exchange.method != request.method or exchange.url.rstrip("/") != request.url.rstrip("/"):
        return f"expects {exchange.method} {exchange.url}"
    if (query := dict(request.query)) != exchange.query:
        return "query: " + "; ".join(differences(dict(exchange.query), query))
    headers = {name.lower(): value for name, value in request.headers}
    for name, value in exchange.headers.items():
        if headers.get(name) != value:
            return f"header {name} is not as expected"
    found = differences(exchange.body, _body(request, exchange.body_kind))
    return "body: " + "; ".join(found) if found else ""


def _body(request: Request, kind: str) -> Json:
    if not request.body:
        return None
    if kind == "form":
        return dict(parse_qsl(request.body.decode(), keep_blank_values=True))
    body = decode_json(request.body)
    if kind == "jsonrpc":
        return {"method": body.get("method"), "params": body.get("params")}
    return body


def differences(expected: Json, actual: Json, path: str = "") -> list[str]:
    """Every place in which two JSON values differ, one sentence each. 1 and true are different, 1 and 1.0 are not."""
    if isinstance(expected, dict) and isinstance(actual, dict):
        found = []
        for key in dict.fromkeys([*expected, *actual]):
            where = f"{path}.{key}" if path else str(key)
            if key not in actual:
                found.append(f"{where} is missing, expected {_short(expected[key])}")
            elif key not in expected:
                found.append(f"{where} was not expected, got {_short(actual[key])}")
            else:
                found += differences(expected[key], actual[key], where)
        return found
    if isinstance(expected, list) and isinstance(actual, list) and len(expected) == len(actual):
        both = enumerate(zip(expected, actual, strict=True))
        return [line for i, (one, other) in both for line in differences(one, other, f"{path}[{i}]")]
    same_kind = isinstance(expected, bool) == isinstance(actual, bool)
    if same_kind and expected == actual:
        return []
    return [f"{path or 'the value'}: expected {_short(expected)}, got {_short(actual)}"]


def _short(value: Json) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 200 else f"{text[:200]}…"  # noqa: PLR2004 - a line of a terminal or two


async def run_example(examples: Examples, example: Example, model: Model) -> Outcome:
    """Run one example through the engine and compare everything: requests, result or error."""
    playback = _Playback(list(example.exchanges))
    engine = _engine(examples, example, model, playback)
    try:
        found, failed = await _run(engine, example.connection, example, playback), None
    except GatewayError as error:
        found, failed = None, error
    return Outcome(example, (*_unasked(playback), *_judged(example, found, failed)))


def _engine(examples: Examples, example: Example | HookExample, model: Model, playback: _Playback) -> Engine:
    """An engine whose provider is the recording, with the session that the examples have."""
    catalog = Catalog("examples", {}, {"example": example.connection})
    ticks = itertools.count()
    engine = Engine(catalog, model, playback.send, clock=lambda: float(next(ticks)), now=lambda: example.now)
    for scheme in ("", *example.connection.provider.auths):
        session = engine.session(example.connection, scheme)
        if examples.token and example.operation != "login":
            session.token, session.fetched = examples.token, 0.0
    return engine


def _unasked(playback: _Playback) -> list[str]:
    """What was sent and not expected, and what was expected and not sent."""
    left = [f"{left.origin}: this exchange was expected and never asked for" for left in playback.exchanges]
    return [*playback.unexpected, *left]


async def run_hook(examples: Examples, example: HookExample, model: Model) -> Outcome:
    """Run an example of a hook, what it fetches included, and compare everything: messages or error, and the reply.

    Who sent it is taken as proved, but for what the hook itself compares and fetches.
    """
    playback = _Playback(list(example.exchanges))
    engine = _engine(examples, example, model, playback)
    hook = example.connection.provider.hooks.get(example.hook)
    scope = {**example.connection.scope, "now": example.now.isoformat(timespec="seconds")}
    found: list[dict[str, Json]] = []
    failed: GatewayError | None = None
    status = 0
    try:
        found = [await _told(engine, example, message) for message in _messages(hook, example, scope)]
    except _FetchFailed as error:
        failed, status = error.cause, _TRY_AGAIN
        if hook is not None and is_forged(hook, error.cause):
            failed, status = GatewayError("The message is forged.", code=FORGED), 0
    except GatewayError as error:
        failed = error
    reply = to_reply(hook, failed.code if failed is not None else None, scope) if hook is not None else None
    if reply is None and failed is not None:
        reply = Response(status or model.errors[failed.code].status, {}, b"")
    told = _judged(example, _as_written(found, example.gives), failed)
    return Outcome(example, (*_unasked(playback), *told, *_answered(example, reply)))


def _as_written(found: list[dict[str, Json]], written: Json) -> list[dict[str, Json]]:
    """The messages without the fetches that the example does not write: they are seen by what they give."""
    wanted = written if isinstance(written, list) else []
    return [
        {key: value for key, value in one.items() if key != "fetch" or (at < len(wanted) and key in wanted[at])}
        for at, one in enumerate(found)
    ]


def _messages(hook: HookPlan | None, example: HookExample, scope: Scope) -> list[Message]:
    if hook is None:
        raise NotMapped(f"There is no hook `{example.hook}` here.")
    if not is_equal(hook, example.received, scope):
        raise GatewayError("The message is not for this connection.", code=FORGED)
    return [message for _, message in to_messages(hook, example.received, scope)]


async def _told(engine: Engine, example: HookExample, message: Message) -> dict[str, Json]:
    """A message as examples write it; the object of a thin one is fetched."""
    told: dict[str, Json] = {"type": message.type}
    if message.data is not None:
        told["data"] = dict(message.data)
    if message.fetch is not None:
        name, given = message.fetch
        told["fetch"] = {"run": name, "with": dict(given)}
        try:
            args = arguments(engine.model.operations[name], given, example.connection.zone)
            told["data"] = (await engine.run(Call("example", name, args, "example", deadline=1e9))).data
        except GatewayError as error:
            raise _FetchFailed(error) from error
    return told


def _answered(example: HookExample, reply: Response | None) -> list[str]:
    """How the reply differs from what is written of it."""
    if reply is None:
        return []
    actual: dict[str, Json] = {"status": reply.status, "text": reply.body.decode()}
    if "json" in example.reply:
        actual["json"] = decode_json(reply.body) if "json" in reply.headers.get("content-type", "") else None
    return differences(dict(example.reply), {key: actual.get(key) for key in example.reply}, "reply")


async def _run(engine: Engine, connection: Connection, example: Example, playback: _Playback) -> Json:
    if example.operation == "login":
        scope = {**connection.revealed, "now": example.now.isoformat(timespec="seconds")}
        return await auth.login(playback.send, connection.provider.auth, scope, connection.provider.rules)
    plan = engine.operation(connection, example.operation)
    if plan.name.startswith("native."):
        args = native_arguments(plan, example.args)
    else:
        args = arguments(engine.model.operations[plan.name], example.args, connection.zone)
    reply = await engine.run(Call("example", example.operation, args, "example", deadline=1e9))
    return reply.data


def _judged(example: Example | HookExample, found: Json, failed: GatewayError | None) -> list[str]:
    if example.fails is None:
        if failed is not None:
            return [f"failed with {failed.code}: {failed.detail}"]
        return differences(example.gives, found)
    if failed is None:
        return [f"expected {example.fails.get('code')}, but it succeeded with {_short(found)}"]
    actual = {
        "code": failed.code,
        "provider_code": failed.provider.get("code"),
        "provider_message": failed.provider.get("message"),
        "details": failed.details,
        "retry_after": failed.retry_after,
        "detail": failed.detail,
    }
    return differences(dict(example.fails), {key: actual.get(key) for key in example.fails})
