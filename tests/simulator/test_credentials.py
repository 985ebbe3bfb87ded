"""Credentials at the simulated provider: what the mapping would send is let in, anything else is not."""

import pytest

from gateway.values.errors import GatewayError
from gateway.values.secrets import Secret

SESSION = """auth:
  session:
    login: LOGIN
    token: TOKEN
    expires: 10m
    renew_when: [{status: 401}]
    send: SEND
"""


def session(login, token, send="{headers: {X-Token: '{{ token }}'}}"):
    return SESSION.replace("LOGIN", login).replace("TOKEN", token).replace("SEND", send)


def oauth(grant, more):
    client = "client_id: '{{ settings.user }}', client_secret: '{{ settings.key }}'"
    return f"auth: {{oauth2: {{grant: {grant}, token_url: /oauth/token, {client}, {more}}}}}"


SCHEMES = {
    "headers": 'auth: {headers: {X-User: "{{ settings.user }}", X-Key: "{{ settings.key }}"}}',
    "query": 'auth: {query: {user: "{{ settings.user }}", key: "{{ settings.key }}"}}',
    "basic": 'auth: {basic: {user: "{{ settings.user }}", password: "{{ settings.key }}"}}',
    "session by json": session(
        "{post: /login, json: {user: '{{ settings.user }}', key: '{{ settings.key }}'}, success: data.token}",
        "data.token",
    ),
    "session by form": session(
        "{post: /login, form: {user: '{{ settings.user }}', key: '{{ settings.key }}'}, success: token}", "token"
    ),
    "session by header": session(
        "{post: /login, headers: {Authorization: 'Key {{ settings.user }} {{ settings.key }}'}, success: token}",
        "token",
        "{query: {token: '{{ token }}'}}",
    ),
    "session by rpc": session(
        "{post: /login, jsonrpc: {method: getToken, params: ['{{ settings.user }}', '{{ settings.key }}']}}", "result"
    ),
    "session in a header": session(
        "{post: /login, json: {user: '{{ settings.user }}', key: '{{ settings.key }}'}, success: {status: 200}}",
        "{header: X-Token}",
    ),
    "client in basic": oauth("client_credentials", "scope: all"),
    "client in the form": oauth("client_credentials", "client_auth: body"),
    "password": oauth("password", "user: '{{ settings.user }}', password: '{{ settings.key }}'"),
    "refresh token": oauth("refresh_token", "refresh_token: '{{ settings.user }}{{ settings.key }}'"),
    "assertion": oauth("jwt_bearer", "assertion: {key: '{{ settings.key }}', algorithm: HS256}"),
}


@pytest.mark.parametrize("scheme", SCHEMES.values(), ids=SCHEMES)
async def test_let_in(play, engine_on, call, scheme):
    """With the right credentials every call is answered, whatever its verb and body."""
    engine = await engine_on(play(scheme))
    assert ["Attic", "Cellar"] == [room["name"] for room in await call(engine, "resources.list")]
    assert "Hello Bo" == await call(engine, "native.greet", name="Bo")
    booked = await call(engine, "bookings.create", slot_id="a", customer={"name": "Ada"})
    assert "100" == booked["id"]


@pytest.mark.parametrize("over", [{"key": Secret("another-key")}, {"user": "bob"}], ids=["key", "user"])
@pytest.mark.parametrize("scheme", SCHEMES.values(), ids=SCHEMES)
async def test_kept_out(play, engine_on, call, scheme, over):
    """With one wrong part no call is answered, and nothing is done."""
    desk = play(scheme)
    engine = await engine_on(desk, over)
    for operation, given in (
        ("resources.list", {}),
        ("native.greet", {"name": "Bo"}),
        ("bookings.create", {"slot_id": "a", "customer": {"name": "Ada"}}),
    ):
        with pytest.raises(GatewayError) as refused:
            await call(engine, operation, **given)
        assert "PROVIDER_AUTH_FAILED" == refused.value.code
    assert {} == desk.state["bookings"]
    assert set() == desk.sessions.tokens


async def test_form_fields(play, engine_on, call):
    """Credentials in a form are looked for in every form, and only there."""
    form = 'auth: {form: {key: "{{ settings.key }}"}}'
    engine = await engine_on(play(form))
    assert "100" == (await call(engine, "bookings.create", slot_id="a", customer={"name": "Ada"}))["id"]
    assert ["Attic", "Cellar"] == [room["name"] for room in await call(engine, "resources.list")]
    engine = await engine_on(play(form), {"key": Secret("another-key")})
    with pytest.raises(GatewayError, match="credentials"):
        await call(engine, "bookings.create", slot_id="a", customer={"name": "Ada"})


async def test_nothing_asked_for(play, engine_on, call):
    """A provider without credentials lets everybody in."""
    engine = await engine_on(play("auth: none"))
    assert "Hello Bo" == await call(engine, "native.greet", name="Bo")


async def test_forgotten_tokens(play, engine_on, call):
    """A session that was forgotten is refused, one login later it goes on, and no old token ever counts again."""
    desk = play(SCHEMES["session by rpc"])
    engine = await engine_on(desk)
    seen = set()
    for _ in range(4):
        assert "Hello Bo" == await call(engine, "native.greet", name="Bo")
        assert "Hello Bo" == await call(engine, "native.greet", name="Bo")
        assert 1 == len(desk.sessions.tokens)
        assert seen.isdisjoint(desk.sessions.tokens)
        seen |= desk.sessions.tokens
        desk.forget_tokens()


async def test_login_answers_as_recorded(play, engine_on, call):
    """What stands beside the token in the `login` example stands there in the play, too."""
    scheme = session("{post: /login, json: {key: '{{ settings.key }}'}, success: \"kind == 'full'\"}", "data.token")
    with pytest.raises(GatewayError):
        await call(await engine_on(play(scheme)), "resources.list")
    login = """
  - name: a login
    operation: login
    exchanges:
      - request: {post: "https://desk.example/login", json: {key: desk-s3cret-key}}
        answer: {json: {kind: full, data: {token: abc, hours: 1}}}
    gives: abc
"""
    assert 2 == len(await call(await engine_on(play(scheme, examples=login)), "resources.list"))


async def test_two_schemes(play, engine_on, call):
    """A call that goes another way in needs that way's credentials, and a token of one way opens no other."""
    other = (
        session(
            "{post: /admin, json: {key: '{{ settings.key }}'}, success: token}",
            "token",
            "{headers: {X-Admin: '{{ token }}'}}",
        )
        .replace("auth:\n", "auth_schemes:\n  admin:\n")
        .replace("\n  session:", "\n    session:")
    )
    own = session("{post: /login, json: {user: '{{ settings.user }}'}, success: token}", "token")
    other = "\n".join(f"  {line}" if number > 2 else line for number, line in enumerate(other.splitlines()))
    desk = play(
        f"{own}{other}\n", ('call: {get: "/rooms/{{ args.id }}"}', 'call: {get: "/rooms/{{ args.id }}", auth: admin}')
    )
    engine = await engine_on(desk)
    assert "Attic" == (await call(engine, "resources.get", id="1"))["name"]
    assert ["admin"] == [scheme for scheme, _ in desk.sessions.tokens]
    assert 2 == len(await call(engine, "resources.list"))
    assert ["", "admin"] == sorted(scheme for scheme, _ in desk.sessions.tokens)
    engine = await engine_on(desk, {"key": Secret("another-key")})
    assert 2 == len(await call(engine, "resources.list"))
    with pytest.raises(GatewayError, match="credentials"):
        await call(engine, "resources.get", id="1")
