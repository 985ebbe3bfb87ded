"""The play itself: one request in, one answer out, the state changed. No network, no clock of its own.

Credentials are checked by running the mapping's `auth:` and comparing, so that what a real provider would refuse is
refused here too. Calls without a rule are answered from the golden examples.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime
from http import HTTPStatus
from urllib.parse import unquote, urlsplit

from gateway.dialects.xml import XmlForm, read_xml
from gateway.engine.catalog import Connection
from gateway.examples.comparison import event_of
from gateway.examples.exchanges import Exchange, namespaces_of
from gateway.examples.files import SESSION_CALLS, Examples
from gateway.mapping.expressions import ExpressionFailed, Template
from gateway.mapping.nodes.calls import CallPlan, Scope
from gateway.mapping.nodes.provider import AuthPlan, ChallengeAuth, SessionAuth, StaticAuth
from gateway.mapping.runtime.trees import evaluate
from gateway.simulator.answers import SimulatedAnswer, build, empty, in_json, tagged
from gateway.simulator.credentials import carries, challenge
from gateway.simulator.expected import has_form, unexpected_fields
from gateway.simulator.incoming import Incoming, matches
from gateway.simulator.recorded import decode, same_body, with_id
from gateway.simulator.script import Answer, Change, Rule, Script, calls_of
from gateway.simulator.sessions import SimulatedSessions, is_call, session_calls
from gateway.values.errors import MappingFault
from gateway.values.messages import Json
from gateway.values.strictjson import UTF_8, Unreadable
from gateway.values.truth import truth


@dataclass(slots=True)
class Play:
    """One simulated provider. `state` and `tokens` change; everything else is fixed."""

    connection: Connection
    examples: Examples
    script: Script | None
    now: Callable[[], datetime]
    state: dict[str, Json] = field(default_factory=dict)
    calls: int = 0
    sessions: SimulatedSessions = field(init=False, repr=False)
    _calls: tuple[CallPlan, ...] = field(init=False, repr=False)
    _namespaces: Mapping[str, str] = field(init=False, repr=False)
    _schemes: Mapping[str, AuthPlan] = field(init=False, repr=False)
    """The file's own scheme under the empty name, and its others."""

    def __post_init__(self) -> None:
        """Begin with the script's own state."""
        self.state = copy.deepcopy(dict(self.script.state)) if self.script else {}
        provider = self.connection.provider
        self._calls = tuple(calls_of(provider.compiled))
        self._namespaces = namespaces_of(provider.compiled)
        self._schemes = {"": provider.auth, **provider.auth_schemes}
        self.sessions = SimulatedSessions(self._ours, self.now, self._recorded_login)

    def answer(self, request: Incoming) -> SimulatedAnswer:
        """Answer one request. Raises MappingFault, naming `file:line`, where the script itself fails."""
        if request.batch and any(call.envelope.batch for call in self._calls):
            return self._batch(request.batch)
        played, placed = self._answer(request), self._place(request)
        again = any(call.reading.not_modified and is_call(call, placed) for call in self._calls)
        return tagged(played, request.headers.get("if-none-match", "")) if again else played

    def _answer(self, request: Incoming) -> SimulatedAnswer:
        self.calls += 1
        request = self._place(request)
        for scheme, auth in self._schemes.items():
            if isinstance(auth, SessionAuth) and any(is_call(call, request) for call in session_calls(auth)):
                return self._in_session(scheme, auth, request)
        if not self._is_authorised(request):
            begun = self._challenge(request)
            if begun is not None:
                return begun
            refused = self._build(self.script.unauthorised, self._scope(request, {})) if self.script else empty(401)
            return replace(refused, missed="it does not carry what `auth:` sends with the settings shown above")
        for rule in self.script.rules if self.script else ():
            found = self._by_rule(rule, request)
            if found is not None:
                return found
        return self._from_examples(request)

    def _batch(self, calls: list[Incoming]) -> SimulatedAnswer:
        """Answer each call of a JSON-RPC batch (2.0, section 6); what is no success is the answer to all."""
        answers = [self.answer(one) for one in calls]
        wrong = next((one for one in answers if one.status != HTTPStatus.OK), None)
        return wrong or in_json(200, [decode(one.body) for one in answers])

    def forget_tokens(self) -> None:
        """Refuse every token issued so far, as a provider does after an hour."""
        self.sessions.forget_tokens()

    def _scope(self, request: Incoming, match: Mapping[str, str]) -> dict[str, Json]:
        return {
            "state": self.state,
            "request": {**request.scope(), **self._read(request)},
            "settings": self.connection.revealed["settings"],
            "now": self.now().isoformat(timespec="seconds"),
            "match": dict(match),
        }

    def _read(self, request: Incoming) -> dict[str, Json]:
        """What of a body is read by the words of the mapping: XML by its namespaces and lists, and an event."""
        found: dict[str, Json] = {"xml": None, "event": None}
        body = request.content.encode()
        form = next((call.reading.xml for call in self._calls if is_call(call, request)), XmlForm())
        with suppress(Unreadable):
            if request.kind.endswith("xml"):
                found["xml"] = read_xml(body, UTF_8, XmlForm(form.namespaces, form.lists))
            elif request.kind == "text/calendar":
                found["event"] = event_of(body)
        return found

    # Credentials: what the mapping would send is compared with what came.

    def _in_session(self, scheme: str, auth: SessionAuth, request: Incoming) -> SimulatedAnswer:
        """Answer a call of a session; a refusal is as the script says, or as OAuth 2.0 does."""
        told = self.sessions.answer(scheme, auth, request, self.calls)
        if told is None:
            return self._build(self.script.unauthorised, self._scope(request, {})) if self.script else empty(401)
        if told.body is None:
            return SimulatedAnswer(told.status, told.headers, b"")
        played = in_json(told.status, {**told.body, "id": request.scope()["id"]} if request.rpc else told.body)
        return SimulatedAnswer(played.status, {**played.headers, **told.headers}, played.body)

    def _recorded_login(self, call: CallPlan) -> Json:
        """What an example of a call of a session was answered, for what stands beside the token."""
        for example in self.examples.examples:
            for one in example.exchanges if example.operation in SESSION_CALLS else ():
                if example.fails is None and one.method == call.method and matches(call.path, self._path(one)):
                    body = decode(one.answer)
                    if isinstance(body, dict):
                        return body
        return {"jsonrpc": "2.0"} if call.rpc else {}

    def _is_authorised(self, request: Incoming) -> bool:
        """Whether the request carries what a scheme of its call sends."""
        xml = self._read(request)["xml"]
        return any(
            carries(self._schemes[name], request, scope, xml)
            for name in self._schemes_of(request)
            for scope in self._scopes(name)
        )

    def _schemes_of(self, request: Incoming) -> set[str]:
        """Give the schemes of the calls that a request may be; an unknown call has the file's own."""
        return {call.auth for call in self._calls if is_call(call, request)} or {""}

    def _challenge(self, request: Incoming) -> SimulatedAnswer | None:
        """Give the refusal that holds a token, where a scheme of the call begins so and what is beside it is right."""
        xml = self._read(request)["xml"]
        for name in self._schemes_of(request):
            auth = self._schemes[name]
            beside = auth.beside if isinstance(auth, ChallengeAuth) else None
            if isinstance(auth, ChallengeAuth) and (beside is None or carries(beside, request, self._ours(), xml)):
                token = f"simulated-token-{self.calls}"
                self.sessions.tokens.add((name, token))
                status, headers = challenge(auth, token)
                return SimulatedAnswer(status, headers, b"")
        return None

    def _scopes(self, scheme: str) -> Iterator[Scope]:
        """What a scheme's templates see: of a session, once for every token."""
        revealed = self._ours()
        if not isinstance(self._schemes[scheme], SessionAuth | ChallengeAuth):
            yield revealed
        for owner, token in self.sessions.tokens:
            if owner == scheme:
                yield {**revealed, "token": token}

    def _ours(self) -> Scope:
        """What templates of the mapping's own `auth:` see now."""
        return {
            **self.connection.revealed,
            **dict.fromkeys(("now", "sent_at"), self.now().isoformat(timespec="seconds")),
        }

    # Rules.

    def _by_rule(self, rule: Rule, request: Incoming) -> SimulatedAnswer | None:
        if rule.rpc is not None and rule.rpc != request.rpc:
            return None
        if rule.verb is not None and (rule.verb != request.method or not matches(rule.path, request.path)):
            return None
        scope = self._scope(request, {name: request.path[index] for index, name in rule.captures})
        if rule.when is not None and not _holds(rule.when, scope, rule.origin):
            return None
        problem = next(unexpected_fields(rule.expects, request), None)
        if problem is not None and self.script is not None:
            return self._build(self.script.invalid, {**scope, "match": {**scope["match"], "field": problem}})
        for name, tree in rule.let:
            scope[name] = evaluate(tree, scope)
        for when, answer in rule.refuse:
            if _holds(when, scope, rule.origin):
                return self._build(answer, scope)
        for change in rule.change:
            if change.when is None or _holds(change.when, scope, change.origin):
                _make(change, self.state, scope)
        return self._build(rule.answer, scope)

    def _build(self, answer: Answer, scope: Scope) -> SimulatedAnswer:
        return build(answer, scope, self._namespaces)

    # Examples.

    def _from_examples(self, request: Incoming) -> SimulatedAnswer:
        """The recorded answer of the call: the one with the same fields, else the first success."""
        found = [one for one in self._record() if self._same_call(one, request)]
        if not found:
            scope = self._scope(request, {})
            unknown = self._build(self.script.unknown, scope) if self.script else empty(404)
            known = any(is_call(call, request) for call in self._calls)
            why = "no rule and no example answers this call" if known else "the mapping has no such call"
            return replace(unknown, missed=why)
        answer = min(found, key=lambda one: self._distance(one, request))
        body = answer.answer
        if request.rpc:
            body = with_id(body, answer, request)
        return SimulatedAnswer(answer.status, {"content-type": "application/json", **answer.answer_headers}, body)

    def _record(self) -> Iterator[Exchange]:
        for example in self.examples.examples:
            if example.operation not in SESSION_CALLS:
                yield from example.exchanges

    def _same_call(self, exchange: Exchange, request: Incoming) -> bool:
        """Whether a recorded request is of the same call, by whatever path parameters."""
        rpc = exchange.body.get("method") if exchange.body_kind == "jsonrpc" else None
        if exchange.method != request.method or rpc != request.rpc:
            return False
        path = self._path(exchange)
        return path == request.path or any(
            call.method == request.method and matches(call.path, path) and matches(call.path, request.path)
            for call in self._calls
        )

    def _distance(self, exchange: Exchange, request: Incoming) -> tuple[bool, bool, bool]:
        """How far a recorded request is from this one: other path, other fields, and last the ones that failed."""
        auth = self.connection.provider.auth
        tree = auth.query if isinstance(auth, StaticAuth) else None
        own = evaluate(tree, self.connection.revealed).keys() if tree else ()
        query = [{name: text for name, text in one.query.items() if name not in own} for one in (exchange, request)]
        other = query[0] != query[1] or not same_body(exchange, request)
        return self._path(exchange) != request.path, other, exchange.status >= 300  # noqa: PLR2004 - not a success

    def _place(self, request: Incoming) -> Incoming:
        """Give a request as the mapping writes it: below the path of the setting that its address begins with."""
        sessions = [auth for auth in self._schemes.values() if isinstance(auth, SessionAuth)]
        known = [*self._calls, *(call for auth in sessions for call in session_calls(auth))]
        for path in (request.path, *self._below(request.path)):
            placed = replace(request, path=path)
            if any(is_call(call, placed) for call in known):
                return placed
        return request

    def _below(self, path: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
        """Give what of a path is below the address of the provider, where a setting that is one has a path."""
        for address in self.addresses.values():
            base = _segments(address)
            if base and path[: len(base)] == base:
                yield path[len(base) :]

    def _path(self, exchange: Exchange) -> tuple[str, ...]:
        """Give the path of a recorded request as the mapping writes it."""
        path = _segments(exchange.url)
        within = any(exchange.url.startswith(address) for address in self.addresses.values())
        return next(self._below(path), path) if within else path

    @property
    def addresses(self) -> Mapping[str, str]:
        """The settings that are addresses, by name, with the values that the play is given."""
        return self._addresses(self.connection)

    @property
    def known_addresses(self) -> frozenset[str]:
        """The addresses that answers may name: those that the play is given, and those of the examples."""
        return frozenset({*self.addresses.values(), *self._addresses(self.examples.connection).values()})

    def _addresses(self, connection: Connection) -> dict[str, str]:
        settings, values = self.connection.provider.settings.values(), connection.public
        return {one.name: str(values[one.name]) for one in settings if one.type == "url" and values.get(one.name)}


def _segments(url: str) -> tuple[str, ...]:
    return tuple(unquote(part) for part in urlsplit(url).path.split("/") if part)


def _holds(when: Template, scope: Scope, origin: str) -> bool:
    try:
        return truth(when.render(scope), origin)
    except ExpressionFailed as failed:
        raise MappingFault(f"{origin}: `{when.text}`: {failed}", origin=origin) from None


def _make(change: Change, state: dict[str, Json], scope: Scope) -> None:
    """Make one change of the state."""
    *steps, last = str(evaluate(change.place, scope)).split(".")
    value = evaluate(change.value, scope) if change.value is not None else None
    held = state
    for step in steps:
        held = held.setdefault(step, {})
        if not isinstance(held, dict):
            raise MappingFault(f"{change.origin}: `{step}` holds no objects", origin=change.origin)
    if change.kind == "set":
        held[last] = copy.deepcopy(value)  # what two places hold is not one thing
    elif change.kind == "remove":
        held.pop(last, None)
    elif has_form(held.get(last), "number") and has_form(value, "number"):
        held[last] += value
    else:
        raise MappingFault(f"{change.origin}: `add` needs two numbers", origin=change.origin)
