"""Requests that are signed as a plan says, and a provider with sessions, without a network."""

from dataclasses import replace

from gateway.engine.sessions.renewal import Obtaining
from gateway.engine.sessions.session import Session
from gateway.engine.sessions.vaults import MemoryVault
from gateway.engine.way_out.auth import InSession, in_session, sign
from gateway.engine.way_out.exchange import Exchange
from gateway.mapping.nodes.provider import SessionAuth
from gateway.values.messages import Call, Request

SECRET = "s3cr&t+kéy"
SCOPE = {
    "settings": {"base_url": "https://api.example", "user": "club", "key": SECRET, "currency": "EUR"},
    "now": "2026-03-01T09:00:00+01:00",
}
USER = "settings: {user: {type: string}}\n"
SESSION = """
settings: {user: {type: string}}
auth:
  session:
    login: {post: /login, json: {user: "{{ settings.user }}", key: "{{ settings.key }}"}}
    token: data.token
    expires: 55m
    renew_when: [{status: 401}, {when: "error == 'expired'"}, {header: {X-Session: "^over$"}},
      {when: "{{ body.state == 'ended' and status == 200 and settings.user == 'club' }}"}]
    send: {headers: {X-Token: "{{ token }}"}, query: {user: "{{ settings.user }}"}}
errors:
  - {when: "error == 'locked'", is: LIMIT_EXCEEDED, message: text}
"""
REQUEST = Request("GET", "https://api.example/things", headers=(("X-A", "a"),), query=(("q", "1"),))
CALL = Call("club", "bookings.get", {}, "r1", deadline=60.0)
FORM = replace(REQUEST, method="POST", headers=(("Content-Type", "application/x-www-form-urlencoded"),), body=b"a=1")


def new_session(clock=lambda: 0.0):
    """Give a session that nothing is known of, in the memory of this process."""
    return Session(b"", MemoryVault(), clock)


async def sent(plan, request=REQUEST, scope=SCOPE):
    """Give what arrives at the provider when a request is signed."""
    found = []

    async def send(arrived):
        found.append(arrived)

    await signing(send, plan, new_session(), scope)(request)
    return found[0]


def signing(send, plan, session, scope=SCOPE):
    """Give a Send that signs as a plan says, and waits for nothing before it does."""

    async def at_once(exchange):
        return await send(exchange.make())

    if isinstance(plan.auth, SessionAuth):
        obtaining = Obtaining(plan.auth, lambda: scope, plan.rules, session._clock, lambda: "1")
        way = in_session(at_once, InSession(session, obtaining, session._clock))
    else:
        way = sign(at_once, plan.auth, lambda: scope)
    return lambda request: way(Exchange(lambda: request, request.limit, CALL))
