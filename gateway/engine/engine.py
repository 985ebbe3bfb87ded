"""run(Call) → Reply: the one place that knows the whole way. `stack()` spells the order of the wrappers.

The engine knows no provider and no booking: it follows the plan. A write whose answer was lost, or whose result cannot
be read back, is an unknown outcome and never an ordinary failure, so that nobody books twice.
"""

from __future__ import annotations

import itertools
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import TypeVar, TypeVarTuple
from urllib.parse import urlsplit

from gateway.computation.budget import Effort
from gateway.computation.workers import LARGE_BYTES, Compute, Workers
from gateway.engine.cache import Cache
from gateway.engine.catalog import Catalog, Connection
from gateway.engine.finished import finished_error
from gateway.engine.interpreter.operations import Run
from gateway.engine.interpreter.steps import Exchange
from gateway.engine.tracing import Trace, Watch
from gateway.engine.turns import Key, Turn, Turns
from gateway.engine.way_out import auth
from gateway.mapping.nodes.calls import CallPlan, ErrorRule, OperationPlan, Scope
from gateway.mapping.nodes.provider import SessionAuth
from gateway.mapping.runtime.answers import to_body
from gateway.mapping.runtime.requests import to_request
from gateway.mapping.runtime.results import LIST_INCOMPLETE, ROW_LEFT_OUT
from gateway.model.model import Model
from gateway.telemetry import logs
from gateway.transport.limits import Gate, Gates, limited
from gateway.transport.retry import Patience, repeated
from gateway.values.errors import (
    AnswerMismatch,
    GatewayError,
    MappingFault,
    NotMapped,
    ProviderRejected,
    ProviderUnavailable,
    TooManyCalls,
    Unsupported,
)
from gateway.values.messages import Call, Effect, Json, Reply, Request, Response, Send
from gateway.values.secrets import Redactor, Secret

_T = TypeVar("_T")
_Given = TypeVarTuple("_Given")
Clock = Callable[[], float]
"""A monotonic clock, in seconds."""
_TOLD = {ROW_LEFT_OUT: logs.row_left_out, LIST_INCOMPLETE: logs.list_incomplete}
"""Code of a warning of what a list lacks → what the log is told of it."""


class Engine:
    """Runs calls against the current catalog. Replacing the catalog is one assignment; calls under way keep theirs.

    `fresh` gives an id, a UUID, that nobody has had; without it they are numbered, for what is played and repeated.
    `gates` hold calls to the rates of their mapping; without them, the engine has its own. `patience` says how often
    what failed is asked again; without it, never.
    """

    def __init__(
        self,
        catalog: Catalog,
        model: Model,
        client: Send,
        *,
        clock: Clock,
        now: Callable[[], datetime],
        fresh: Callable[[], str] | None = None,
        gates: Gates | None = None,
        patience: Patience | None = None,
    ) -> None:
        self._catalog = catalog
        self._model = model
        self._client = client
        self._clock = clock
        self._now = now
        self._fresh = fresh if fresh is not None else map(_numbered, itertools.count(1)).__next__
        self._gates = gates if gates is not None else Gates(clock)
        self._patience = patience
        self._cache = Cache(clock)
        self._turns = Turns(clock)
        self._workers = Workers()
        self._serial = itertools.count(1)
        self._sessions: dict[tuple[str, str, str], auth.Session] = {}

    @property
    def catalog(self) -> Catalog:
        """What is running."""
        return self._catalog

    @property
    def model(self) -> Model:
        """The contract."""
        return self._model

    def use(self, catalog: Catalog) -> None:
        """Run later calls on this catalog."""
        self._catalog = catalog

    def turn(self, call: Call) -> Turn:
        """Give what a call holds from its look at a thing until whatever is to be known of its write is written down.

        A context; `run` takes the turns. Whoever has nothing to do after the run leaves it to `run`.
        """
        return self._turns.turn(call.deadline)

    def written(self, connection: str) -> int:
        """Give a number that is another one once something was written through a connection, by whomever."""
        return self._turns.written(connection)

    async def run(
        self,
        call: Call,
        trace: Trace | None = None,
        turn: Turn | None = None,
        remembered: Callable[[], Awaitable[Mapping[str, Json]]] | None = None,
    ) -> Reply:
        """Answer one call, and fill its trace. Raises GatewayError: what went wrong, by who must act.

        One write of a thing goes on at a time. `remembered` is asked, once that is this one, for what the gateway knows
        of the thing; `turn` is one of this engine's that the caller holds beyond the run.
        """
        if turn is None:
            async with self.turn(call) as own:
                return await self.run(call, trace, own, remembered)
        connection = self.connection(call.connection)
        plan = self.operation(connection, call.operation)
        if trace is not None:
            trace.begin(lambda: self.secrets(connection))
        compute = self.computing(call)
        run = Run(
            turn=turn,
            connection=connection,
            model=self._model,
            exchange=self.stack(connection, call, trace, compute),
            compute=compute,
            cache=self._cache,
            now=self._now(),
            show="provider_data" in call.include,
            partial=call.partial,
            handling=call.handling,
            parted=call.partial or call.parted,
            ids=self._ids(call),
        )
        mask = self._masked(connection)
        about = {"request": call.request_id, "connection": call.connection, "operation": call.operation}
        try:
            await _enter(turn, call, plan)
            if remembered is not None:
                run.remembered = await remembered()
            reply = await run.answer(plan, call.arguments)
        except GatewayError as error:
            told = finished_error(error, connection, mask)
            if trace is not None:
                trace.failed(told)
            if isinstance(error, AnswerMismatch | MappingFault):
                logs.mapping_failed(**about, origin=error.origin or "", reason=told.detail)
            raise told from error
        finally:
            if trace is not None:
                trace.end()
        for one in reply.warnings:
            tell = _TOLD.get(one["code"])
            if tell is not None:
                tell(**about, origin=one.get("origin", ""), reason=one["message"])
        return reply if run.said is None else replace(reply, age=self._clock() - run.said)

    def connection(self, name: str) -> Connection:
        """The connection of this name; raises NotMapped (404)."""
        connection = self._catalog.connections.get(name)
        if connection is None:
            raise NotMapped(f"There is no connection `{name}`.", code="CONNECTION_NOT_FOUND")
        return connection

    def operation(self, connection: Connection, name: str) -> OperationPlan:
        """The plan of an operation; raises Unsupported (501) or NotMapped (404)."""
        plan = connection.provider
        native = name.removeprefix("native.")
        found = plan.native.get(native) if native != name else plan.operations.get(name)
        if found is not None:
            return found
        if native != name and name not in plan.unsupported:
            raise NotMapped(f"{plan.title} has no native operation `{native}`.")
        reason = plan.unsupported.get(name, "the provider does not offer it")
        raise Unsupported(f"{plan.title} cannot do {name}: {reason}", details={"capability": name, "reason": reason})

    def _ids(self, call: Call) -> dict[str, str]:
        """The ids that are the call's own: a fresh one, and the one by which its repeats are known."""
        own = self._fresh()
        return {"uuid": own, "idempotency_key": call.idempotency_key or own}

    def computing(self, call: Call) -> Compute:
        """Give where the pure parts of a call are computed: all of them together have its time and its bounds."""
        operation = self._model.operations.get(call.operation)
        effort = Effort(self._clock, call.deadline, windowed=operation is not None and operation.window is not None)

        async def compute(function: Callable[[*_Given], _T], /, *given: *_Given, large: bool = False) -> _T:
            return await self._workers.run(call.connection, effort, partial(function, *given), large=large)

        return compute

    def stack(self, connection: Connection, call: Call, trace: Trace | None, compute: Compute) -> Exchange:
        """The way out before the deadline of the call, innermost first; the order is the design.

        1. `_way`: one exchange with the provider, no longer than the call has time.
        2. the gate: every exchange waits for its turn and costs a token, a login and the repetition after it as well.
        3. who we are: above the gate, for a login goes through it too; an attempt is made and signed when it may go.
        4. the reading: the error rules say what an answer means, and whether the provider wants to be left alone.
        5. the repetition: of what failed, as the effect of the step allows; what a rule knows did not fail.

        A trace is told below the gate, above it, and what the reading made of an answer; it changes nothing.
        """
        provider, send, deadline = connection.provider, self._way(call), call.deadline
        gate = self._gates.of(connection.name, provider.limits)
        paced = partial(limited, gate=gate, deadline=deadline, caller=call.caller)

        async def attempt(step: CallPlan, scope: Mapping[str, Json], rules: tuple[ErrorRule, ...], number: int) -> Json:
            scheme = provider.auth_schemes[step.auth] if step.auth else provider.auth
            login = scheme.login if isinstance(scheme, SessionAuth) else None
            watch = Watch(trace, self._clock, attempt=number, login=login.origin if login is not None else "")
            way = watch.over(send, paced)

            def ours() -> Scope:
                return {**connection.revealed, **dict.fromkeys(("now", "sent_at"), self._moment())}

            signed = auth.signed(way, scheme, ours, self.session(connection, step.auth), provider.rules)
            numbered = {**scope, "serial": next(self._serial)}
            try:
                response = await signed(step.limit, lambda: to_request(step, {**numbered, "sent_at": self._moment()}))
            except GatewayError as error:
                watch.meant(error, read=False)
                if isinstance(error, ProviderRejected):  # of a login: nothing else on the way reads an answer
                    _heed(gate, login.limit if login is not None else step.limit, error)
                raise
            try:
                all_rules = (*rules, *provider.rules)
                large = step.answer == "icalendar" or len(response.body) > LARGE_BYTES  # a short feed may repeat much
                body = await compute(to_body, step, response, all_rules, numbered, large=large)
            except GatewayError as error:
                met = error.copy_with(answered=True)
                watch.meant(met)
                _heed(gate, step.limit, met)
                raise met from error
            watch.meant(None)
            _heed(gate, step.limit, None)
            return body

        async def exchange(
            step: CallPlan, scope: Mapping[str, Json], rules: tuple[ErrorRule, ...], effect: Effect
        ) -> Json:
            number = itertools.count(1)
            if self._patience is None:
                return await attempt(step, scope, rules, next(number))
            return await repeated(lambda: attempt(step, scope, rules, next(number)), effect, deadline, self._patience)

        return exchange

    def _moment(self) -> str:
        """Give this moment as templates know it."""
        return self._now().isoformat(timespec="seconds")

    def session(self, connection: Connection, scheme: str = "") -> auth.Session:
        """The session of a connection and scheme; a connection whose settings changed begins a new one."""
        key = (connection.name, connection.digest, scheme)
        return self._sessions.setdefault(key, auth.Session(self._clock))

    def redactor(self, connection: Connection) -> Redactor:
        """What masks the connection's secrets and the tokens that its sessions hold now."""
        return Redactor(self.secrets(connection)) if self._tokens(connection) else connection.redactor

    def secrets(self, connection: Connection) -> list[Secret]:
        """The connection's secrets, and the tokens that its sessions hold now."""
        settings = connection.scope["settings"].values()
        return [*self._tokens(connection), *(one for one in settings if isinstance(one, Secret))]

    def _tokens(self, connection: Connection) -> list[Secret]:
        held = [one for (name, _, _), one in self._sessions.items() if name == connection.name]
        return [Secret(one.token) for one in held if one.token]

    def _masked(self, connection: Connection) -> Callable[[str], str]:
        """Masks what is secret at the moment of masking."""
        return lambda text: self.redactor(connection).text(text)

    async def _measured(self, request: Request, call: Call) -> Response:
        """Send, and say so: the host and the status, never the URL."""
        about = {"request": call.request_id, "connection": call.connection, "method": request.method}
        host = urlsplit(request.url).netloc
        try:
            response = await self._client(request)
        except ProviderUnavailable as error:
            logs.provider_failed(**about, host=host, reason=error.detail)
            raise
        logs.provider_answered(**about, host=host, status=response.status, seconds=response.elapsed)
        return response

    def _way(self, call: Call) -> Send:
        """One exchange with a provider, within the time of the call, and logged."""

        async def bounded(request: Request) -> Response:
            left = call.deadline - self._clock()
            if left <= 0:
                raise ProviderUnavailable("The time for this call is used up.", sent=False, timed_out=True)
            async with self._gates.at_host(urlsplit(request.url).netloc, call.connection, call.deadline):
                left = call.deadline - self._clock()
                return await self._measured(replace(request, timeout=min(request.timeout, left)), call)

        return bounded


async def _enter(turn: Turn, call: Call, plan: OperationPlan) -> None:
    """Wait for what a call writes, and let it be known that it writes. Raises TooManyCalls."""
    await turn.take(_written(call, plan))
    if plan.effect is not Effect.SAFE:
        turn.writes(call.connection)


def _written(call: Call, plan: OperationPlan) -> list[Key]:
    """What a call writes that is there already: the thing with the id that it names, of the kind of its operation."""
    id_ = call.arguments.get("id")
    if plan.effect is Effect.SAFE or plan.name.startswith("native.") or not isinstance(id_, str):
        return []
    return [(call.connection, plan.name.partition(".")[0], id_)]


def _numbered(number: int) -> str:
    return f"00000000-0000-4000-8000-{number:012x}"


def _heed(gate: Gate, limit: str, error: GatewayError | None) -> None:
    """Leave a provider alone that says these were too many; any other answer says that they were not."""
    if error is not None and error.code == TooManyCalls.CODE:
        gate.slowed(limit, error.retry_after)
    else:
        gate.answered(limit)
