"""run(Call) → Reply: the one place that knows the whole way, and binds each connection to what serves it.

The engine knows no provider and no booking: it follows the plan. A write whose answer was lost, or whose result cannot
be read back, is an unknown outcome and never an ordinary failure, so that nobody books twice.
"""

from __future__ import annotations

import itertools
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from gateway.computation.budget import Effort
from gateway.computation.workers import Compute, Computing, Workers
from gateway.engine.cache import Cache
from gateway.engine.catalog import Catalog, Connection
from gateway.engine.finished import finished_error
from gateway.engine.interpreter.operations import Operations
from gateway.engine.sessions.agreement import Agreement
from gateway.engine.sessions.session import Session, Sessions
from gateway.engine.sessions.vaults import MemoryVault, Vault
from gateway.engine.state import CallState
from gateway.engine.tracing import Trace
from gateway.engine.turns import Key, Turn, Turns
from gateway.engine.way_out.way_out import Surroundings, way_out
from gateway.mapping.nodes.calls import OperationPlan
from gateway.mapping.runtime.results import LIST_INCOMPLETE, ROW_LEFT_OUT
from gateway.model.model import Model
from gateway.telemetry import logs
from gateway.transport.limits import Gates
from gateway.transport.retry import Patience
from gateway.values.errors import AnswerMismatch, GatewayError, MappingFault, NotMapped, Unsupported
from gateway.values.messages import Call, Effect, Json, Reply, Send
from gateway.values.secrets import Redactor, Secret

Clock = Callable[[], float]
"""A monotonic clock, in seconds."""
_TOLD = {ROW_LEFT_OUT: logs.row_left_out, LIST_INCOMPLETE: logs.list_incomplete}
"""Code of a warning of what a list lacks → what the log is told of it."""


@dataclass(frozen=True, slots=True)
class BoundConnection:
    """A connection with what serves it, built when it came into the catalog."""

    connection: Connection
    operations: Operations
    agreements: Mapping[str, Agreement]
    """By scheme, how a person opens its sessions."""


class Engine:
    """Runs calls against the current catalog. Replacing the catalog is one assignment; calls under way keep theirs.

    `fresh` gives an id, a UUID, that nobody has had; without it they are numbered, for what is played and repeated.
    `gates` hold calls to the rates of their mapping; without them, the engine has its own. `patience` says how often
    what failed is asked again; without it, never. `vault` keeps what sessions live by; without it, nobody keeps it.
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
        vault: Vault | None = None,
    ) -> None:
        self._model = model
        self._clock = clock
        self._now = now
        self._fresh = fresh if fresh is not None else map(_number, itertools.count(1)).__next__
        self._cache = Cache(clock)
        self._turns = Turns(clock)
        self._workers = Workers()
        self._sessions = Sessions(vault if vault is not None else MemoryVault(), lambda: now().timestamp())
        self._around = Surroundings(
            client=client,
            gates=gates if gates is not None else Gates(clock),
            sessions=self._sessions,
            patience=patience,
            clock=clock,
            moment=lambda: now().isoformat(timespec="seconds"),
            wall=lambda: now().timestamp(),
            serial=itertools.count(1).__next__,
            fresh=self._fresh,
        )
        self._bound: dict[str, BoundConnection] = {}
        self.use(catalog)

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
        bound = self._bound
        self._bound = {
            name: bound[name] if name in bound and bound[name].connection is connection else self._bind(connection)
            for name, connection in catalog.connections.items()
        }
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
        operations = self._bound[call.connection].operations
        if trace is not None:
            trace.begin(lambda: self.secrets(connection))
        state = self._begin(call, connection, turn, trace)
        try:
            await _enter(turn, call, plan)
            if remembered is not None:
                state.remembered = await remembered()
            reply = await operations.answer(plan, state)
        except GatewayError as error:
            raise self._finish(error, state) from error
        finally:
            if trace is not None:
                trace.end()
        _tell(reply, call)
        return reply

    def _begin(self, call: Call, connection: Connection, turn: Turn, trace: Trace | None) -> CallState:
        """Give the state of a call that begins; the ids are its own, and what its repeats are known by."""
        own = self._fresh()
        ids = {"uuid": own, "idempotency_key": call.idempotency_key or own}
        return CallState(call, connection, self._now(), turn, self.computing(call), trace, ids)

    def _finish(self, error: GatewayError, state: CallState) -> GatewayError:
        """Give the error that ends a call as callers may see it; the trace is told, of a mapping's fault the log."""
        told = finished_error(error, state.connection, self.redactor(state.connection).text)
        if state.trace is not None:
            state.trace.failed(told)
        if isinstance(error, AnswerMismatch | MappingFault):
            logs.mapping_failed(**_about(state.call), origin=error.origin or "", reason=told.detail)
        return told

    def _bind(self, connection: Connection) -> BoundConnection:
        """Build what serves a connection, once."""
        out = way_out(connection, self._around)
        return BoundConnection(connection, Operations(self._model, out.ask, self._cache, self._clock), out.agreements)

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

    def computing(self, call: Call) -> Compute:
        """Give where the pure parts of a call are computed: all of them together have its time and its bounds."""
        operation = self._model.operations.get(call.operation)
        effort = Effort(self._clock, call.deadline, windowed=operation is not None and operation.window is not None)

        return Computing(self._workers, call.connection, effort)

    def agreements(self, connection: str) -> Mapping[str, Agreement]:
        """How a person opens sessions of a connection, by scheme, empty for the file's own. Raises NotMapped."""
        return self._bound[self.connection(connection).name].agreements

    def sessions(self, connection: Connection) -> list[Session]:
        """The sessions that a connection has, whoever shares them."""
        return self._sessions.all_of(connection.name)

    def redactor(self, connection: Connection) -> Redactor:
        """What masks the connection's secrets and the tokens that its sessions hold now."""
        held = self._sessions.secrets(connection.name)
        return Redactor(self.secrets(connection)) if held else connection.redactor

    def secrets(self, connection: Connection) -> list[Secret]:
        """The connection's secrets, and the tokens that its sessions hold now."""
        settings = connection.scope["settings"].values()
        return [*self._sessions.secrets(connection.name), *(one for one in settings if isinstance(one, Secret))]


async def _enter(turn: Turn, call: Call, plan: OperationPlan) -> None:
    """Wait for what a call writes, and let it be known that it writes. Raises TooManyCalls."""
    await turn.take(_write(call, plan))
    if plan.effect is not Effect.SAFE:
        turn.writes(call.connection)


def _write(call: Call, plan: OperationPlan) -> list[Key]:
    """What a call writes that is there already: the thing with the id that it names, of the kind of its operation."""
    id_ = call.arguments.get("id")
    if plan.effect is Effect.SAFE or plan.name.startswith("native.") or not isinstance(id_, str):
        return []
    return [(call.connection, plan.name.partition(".")[0], id_)]


def _tell(reply: Reply, call: Call) -> None:
    """Tell the log what a list lacks."""
    for one in reply.warnings:
        tell = _TOLD.get(one["code"])
        if tell is not None:
            tell(**_about(call), origin=one.get("origin", ""), reason=one["message"])


def _about(call: Call) -> dict[str, str]:
    """Say to the log which call it is."""
    return {"request": call.request_id, "connection": call.connection, "operation": call.operation}


def _number(number: int) -> str:
    return f"00000000-0000-4000-8000-{number:012x}"
