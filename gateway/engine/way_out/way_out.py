"""The way out of one connection, from a call of a step to the provider. It is built once, when the connection is bound.

Each layer wraps the one below it; the order is the design, innermost first:

1. `http`: one exchange with the provider, no longer than the call has time.
2. `limited`, the gate: every exchange waits for its turn and costs a token, a login and a repetition as well.
3. `recorded`: a trace is told of each, the wait for its turn included; it changes nothing.
4. `signed`: who we are, above the gate, for a login goes through it too; a request is made and signed when it may go.
5. `read_by_rules`: the error rules say what an answer means, and whether the provider wants to be left alone.
6. `repeating`: what failed is asked again, as the effect of the step allows; what a rule knows did not fail.

Above them all, whole answers of operations are kept (`cache.py`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

from gateway.computation.workers import LARGE_BYTES
from gateway.engine.catalog import Connection
from gateway.engine.tracing import Watch
from gateway.engine.way_out.auth import Sessions, signed
from gateway.engine.way_out.exchange import Ask, Dispatch, Exchange, ProviderCall
from gateway.engine.way_out.layers import http, recorded
from gateway.mapping.nodes.calls import CallPlan, Scope
from gateway.mapping.nodes.provider import AuthPlan, SessionAuth
from gateway.mapping.runtime.answers import to_body
from gateway.mapping.runtime.requests import to_request
from gateway.transport.limits import Gate, Gates, limited
from gateway.transport.retry import Patience, repeated
from gateway.values.errors import GatewayError, ProviderRejected, TooManyCalls
from gateway.values.messages import Json, Response, Send


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What the ways out of all connections share."""

    client: Send
    gates: Gates
    sessions: Sessions
    patience: Patience | None
    """How often what failed is asked again; None: never."""
    clock: Callable[[], float]
    """Monotonic, in seconds."""
    moment: Callable[[], str]
    """Gives this moment as templates know it."""
    serial: Callable[[], int]
    """Gives a number that no other attempt has."""


def way_out(connection: Connection, around: Surroundings) -> Ask:
    """Build the layers of a connection."""
    provider = connection.provider
    gate = around.gates.of(connection.name, provider.limits)
    paced = recorded(limited(http(around.client, around.gates, around.clock), gate))

    def ours() -> Scope:
        moment = around.moment()
        return {**connection.revealed, "now": moment, "sent_at": moment}

    def with_scheme(name: str, auth: AuthPlan) -> _Scheme:
        login = auth.login if isinstance(auth, SessionAuth) else None
        return _Scheme(signed(paced, auth, ours, around.sessions.of(connection, name), provider.rules), login)

    schemes = {name: with_scheme(name, auth) for name, auth in {"": provider.auth, **provider.auth_schemes}.items()}
    return repeating(read_by_rules(connection, schemes, gate, around), around.patience)


@dataclass(frozen=True, slots=True)
class _Scheme:
    """The layers up to one scheme of a connection, and its login if it has one."""

    send: Dispatch
    login: CallPlan | None


def read_by_rules(connection: Connection, schemes: Mapping[str, _Scheme], gate: Gate, around: Surroundings) -> Ask:
    """Make attempts at calls of steps, and read their answers by the error rules."""
    rules, moment = connection.provider.rules, around.moment

    async def ask(asked: ProviderCall) -> Json:
        plan, scheme = asked.plan, schemes[asked.plan.auth]
        asked.attempts += 1
        watch = _watch(asked, scheme, around.clock)
        scope = {**asked.scope, "serial": around.serial()}

        exchange = Exchange(
            lambda: to_request(plan, {**scope, "sent_at": moment()}), plan.limit, asked.state.call, watch
        )
        try:
            response = await scheme.send(exchange)
        except GatewayError as error:
            if watch is not None:
                watch.meant(error, read=False)
            if isinstance(error, ProviderRejected):  # of a login: nothing else on the way reads an answer
                _heed(gate, scheme.login.limit if scheme.login is not None else plan.limit, error)
            raise
        try:
            body = await asked.state.compute(
                to_body, plan, response, (*asked.rules, *rules), scope, large=_is_large(plan, response)
            )
        except GatewayError as error:
            met = error.copy_with(answered=True)
            _tell(met, gate, plan.limit, watch)
            raise met from error
        _tell(None, gate, plan.limit, watch)
        return body

    return ask


def repeating(ask: Ask, patience: Patience | None) -> Ask:
    """Wrap `ask` so that what failed is asked again, as the effect of the step allows."""
    if patience is None:
        return ask

    async def asking(asked: ProviderCall) -> Json:
        return await repeated(partial(ask, asked), asked.effect, asked.state.call.deadline, patience)

    return asking


def _watch(asked: ProviderCall, scheme: _Scheme, clock: Callable[[], float]) -> Watch | None:
    """Give what watches this attempt, where there is a trace to be told."""
    trace = asked.state.trace
    if trace is None:
        return None
    login = scheme.login.origin if scheme.login is not None else ""
    return Watch(trace, clock, attempt=asked.attempts, login=login)


def _is_large(plan: CallPlan, response: Response) -> bool:
    """Tell whether an answer takes long to be read; a short feed may repeat much."""
    return plan.answer == "icalendar" or len(response.body) > LARGE_BYTES


def _tell(error: GatewayError | None, gate: Gate, limit: str, watch: Watch | None) -> None:
    """Tell what an answer was read as to who watches and to the gate."""
    if watch is not None:
        watch.meant(error)
    _heed(gate, limit, error)


def _heed(gate: Gate, limit: str, error: GatewayError | None) -> None:
    """Leave a provider alone that says these were too many; any other answer says that they were not."""
    if error is not None and error.code == TooManyCalls.CODE:
        gate.slowed(limit, error.retry_after)
    else:
        gate.answered(limit)
