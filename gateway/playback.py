"""Golden examples run through the engine against their recorded exchanges.

Nothing is sent: the provider's side is the recording, and a request that no exchange expects is a difference.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final
from urllib.parse import parse_qsl, urlencode

from gateway import auth
from gateway.catalog import Catalog, Connection
from gateway.document import suggestion
from gateway.engine import Engine
from gateway.examples import Example, Examples, HookExample
from gateway.exchanges import Exchange, written
from gateway.mapping.asks_translate import to_answer, to_asked
from gateway.mapping.hooks_translate import FORGED, is_equal, is_forged, to_messages, to_reply
from gateway.mapping.native import native_arguments
from gateway.mapping.plan import Scope
from gateway.mapping.plan_hooks import AskingHook, Hook, TellingHook
from gateway.mapping.plan_provider import SessionAuth
from gateway.model.model import Model, TypeRefused, arguments
from gateway.model.types import list_of
from gateway.values.errors import GatewayError, MappingFault, NotMapped
from gateway.values.messages import Call, Json, Message, Reply, Request, Response
from gateway.values.strictjson import JsonRefused, decode_json

_TRY_AGAIN: Final = 503
"""What the sender of a message is told whose object cannot be fetched now, and a marketplace that shall ask again."""
_GIVEN: Final = {"slots": ("Slot", True), "resources": ("Resource", True), "booking": ("Booking", False)}
"""What requests are given, by name: the resource, and whether it is a list of it; else it may be null."""


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
        found, failed = Reply(None), error
    told = [*_judged(example, found.data, failed), *_warned(example, found)]
    return Outcome(example, (*_unasked(playback), *told))


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
    hook = example.connection.provider.hooks.get(example.hook)
    if isinstance(hook, AskingHook):
        return Outcome(example, tuple(_asked(hook, example, model)))
    playback = _Playback(list(example.exchanges))
    engine = _engine(examples, example, model, playback)
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
    if failed is not None:
        reply: Response | None = _refusal(hook, failed.code, scope, model, status)
    else:
        reply = to_reply(hook, None, scope) if hook is not None else None
    told = _judged(example, _as_written(found, example.gives), failed)
    return Outcome(example, (*_unasked(playback), *told, *_answered(example, reply)))


def _refusal(hook: Hook | None, code: str, scope: Scope, model: Model, status: int = 0) -> Response:
    """What the sender is answered to an error: as the mapping says, else by this status, or that of the code."""
    told = to_reply(hook, code, scope, again=model.errors[code].retryable) if hook is not None else None
    return told or Response(status or model.errors[code].status, {}, b"")


def _asked(hook: AskingHook, example: HookExample, model: Model) -> Iterator[str]:
    """Compare what is asked with what an example says of it, and the answer with that to what the example gives."""
    scope = {**example.connection.scope, "now": example.now.isoformat(timespec="seconds")}
    try:
        ask, asked = to_asked(hook, example.received, scope)
        _check_equal(hook, example, scope)
    except GatewayError as failed:
        yield from _judged(example, None, failed)
        yield from _answered(example, _refusal(hook, failed.code, scope, model))
        return
    yield from _judged(example, {"request": asked.request, "data": dict(asked.data)}, None)
    if example.error and example.error not in model.errors:
        yield f"`{example.error}` is not an error code of the contract{suggestion(example.error, model.errors)}"
    elif example.error:
        again = _TRY_AGAIN if model.errors[example.error].retryable else 0
        yield from _answered(example, _refusal(hook, example.error, scope, model, again))
    elif example.answers is not None:
        yield from _unfit(model.requests[asked.request].gives, example.answers, model)
        try:
            yield from _answered(example, to_answer(ask, asked, example.answers, scope))
        except MappingFault as fault:
            yield f"the reply cannot be built: {fault.detail}"


def _unfit(names: Sequence[str], answers: Mapping[str, Json], model: Model) -> Iterator[str]:
    """What of the answers the contract would not give to what is asked."""
    yield from (f"answers.{name} is missing" for name in names if name not in answers)
    for name, value in answers.items():
        if name not in names:
            yield f"answers.{name} is not given to it, but {', '.join(names)}"
            continue
        resource, many = _GIVEN[name]
        type_ = list_of(model.resources[resource].type) if many else model.resources[resource].type
        try:
            type_.accept(value) if value is not None or many else None
        except TypeRefused as refused:
            yield f"answers.{name} is not {refused}"


def _as_written(found: list[dict[str, Json]], written: Json) -> list[dict[str, Json]]:
    """The messages without the fetches that the example does not write: they are seen by what they give."""
    wanted = written if isinstance(written, list) else []
    return [
        {key: value for key, value in one.items() if key != "fetch" or (at < len(wanted) and key in wanted[at])}
        for at, one in enumerate(found)
    ]


def _messages(hook: TellingHook | None, example: HookExample, scope: Scope) -> list[Message]:
    if hook is None:
        raise NotMapped(f"There is no hook `{example.hook}` here.")
    _check_equal(hook, example, scope)
    return [message for _, message in to_messages(hook, example.received, scope)]


def _check_equal(hook: Hook, example: HookExample, scope: Scope) -> None:
    if not is_equal(hook, example.received, scope):
        raise GatewayError("The message is not for this connection.", code=FORGED)


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


async def _run(engine: Engine, connection: Connection, example: Example, playback: _Playback) -> Reply:
    if example.operation == "login":
        now = example.now.isoformat(timespec="seconds")
        scope = {**connection.revealed, "now": now, "sent_at": now}
        rules, session = connection.provider.rules, connection.provider.auth
        if not isinstance(session, SessionAuth):
            raise NotMapped("The file's own scheme has no login.")
        return Reply(await auth.login(lambda _limit, make: playback.send(make()), session, lambda: scope, rules))
    plan = engine.operation(connection, example.operation)
    if plan.name.startswith("native."):
        args = native_arguments(plan, example.args)
    else:
        args = arguments(engine.model.operations[plan.name], example.args, connection.zone)

    async def remembered() -> Mapping[str, Json]:
        return example.remembered

    about = Call("example", example.operation, args, "example", deadline=1e9)
    call = replace(about, handling=example.handling, idempotency_key=example.idempotency_key)
    return await engine.run(call, remembered=remembered)


def _warned(example: Example, reply: Reply) -> list[str]:
    """How the warnings differ from those of an example, each compared as far as it is written."""
    told = [dict(one) for one in reply.warnings]
    if len(told) == len(example.warnings):
        pairs = zip(told, example.warnings, strict=True)
        told = [{key: one.get(key) for key in written} for one, written in pairs]
    return differences([dict(one) for one in example.warnings], told, "warnings")


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
