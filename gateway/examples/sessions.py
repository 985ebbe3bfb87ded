"""Examples of a session: `login` shows how it begins, `refresh` how it is renewed. Each gives the token."""

from __future__ import annotations

import json
from collections.abc import Mapping

from gateway.engine.catalog import Connection
from gateway.engine.sessions.renewal import Obtaining
from gateway.examples.files import Example
from gateway.mapping.nodes.calls import CallPlan, Scope
from gateway.mapping.nodes.provider import SessionAuth
from gateway.mapping.nodes.sessions import Agreed, Assertion
from gateway.mapping.runtime.trees import evaluate
from gateway.values.errors import CallInvalid, NotMapped
from gateway.values.messages import Json, Send


async def play_session(example: Example, connection: Connection, send: Send) -> Json:
    """Make one call of the session of the file's own scheme, and give the token that it gets.

    Raises what the rules make of a refusal, NotMapped where there is no such call, and CallInvalid for arguments.
    """
    auth = connection.provider.auth
    if not isinstance(auth, SessionAuth):
        raise NotMapped("The file's own scheme has no login.")
    now = example.now.isoformat(timespec="seconds")
    scope = {**connection.revealed, "now": now, "sent_at": now}
    obtaining = Obtaining(
        auth, lambda: scope, connection.provider.rules, example.now.timestamp, lambda: "example", claim
    )
    call, given = _call(obtaining, example.operation, example.args)
    response = await send(obtaining.request(call, given))
    return obtaining.read(call, response, None).token


def claim(assertion: Assertion, scope: Scope, now: float, id_: str) -> str:
    """Write what an assertion claims as JSON, in the order of its keys: a signature says nothing to who reads."""
    claims = evaluate(assertion.claims, scope)
    times = {"iat": int(now), "exp": int(now + assertion.lifetime), "jti": id_}
    return json.dumps({**claims, **times}, sort_keys=True)


def _call(obtaining: Obtaining, operation: str, args: Mapping[str, Json]) -> tuple[CallPlan, Scope]:
    """The call that an example shows, and what it is given: its arguments, or what a setting has."""
    auth, begins = obtaining.auth, obtaining.auth.begins
    if operation == "refresh":
        if auth.refresh is None:
            raise NotMapped("The file's own scheme renews nothing.")
        return auth.refresh.call, _given(args, "refresh_token")
    if isinstance(begins, Agreed):
        return begins.exchange, _given(args, "code", "redirect_uri", "code_verifier")
    first = obtaining.first()
    return auth.login, _given(args) if first is None else {"refresh_token": first}


def _given(args: Mapping[str, Json], *names: str) -> Scope:
    if args.keys() != {*names}:
        told = f"takes {', '.join(f'`{name}`' for name in names)}" if names else "takes no arguments"
        raise CallInvalid(f"This call of the session {told}.")
    return args
