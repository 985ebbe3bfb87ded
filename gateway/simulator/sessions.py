"""The sessions of a simulated provider: who may log in, what is given for it, and what was given and is still good.

What a login must send is what the mapping itself would send. A refresh token and a code are good once.
"""

from __future__ import annotations

import base64
import hmac
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from urllib.parse import urlencode, urlsplit

from gateway.engine.sessions.agreement import challenge_of
from gateway.engine.sessions.renewal import Obtaining
from gateway.mapping.expressions import Path
from gateway.mapping.nodes.calls import CallPlan, Scope
from gateway.mapping.nodes.provider import SessionAuth
from gateway.mapping.nodes.sessions import Agreed, Assertion, AsTold, Given
from gateway.mapping.runtime.requests import pairs
from gateway.mapping.runtime.trees import evaluate
from gateway.simulator.credentials import token_headers
from gateway.simulator.incoming import Incoming, decode_request, matches
from gateway.values.messages import Json
from gateway.values.strictjson import JsonRefused, decode_json

_LIFETIME = 3600
"""Seconds that a token is told to be good for, where the mapping reads that and no example says it."""
_FOUND = 302


@dataclass(frozen=True, slots=True)
class SessionAnswer:
    """What a login is answered: its body is JSON. None of it stands for a refusal."""

    status: int
    body: Json = None
    headers: Mapping[str, str] = field(default_factory=dict)


REFUSED = None
_OAUTH_REFUSED = SessionAnswer(400, {"error": "invalid_grant", "error_description": "not what the mapping would send"})


@dataclass(slots=True)
class SimulatedSessions:
    """What was given so far, each with its scheme."""

    scope: Callable[[], Scope]
    """What templates of `auth:` see now."""
    now: Callable[[], datetime]
    recorded: Callable[[CallPlan], Json]
    """What an example of the call was answered, where it gave a token."""
    tokens: set[tuple[str, str]] = field(default_factory=set)
    refreshes: set[tuple[str, str]] = field(default_factory=set)
    _codes: dict[str, tuple[str, Mapping[str, str]]] = field(default_factory=dict)
    """Each code, with its scheme and the query that asked for it."""
    _spent: set[tuple[str, str]] = field(default_factory=set)

    def answer(self, scheme: str, auth: SessionAuth, request: Incoming, number: int) -> SessionAnswer | None:
        """Answer a call of a session; None refuses it. `number` is one that no other request has."""
        if isinstance(auth.begins, Agreed) and is_call(auth.begins.page, request):
            return self._agree(scheme, auth.begins, request, number)
        for call in auth.calls:
            for given in self._give(scheme, auth, call, request):
                if is_call(call, request) and self._is_wanted(auth, call, given, request):
                    return self._issue(scheme, auth, call, given, number)
        return _OAUTH_REFUSED if auth.rules else REFUSED

    def forget_tokens(self) -> None:
        """Refuse every token given so far, as a provider does after an hour."""
        self.tokens.clear()

    def _give(self, scheme: str, auth: SessionAuth, call: CallPlan, request: Incoming) -> Iterator[Scope]:
        """What the call may have been given, of all that is still good."""
        if isinstance(auth.begins, Agreed) and call is auth.begins.exchange:
            owner, asked = self._codes.get(request.form.get("code", ""), ("", {}))
            verifier = request.form.get("code_verifier", "")
            known = asked and owner == scheme and verifier.isascii()
            if known and hmac.compare_digest(challenge_of(verifier), asked.get("code_challenge", "")):
                shown = {"code": request.form["code"], "code_verifier": verifier}
                yield {**shown, "redirect_uri": asked.get("redirect_uri", "")}
        elif auth.refresh is not None and call is auth.refresh.call:
            yield from ({"refresh_token": one} for owner, one in sorted(self.refreshes) if owner == scheme)
            first = str(evaluate(auth.begins.token, self.scope())) if isinstance(auth.begins, Given) else ""
            if first and (scheme, first) not in self._spent:
                yield {"refresh_token": first}
        else:
            yield {}

    def _is_wanted(self, auth: SessionAuth, call: CallPlan, given: Scope, request: Incoming) -> bool:
        """Whether a request is what the mapping would send now."""
        obtaining = Obtaining(auth, self.scope, (), lambda: self.now().timestamp(), lambda: "", _play(request))
        wanted = obtaining.request(call, given)
        sent = decode_request(wanted.method, urlsplit(wanted.url).path, "", dict(wanted.headers), wanted.body)
        same_body = _without_id(sent.json) == _without_id(request.json) and sent.form == request.form
        if sent.json is None and not sent.form:  # of any other form it is the same text
            same_body = same_body and sent.content == request.content
        headers = {name: value for name, value in sent.headers.items() if name != "content-type"}
        return same_body and dict(wanted.query) == request.query and headers.items() <= request.headers.items()

    def _issue(self, scheme: str, auth: SessionAuth, call: CallPlan, given: Scope, number: int) -> SessionAnswer:
        """Give a new token, and what renews it; what was used for it is good no more."""
        token, refresh = f"simulated-token-{number}", f"simulated-refresh-{number}"  # never one that was forgotten
        self.tokens.add((scheme, token))
        self._codes.pop(str(given.get("code")), None)
        body, headers = self.recorded(call), dict[str, str]()
        body = body if isinstance(body, dict) else {}
        if isinstance(auth.token, Path):
            _put(body, auth.token, token)
        else:
            headers |= token_headers(auth.token, token)
        if auth.refresh is not None and (auth.begins.kept or auth.refresh.token.read(body)):
            self.refreshes.add((scheme, refresh))
            _put(body, auth.refresh.token, refresh)
        if "refresh_token" in given:
            used = (scheme, str(given["refresh_token"]))
            self.refreshes.discard(used)
            self._spent.add(used)
        if isinstance(auth.expiry, AsTold) and auth.expiry.unit == "seconds":
            _put(body, auth.expiry.at, _LIFETIME)
        return SessionAnswer(200, body, headers)

    def _agree(self, scheme: str, agreed: Agreed, request: Incoming, number: int) -> SessionAnswer | None:
        """Agree as the person would who is asked, and send the browser back with a code."""
        asked = dict(pairs(evaluate(agreed.query, self.scope()), agreed.page.origin))
        back = request.query.get("redirect_uri", "")
        if (
            not asked.items() <= request.query.items()
            or request.query.get("code_challenge_method") != "S256"
            or not back
        ):
            return REFUSED
        code = f"simulated-code-{number}"
        self._codes[code] = (scheme, request.query)
        query = urlencode({"code": code, "state": request.query.get("state", "")})
        return SessionAnswer(_FOUND, None, {"location": f"{back}?{query}"})


def session_calls(auth: SessionAuth) -> tuple[CallPlan, ...]:
    """Give what a provider is asked about a session, the page of a person who logs in included."""
    return (*auth.calls, auth.begins.page) if isinstance(auth.begins, Agreed) else auth.calls


def is_call(call: CallPlan, request: Incoming) -> bool:
    """Whether a request is one of this call, by method, path and JSON-RPC method."""
    return call.method == request.method and matches(call.path, request.path) and call.rpc == request.rpc


def _play(request: Incoming) -> Callable[[Assertion, Scope, float, str], str]:
    """Take the assertion that came, where it claims what the mapping would claim and is still good."""

    def sign(assertion: Assertion, scope: Scope, now: float, _id: str) -> str:
        came = request.form.get("assertion", "")
        wanted = {
            name: one for name, one in evaluate(assertion.claims, scope).items() if name != "aud"
        }  # our own address
        claims = _claims(came)
        good = wanted.items() <= claims.items() and claims.get("iat", now + 1) <= now < claims.get("exp", 0)
        return came if good else ""

    return sign


def _claims(token: str) -> dict[str, Json]:
    """Give what a JSON Web Token claims, whoever signed it; nothing of what is none."""
    parts = token.split(".")
    if len(parts) != 3:  # noqa: PLR2004 - header, claims, signature
        return {}
    try:
        claims = decode_json(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
    except (ValueError, JsonRefused):
        return {}
    return claims if isinstance(claims, dict) else {}


def _put(body: dict[str, Json], path: Path, value: Json) -> None:
    """Put a value where a path finds it, as far as keys lead there."""
    held = body
    *steps, last = path.steps or ("token",)
    for step in steps:
        held = held.setdefault(step, {})
    held[last] = value


def _without_id(body: Json) -> Json:
    return {name: value for name, value in body.items() if name != "id"} if isinstance(body, dict) else body
