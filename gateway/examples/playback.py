"""Golden examples run through the engine against their recorded exchanges.

Nothing is sent: the provider's side is the recording, and a request that no exchange expects is a difference.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final
from urllib.parse import quote, urlencode

from gateway.documents.yaml import suggestion
from gateway.engine.catalog import Catalog, Connection
from gateway.engine.engine import Engine
from gateway.engine.sessions.tokens import Tokens
from gateway.examples import sessions
from gateway.examples.comparison import differences, request_differs, short, with_ids
from gateway.examples.exchanges import Exchange
from gateway.examples.files import SESSION_CALLS, Example, Examples, HookExample
from gateway.mapping.compiler.operations.native import native_arguments
from gateway.mapping.nodes.hooks import RequestPlan
from gateway.model.model import Model, TypeRefused, arguments
from gateway.model.telling import code_of
from gateway.model.types.types import list_of
from gateway.values.errors import CallerRefused, GatewayError, MappingFault
from gateway.values.messages import Call, Json, Reply, Request, Response
from gateway.values.strictjson import decode_json
from gateway.webhooks.inbound.challenges import ChallengeAnswer
from gateway.webhooks.inbound.session import (
    DefaultAnswer,
    HookMessages,
    Question,
    ReadMessage,
    RefusedMessage,
    Session,
    hook_of,
)

_HOOKS: Final = "https://gateway.example/hooks"
"""Where the hooks of examples are, for senders that sign the address."""
_GIVEN: Final = {"slots": ("Slot", True), "resources": ("Resource", True), "booking": ("Booking", False)}
"""What requests are given, by name: the resource, and whether it is a list of it; else it may be null."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one example: nothing to say, or the differences; and of a hook, what it showed."""

    example: Example | HookExample
    differences: tuple[str, ...]
    ask: RequestPlan | None = None
    """What a message to a hook asked for."""
    row: str = ""
    """The row of `replies` that answered it; empty where none did."""


@dataclass(slots=True)
class Recording:
    """The provider's side of one example. A request gets the first exchange that expects it and was not used."""

    exchanges: list[Exchange]
    unexpected: list[str] = field(default_factory=list)

    async def send(self, request: Request) -> Response:
        """Answer a request as its exchange does; one that no exchange expects gets a 599."""
        problems = []
        for exchange in self.exchanges:
            difference = request_differs(exchange, request)
            if not difference:
                self.exchanges.remove(exchange)
                return Response(exchange.status, exchange.answer_headers, with_ids(exchange, request))
            problems.append(f"  {exchange.origin}: {difference}")
        sent = f"{request.method} {request.url}" + (f"?{urlencode(request.query)}" if request.query else "")
        told = "\n".join(problems) or "  no exchange is left"
        self.unexpected.append(
            f"sent {sent} {request.body.decode(errors='replace')}, which no exchange expects:\n{told}"
        )
        return Response(599, {}, b"")


async def run_example(examples: Examples, example: Example, model: Model) -> Outcome:
    """Run one example through the engine and compare everything: requests, result or error."""
    playback = Recording(list(example.exchanges))
    engine = recorded_engine(examples, example, model, playback)
    try:
        found, failed = await _run(engine, example.connection, example, playback), None
    except GatewayError as error:
        found, failed = Reply(None), error
    told = [*_judge(example, found.data, failed), *_warn(example, found)]
    return Outcome(example, (*_unasked(playback), *told))


def recorded_engine(examples: Examples, example: Example | HookExample, model: Model, recording: Recording) -> Engine:
    """An engine whose provider is the recording, with the session that the examples have."""
    catalog = Catalog("examples", {}, {"example": example.connection})
    ticks = itertools.count()
    engine = Engine(catalog, model, recording.send, clock=lambda: float(next(ticks)), now=lambda: example.now)
    for session in engine.sessions(example.connection) if examples.token else ():
        session.tokens = Tokens(examples.token)
    return engine


def _unasked(playback: Recording) -> list[str]:
    """What was sent and not expected, and what was expected and not sent."""
    left = [f"{left.origin}: this exchange was expected and never asked for" for left in playback.exchanges]
    return [*playback.unexpected, *left]


async def run_hook(examples: Examples, example: HookExample, model: Model) -> Outcome:
    """Run an example of a hook, what it fetches included, and compare everything: messages or error, and the reply.

    It goes the way of every message to the gateway; only of a proof that the recording leaves out it is taken as right.
    """
    plan = hook_of(example.connection, example.hook, example.received.method)
    if isinstance(plan, RefusedMessage):
        status = code_of(plan.error, model).status
        told = _judge(example, None, plan.cause or plan.error)
        return Outcome(example, (*told, *_answer(example, Response(status, {}, b""))))
    playback = Recording(list(example.exchanges))
    engine = recorded_engine(examples, example, model, playback)

    async def fetch(operation: str, given: Mapping[str, Json]) -> Json:
        return (await engine.run(Call("example", operation, given, "example", deadline=1e9))).data

    at = int(example.now.timestamp() * 1000)
    session = Session(plan, example.connection, example.received, at, _address(example), model, recorded=True)
    judged = _Judged(example, session)
    judged.judge(await session.take(fetch))
    return Outcome(example, (*_unasked(playback), *judged.told), judged.ask, judged.row)


def _address(example: HookExample) -> str:
    """The public address of an example's hook, for what signs it."""
    received = example.received
    parts = ("example", example.hook, *([received.token] if received.token is not None else ()))
    query = f"?{urlencode(received.query)}" if received.query else ""
    return f"{_HOOKS}/{'/'.join(quote(part, safe='') for part in parts)}{query}"


@dataclass(slots=True)
class _Judged:
    """What an example says of its message against what it comes to, and what it showed: an ask, a row of `replies`."""

    example: HookExample
    session: Session
    told: list[str] = field(default_factory=list)
    ask: RequestPlan | None = None
    row: str = ""

    def judge(self, came: ChallengeAnswer | Question | HookMessages | RefusedMessage) -> None:
        """Compare all of it."""
        example = self.example
        match came:
            case RefusedMessage():
                self.told += _judge(example, None, came.cause or came.error)
                self._reply_to(came.error)
            case ChallengeAnswer():
                self.told += _judge(example, [], None)
                headers = {name.lower(): value for name, value in came.headers}
                self._reply(lambda: Response(came.status, headers, came.body))
            case Question():
                self.ask = came.ask
                self.told += _judge(example, {"request": came.asked.request, "data": dict(came.asked.data)}, None)
                self._give(came)
            case HookMessages():
                failed = next((one.failure for one in came.messages if one.failure is not None), None)
                found = [_written_message(one) for one in came.messages]
                self.told += _judge(example, _as_written(found, example.gives), failed)
                self._reply(self.session.taken)

    def _give(self, question: Question) -> None:
        """Hold the answer to a question to what the example says that it is given, or to the error."""
        example, model = self.example, self.session.model
        if example.error and example.error not in model.errors:
            hint = suggestion(example.error, model.errors)
            self.told.append(f"`{example.error}` is not an error code of the contract{hint}")
        elif example.error:
            self._reply_to(CallerRefused("", code=example.error))  # links refuse marketplaces, which are their callers
        elif (answers := example.answers) is not None:
            self.told += _unfit(model.requests[question.asked.request].gives, answers, model)
            self._reply(lambda: self.session.answer(question, answers))

    def _reply_to(self, error: GatewayError) -> None:
        self.row = self.session.row(error)
        self._reply(lambda: self.session.reply(error))

    def _reply(self, build: Callable[[], Response | DefaultAnswer]) -> None:
        try:
            reply = build()
        except MappingFault as fault:
            self.told.append(f"the reply cannot be built: {fault.detail}")
            return
        self.told += _answer(
            self.example, Response(reply.status, {}, b"") if isinstance(reply, DefaultAnswer) else reply
        )


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


def _written_message(one: ReadMessage) -> dict[str, Json]:
    """A message as examples write it."""
    told: dict[str, Json] = {"type": one.message.type if one.message is not None else ""}
    if one.data is not None:
        told["data"] = dict(one.data)
    if one.message is not None and one.message.fetch is not None:
        name, given = one.message.fetch
        told["fetch"] = {"run": name, "with": dict(given)}
    return told


def _answer(example: HookExample, reply: Response) -> list[str]:
    """How the reply differs from what is written of it."""
    actual: dict[str, Json] = {"status": reply.status, "text": reply.body.decode()}
    if "json" in example.reply:
        actual["json"] = decode_json(reply.body) if "json" in reply.headers.get("content-type", "") else None
    return differences(dict(example.reply), {key: actual.get(key) for key in example.reply}, "reply")


async def _run(engine: Engine, connection: Connection, example: Example, playback: Recording) -> Reply:
    if example.operation in SESSION_CALLS:
        return Reply(await sessions.play_session(example, connection, playback.send))
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


def _warn(example: Example, reply: Reply) -> list[str]:
    """How the warnings differ from those of an example, each compared as far as it is written."""
    told = [dict(one) for one in reply.warnings]
    if len(told) == len(example.warnings):
        pairs = zip(told, example.warnings, strict=True)
        told = [{key: one.get(key) for key in written} for one, written in pairs]
    return differences([dict(one) for one in example.warnings], told, "warnings")


def _judge(example: Example | HookExample, found: Json, failed: GatewayError | None) -> list[str]:
    if example.fails is None:
        if failed is not None:
            return [f"failed with {failed.code}: {failed.detail}"]
        return differences(example.gives, found)
    if failed is None:
        return [f"expected {example.fails.get('code')}, but it succeeded with {short(found)}"]
    actual = {
        "code": failed.code,
        "provider_code": failed.provider.get("code"),
        "provider_message": failed.provider.get("message"),
        "details": failed.details,
        "retry_after": failed.retry_after,
        "detail": failed.detail,
    }
    return differences(dict(example.fails), {key: actual.get(key) for key in example.fails})
