"""The play itself: one request in, one answer out, the state changed. No network, no clock of its own.

Credentials are checked by running the mapping's `auth:` and comparing, so that what a real provider would refuse is
refused here too. Calls without a rule are answered from the golden examples.
"""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from urllib.parse import urlsplit

from gateway.catalog import Connection
from gateway.examples import Examples, Exchange
from gateway.mapping.plan import AuthPlan, Build, CallPlan, OperationPlan, Scope
from gateway.mapping.translate import pairs, to_request
from gateway.mapping.trees import truth
from gateway.messages import Json
from gateway.simulator.incoming import Incoming, incoming, matches
from gateway.simulator.script import Answer, Rule, Script

_FORMS: Mapping[str, str] = {
    "date": r"\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])",
    "clock": r"([01]\d|2[0-4]):[0-5]\d",
    "time": r"([01]\d|2[0-4]):[0-5]\d:[0-5]\d",
    "instant": r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(Z|[+-]\d\d:\d\d)",
    "digits": r"\d+",
    "email": r"[^@\s]+@[^@\s]+",
    "text": r"(?s).+",
}
"""Formats that `expects:` knows, besides `number`, `list`, `object`, `boolean` and `any`."""
_KINDS: Mapping[str, type | tuple[type, ...]] = {"number": (int, float), "list": list, "object": dict, "boolean": bool}


@dataclass(frozen=True, slots=True)
class Played:
    """An HTTP answer of the simulated provider."""

    status: int
    headers: Mapping[str, str]
    body: bytes


@dataclass(slots=True)
class Play:
    """One simulated provider. `state` and `tokens` change; everything else is fixed."""

    connection: Connection
    examples: Examples
    script: Script | None
    now: Callable[[], datetime]
    state: dict[str, Json] = field(default_factory=dict)
    tokens: set[str] = field(default_factory=set)
    calls: int = 0

    def __post_init__(self) -> None:
        """Begin with the script's own state."""
        self.state = copy.deepcopy(dict(self.script.state)) if self.script else {}

    def answer(self, request: Incoming) -> Played:
        """Answer one request."""
        self.calls += 1
        auth = self.connection.provider.auth
        if auth.login is not None and self._is(auth.login, request):
            return self._login(auth, auth.login, request)
        if not self._authorised(auth, request):
            return self._built(self.script.unauthorised, self._scope(request, {})) if self.script else _plain(401)
        for rule in self.script.rules if self.script else ():
            found = self._by_rule(rule, request)
            if found is not None:
                return found
        return self._from_examples(request)

    def forget_tokens(self) -> None:
        """Refuse every token issued so far, as a provider does after an hour."""
        self.tokens.clear()

    def _scope(self, request: Incoming, match: Mapping[str, str]) -> dict[str, Json]:
        return {
            "state": self.state,
            "request": request.scope(),
            "settings": self.connection.revealed["settings"],
            "now": self.now().isoformat(timespec="seconds"),
            "match": dict(match),
        }

    # Credentials: what the mapping would send is compared with what came.

    def _login(self, auth: AuthPlan, login: CallPlan, request: Incoming) -> Played:
        wanted = to_request(login, {**self.connection.revealed, "serial": 1})
        sent = incoming(wanted.method, urlsplit(wanted.url).path, "", dict(wanted.headers), wanted.body)
        same_body = _without_id(sent.json) == _without_id(request.json) and sent.form == request.form
        if not same_body or dict(wanted.query) != dict(request.query):
            return self._built(self.script.unauthorised, self._scope(request, {})) if self.script else _plain(401)
        token = f"simulated-token-{len(self.tokens) + self.calls}"
        self.tokens.add(token)
        steps = auth.token.steps if auth.token is not None and auth.token.steps else ("token",)
        body: Json = token
        for step in reversed(steps):
            body = {step: body}
        if request.rpc:
            body = {"jsonrpc": "2.0", "id": request.scope()["id"], **body}
        return _json(200, body)

    def _authorised(self, auth: AuthPlan, request: Incoming) -> bool:
        if auth.scheme == "session":
            return any(
                self._carries(auth, request, {**self.connection.revealed, "token": token}) for token in self.tokens
            )
        return self._carries(auth, request, self.connection.revealed)

    def _carries(self, auth: AuthPlan, request: Incoming, scope: Scope) -> bool:
        def built(build: Build | None) -> dict[str, str]:
            return dict(pairs(build(scope), auth.origin)) if build is not None else {}

        headers = {name.lower(): value for name, value in built(auth.headers).items()}
        basic = tuple(str(part.render(scope)) for part in auth.basic) if auth.basic else None
        return (
            headers.items() <= request.headers.items()
            and built(auth.query).items() <= request.query.items()
            and built(auth.form).items() <= request.form.items()
            and (basic is None or request.basic == basic)
        )

    # Rules.

    def _by_rule(self, rule: Rule, request: Incoming) -> Played | None:
        if rule.rpc is not None and rule.rpc != request.rpc:
            return None
        if rule.verb is not None and (rule.verb != request.method or not matches(rule.path, request.path)):
            return None
        scope = self._scope(request, {name: request.path[index] for index, name in rule.captures})
        if rule.when is not None and not truth(rule.when.render(scope), rule.origin):
            return None
        problem = next(self._unexpected(rule, request), None)
        if problem is not None and self.script is not None:
            return self._built(self.script.invalid, {**scope, "match": {**scope["match"], "field": problem}})
        for name, build in rule.let:
            scope[name] = build(scope)
        for when, answer in rule.refuse:
            if truth(when.render(scope), rule.origin):
                return self._built(answer, scope)
        for change in rule.change:
            if change.when is None or truth(change.when.render(scope), rule.origin):
                value = change.value(scope) if change.value is not None else None
                _change(self.state, str(change.place(scope)).split("."), change.kind, value)
        return self._built(rule.answer, scope)

    def _unexpected(self, rule: Rule, request: Incoming) -> Iterator[str]:
        """Names of the fields whose format is not the expected one."""
        body = request.json if isinstance(request.json, dict) and not request.rpc else {}
        fields = {**request.query, **request.form, **body}
        params = request.scope()["params"]
        for name, form in rule.expects.items():
            wanted, optional = form.rstrip("?"), form.endswith("?")
            if name.isdigit() and isinstance(params, list):
                value = params[int(name)] if int(name) < len(params) else None
            else:
                value = fields.get(name)
            missing = value is None or value == ""
            if (missing and not optional) or (not missing and not _has_form(value, wanted)):
                yield name

    def _built(self, answer: Answer, scope: Scope) -> Played:
        headers = {name: str(value) for name, value in (answer.headers(scope) if answer.headers else {}).items()}
        if answer.text is not None:
            return Played(
                answer.status,
                {"Content-Type": "text/plain; charset=utf-8", **headers},
                str(answer.text(scope)).encode(),
            )
        played = _json(answer.status, answer.json(scope) if answer.json else None)
        return Played(played.status, {**played.headers, **headers}, played.body)

    # Examples.

    def _from_examples(self, request: Incoming) -> Played:
        """The recorded answer of the call: the one with the same fields, else the first success."""
        found = [one for one in self._recorded() if _same_call(one, request)]
        found.sort(key=lambda one: (not _same_fields(one, request), one.status >= 300))  # noqa: PLR2004 - successes first
        if not found:
            scope = self._scope(request, {})
            return self._built(self.script.unknown, scope) if self.script else _plain(404)
        answer = found[0]
        body = answer.answer
        if request.rpc:
            recorded = json.loads(body)
            body = json.dumps({**recorded, "id": request.scope()["id"]}, ensure_ascii=False).encode()
        return Played(answer.status, {"Content-Type": "application/json", **answer.answer_headers}, body)

    def _recorded(self) -> Iterator[Exchange]:
        for example in self.examples.examples:
            if example.operation != "login":
                yield from example.exchanges

    def _is(self, call: CallPlan, request: Incoming) -> bool:
        return call.method == request.method and matches(call.path, request.path) and call.rpc == request.rpc


def calls_of(operations: Mapping[str, OperationPlan]) -> Iterator[CallPlan]:
    """Every call that operations can make."""
    for operation in operations.values():
        for variant in operation.variants:
            for step in variant.steps:
                if step.call is not None:
                    yield step.call


def _has_form(value: Json, form: str) -> bool:
    if form == "any":
        return True
    if form in _KINDS:
        return isinstance(value, _KINDS[form])
    text = str(value) if isinstance(value, str | int) and not isinstance(value, bool) else ""
    return bool(re.fullmatch(_FORMS[form], text, re.ASCII if form != "text" else re.DOTALL))


def _change(state: dict[str, Json], steps: list[str], kind: str, value: Json) -> None:
    held = state
    for step in steps[:-1]:
        held = held.setdefault(step, {})
    if kind == "set":
        held[steps[-1]] = value
    elif kind == "add":
        held[steps[-1]] += value
    else:
        held.pop(steps[-1], None)


def _same_call(exchange: Exchange, request: Incoming) -> bool:
    rpc = exchange.body.get("method") if exchange.body_kind == "jsonrpc" else None
    path = tuple(part for part in urlsplit(exchange.url).path.split("/") if part)
    if exchange.method != request.method or rpc != request.rpc:
        return False
    return bool(rpc) or path == request.path or (len(path) == len(request.path) and path[:-1] == request.path[:-1])


def _same_fields(exchange: Exchange, request: Incoming) -> bool:
    if exchange.body_kind == "jsonrpc":
        return bool(exchange.body.get("params") == request.scope()["params"])
    path = tuple(part for part in urlsplit(exchange.url).path.split("/") if part)
    return path == request.path and dict(exchange.query) == dict(request.query)


def _without_id(body: Json) -> Json:
    return {name: value for name, value in body.items() if name != "id"} if isinstance(body, dict) else body


def _json(status: int, body: Json) -> Played:
    return Played(status, {"Content-Type": "application/json"}, json.dumps(body, ensure_ascii=False).encode())


def _plain(status: int) -> Played:
    return Played(status, {"Content-Type": "text/plain"}, b"")
