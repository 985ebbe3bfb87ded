"""The way out of one connection, from a call of a step to the provider. It is built once, when the connection is bound.

Each layer wraps the one below it; the order is the design, innermost first:

1. `http`: one exchange with the provider, no longer than the call has time.
2. `limit`, the gate: every exchange waits for its turn and costs a token, a login and a repetition as well.
3. `recorded`: a trace is told of each, the wait for its turn included; it changes nothing.
4. `signed` or `in_session`: who we are, above the gate, for a login goes through it too; a request is made and signed
   when it may go.
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
from gateway.engine.sessions.agreement import Agreement
from gateway.engine.sessions.renewal import Obtaining
from gateway.engine.sessions.session import Sessions, identity_of
from gateway.engine.tracing import Watch
from gateway.engine.way_out.auth import InSession, challenge, in_session, sign
from gateway.engine.way_out.exchange import Ask, Dispatch, Exchange, ProviderCall
from gateway.engine.way_out.layers import http, recorded
from gateway.engine.way_out.validators import KeptAnswers, revalidating
from gateway.mapping.nodes.calls import CallPlan, Scope
from gateway.mapping.nodes.provider import AuthPlan, ChallengeAuth, SessionAuth
from gateway.mapping.nodes.sessions import Agreed
from gateway.mapping.runtime.answers import to_body
from gateway.mapping.runtime.requests import to_request
from gateway.transport.limits import Gate, Gates, limit
from gateway.transport.retry import Patience, repeat
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
    wall: Callable[[], float]
    """Gives the time in seconds since 1970."""
    serial: Callable[[], int]
    """Gives a number that no other attempt has."""
    fresh: Callable[[], str]
    """Gives an id that nobody has had."""


@dataclass(frozen=True, slots=True)
class WayOut:
    """What serves a connection: how its provider is asked, and how a person opens its sessions, by scheme."""

    ask: Ask
    agreements: Mapping[str, Agreement]


def way_out(connection: Connection, around: Surroundings) -> WayOut:
    """Build the layers of a connection."""
    provider = connection.provider
    gate = around.gates.of(connection.name, provider.limits)
    paced = recorded(limit(http(around.client, around.gates, around.clock), gate))

    def ours() -> Scope:
        moment = around.moment()
        return {**connection.revealed, "now": moment, "sent_at": moment}

    plans: dict[str, AuthPlan] = {"": provider.auth, **provider.auth_schemes}
    schemes, agreements = dict[str, _Scheme](), dict[str, Agreement]()
    for name, auth in plans.items():
        if isinstance(auth, ChallengeAuth):
            own = around.sessions.of(connection.name, identity_of(provider.name, name, {"of": connection.digest}))
            schemes[name] = _Scheme(challenge(paced, auth, ours, own), None)
            continue
        if not isinstance(auth, SessionAuth):
            schemes[name] = _Scheme(sign(paced, auth, ours), None)
            continue
        part = _part(connection, name, auth, ours, around)
        schemes[name] = _Scheme(in_session(paced, part), auth)
        if isinstance(auth.begins, Agreed):
            agreements[name] = Agreement(auth.begins, part.obtaining, part.session, paced)
    ask = repeating(read_by_rules(connection, schemes, gate, around), around.patience)
    return WayOut(ask, agreements)


def _part(
    connection: Connection, name: str, auth: SessionAuth, ours: Callable[[], Scope], around: Surroundings
) -> InSession:
    """Give a connection's part in the session that it shares with all who have the same credentials."""
    settings = connection.revealed["settings"]
    shared = {one: settings.get(one) for one in auth.shared_by}
    session = around.sessions.of(connection.name, identity_of(connection.provider.name, name, shared))
    obtaining = Obtaining(auth, ours, connection.provider.rules, around.wall, around.fresh)
    return InSession(session, obtaining, around.clock)


@dataclass(frozen=True, slots=True)
class _Scheme:
    """The layers up to one scheme of a connection, and its session if it has one."""

    send: Dispatch
    session: SessionAuth | None


def read_by_rules(connection: Connection, schemes: Mapping[str, _Scheme], gate: Gate, around: Surroundings) -> Ask:
    """Make attempts at calls of steps, and read their answers by the error rules."""
    rules, moment = connection.provider.rules, around.moment
    kept = KeptAnswers()
    again = {name: revalidating(scheme.send, kept) for name, scheme in schemes.items()}

    async def ask(asked: ProviderCall) -> Json:
        plan, scheme = asked.plan, schemes[asked.plan.auth]
        asked.attempts += 1
        watch = _watch(asked, scheme, around.clock)
        scope = {**asked.scope, "serial": around.serial()}

        exchange = Exchange(
            lambda: to_request(plan, {**scope, "sent_at": moment()}), plan.limit, asked.state.call, watch
        )
        try:
            send = again[plan.auth] if plan.reading.not_modified else scheme.send
            response = await send(exchange)
        except GatewayError as error:
            if watch is not None:
                watch.meant(error, read=False)
            if isinstance(error, ProviderRejected):  # of a login: nothing else on the way reads an answer
                _heed(gate, scheme.session.login.limit if scheme.session is not None else plan.limit, error)
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
        return await repeat(partial(ask, asked), asked.effect, asked.state.call.deadline, patience)

    return asking


def _watch(asked: ProviderCall, scheme: _Scheme, clock: Callable[[], float]) -> Watch | None:
    """Give what watches this attempt, where there is a trace to be told."""
    trace = asked.state.trace
    if trace is None:
        return None
    logins = frozenset(call.origin for call in scheme.session.calls) if scheme.session is not None else frozenset[str]()
    return Watch(trace, clock, attempt=asked.attempts, logins=logins)


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
