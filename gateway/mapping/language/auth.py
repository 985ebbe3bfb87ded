"""How we prove who we are."""

from __future__ import annotations

from typing import Annotated, Final, Literal, TypeAlias

from gateway.documents.part_rules import exactly_one
from gateway.documents.parts import Duration, Node, PathText, TemplateText, TreeObject, key, limits, part, share
from gateway.mapping.language.errors import Condition
from gateway.mapping.language.http import Call

_SIGNED = {"X-Api-Key": "{{ settings.api_key }}"}
_LOGIN = {"post": "/login", "json": {"key": "{{ settings.api_key }}"}}
_TOKEN = {"headers": {"X-Token": "{{ token }}"}}
Grant: TypeAlias = Literal["client_credentials", "refresh_token", "password", "jwt_bearer", "authorization_code"]
GRANTS: Final[dict[str, tuple[frozenset[str], frozenset[str]]]] = {
    "client_credentials": (frozenset(), frozenset()),
    "refresh_token": (frozenset({"refresh_token"}), frozenset({"rotates"})),
    "password": (frozenset({"user", "password"}), frozenset()),
    "jwt_bearer": (frozenset({"assertion"}), frozenset()),
    "authorization_code": (frozenset({"authorize_url"}), frozenset({"authorize", "rotates"})),
}
"""Grant → the keys that it needs, and those that it may have besides, of those that not every grant has."""
OF_GRANTS: Final = frozenset[str]().union(*(needs | may for needs, may in GRANTS.values()))
"""Keys that not every grant has."""
SettingNames: TypeAlias = Annotated[
    list[str], limits(minlength=1, schema={"type": "string", "regex": r"settings\.[a-z][a-z0-9_]*"})
]
"""Settings, each as `settings.NAME`."""
_REFRESH = {"post": "/refresh", "json": {"refresh": "{{ refresh_token }}"}}
_SESSION = {"login": _LOGIN, "token": "result", "renew_when": [{"status": 401}], "send": _TOKEN}


@part("basic", "`basic` of a scheme")
class Basic(Node):
    """HTTP Basic (RFC 7617)."""

    user: TemplateText = key("the user-id", example="{{ settings.login }}")
    password: TemplateText = key("the password", example="{{ settings.password }}")


@share
class _InBodies(Node):
    """Where credentials go besides headers and the query."""

    cookies: TreeObject | None = key("cookies of every call", example={"sid": "{{ token }}"})
    json: TreeObject | None = key(
        "members of every JSON body, laid into it", example={"session": {"token": "{{ token }}"}}
    )
    params: TreeObject | None = key(
        'params of every JSON-RPC call, by position ("0" comes first, the others move on) or by name',
        example={"0": "{{ token }}"},
    )
    xml: TreeObject | None = key(
        "what is laid into every XML body; a list comes before the one that is there",
        example={"Envelope": {"Header": {"token": "{{ token }}"}}},
    )


@part("send", "`send` of a session")
class Send(_InBodies):
    """Where a session's token goes."""

    headers: TreeObject | None = key("headers of every call", example={"X-Token": "{{ token }}"})
    query: TreeObject | None = key("query parameters of every call", example={"token": "{{ token }}"})
    form: TreeObject | None = key("form fields of every call that has a form", example={"token": "{{ token }}"})


@part(
    "session_token",
    "`token` of a session",
    exactly_one("header", "cookie", code="wrong-form", message="a token is in one `header` or one `cookie`"),
)
class Token(Node):
    """Where the answer of a login, or a refusal, has the token, when that is not in the body."""

    header: str | None = key("the header that holds it", minlength=1, example="X-Auth-Token")
    cookie: str | None = key("the cookie that holds it", minlength=1, example="sid")


@part("expires", "`expires` of a session")
class Expires(Node):
    """When a token is over, as the answer that gives it says."""

    at: PathText = key(
        "path to what says it; where an answer does not, the token is used until it is refused", example="expires_in"
    )
    unit: Literal["seconds", "epoch", "epoch_ms", "iso8601"] = key(
        "what that is: seconds from now, or an instant as seconds or milliseconds since 1970, or as text",
        default="seconds",
        example="epoch",
    )
    margin: Duration = key(
        "renewed so long before, but never in the first half of its life", default="60s", example="5m"
    )


@part("refresh", "`refresh` of a session")
class Refresh(Node):
    """How a session is renewed without logging in anew."""

    token: PathText = key(
        "path to what renews it, in the answers of the login and of `call`; an answer without it leaves it as it was",
        example="refresh_token",
    )
    call: Call = key("the call that renews it; its templates see `refresh_token`", example=_REFRESH)


@part("session", "`session` of a scheme")
class Session(Node):
    """A login that gives a token."""

    login: Call | None = key(
        "the call that logs in; without it the first call goes without a token, and the header or cookie of its "
        "refusal, which `renew_when` knows, is the token",
        example=_LOGIN,
    )
    token: PathText | Token = key(
        "path to the token in the login's answer, or the header or cookie that has it", example="result"
    )
    expires: Duration | Expires | None = key(
        "renewed so long after it was fetched, or when the answer says that it is over", example="55m"
    )
    refresh: Refresh | None = key(
        "how it is renewed; when that is refused, or without it, by another login",
        example={"token": "refresh_token", "call": _REFRESH},
    )
    renew_when: list[Condition] | str = key(
        "conditions that mean the token is no longer accepted; `never` where no answer says so",
        minlength=1,
        example=[{"status": 401}],
    )
    send: Send = key("where the token goes", example=_TOKEN)
    share_by: SettingNames | None = key(
        "connections for which these settings are the same have one session; without it, all that the login reads",
        example=["settings.client_id"],
    )


@part("assertion", "`assertion` of `oauth2`")
class Assertion(Node):
    """A token that the gateway signs itself (RFC 7523, section 3): `iat`, `exp` and `jti` come by themselves."""

    key_: TemplateText = key(
        "what signs: a private key in PEM for RS and ES, a text for HS", example="{{ settings.private_key }}"
    )
    algorithm: Literal["RS256", "RS384", "RS512", "ES256", "HS256", "HS384", "HS512"] = key(
        "how (RFC 7518, section 3.1)", default="RS256", example="ES256"
    )
    key_id: TemplateText | None = key("`kid` of its header", example="{{ settings.key_id }}")
    issuer: TemplateText | None = key("`iss`; without it the client_id", example="{{ settings.account }}")
    subject: TemplateText | None = key("`sub`; without it what `iss` is", example="{{ settings.mailbox }}")
    audience: TemplateText | None = key("`aud`; without it the token_url", example="https://login.example/token")
    lifetime: Duration = key("from `iat` to `exp`", default="5m", example="1h")
    claims: TreeObject | None = key("further claims", example={"scope": "https://api.example/calendar"})


@part("oauth2", "`oauth2` of a scheme")
class OAuth2(Node):
    """A session whose token comes from a token endpoint."""

    grant: Grant = key("how the first token is got (RFC 6749, section 1.3)", example="client_credentials")
    token_url: TemplateText = key("the token endpoint", example="{{ settings.base_url }}/oauth/token")
    client_id: TemplateText | None = key("who the gateway is there", example="{{ settings.client_id }}")
    client_secret: TemplateText | None = key("what proves it", example="{{ settings.client_secret }}")
    client_auth: Literal["basic", "plain", "body"] = key(
        "where both go: HTTP Basic as RFC 6749, section 2.3.1, encodes them or, for servers that do not decode, as they"
        " are; or the form",
        default="basic",
        example="body",
    )
    scope: TemplateText | None = key("what is asked for, separated by spaces", example="calendar.read calendar.write")
    audience: TemplateText | None = key("for which API, where the provider wants it", example="https://api.example")
    parameters: TreeObject | None = key("further fields of the token request", example={"tenant": "club"})
    user: TemplateText | None = key("of the grant `password`: whose account", example="{{ settings.user }}")
    password: TemplateText | None = key("of the grant `password`", example="{{ settings.password }}")
    refresh_token: TemplateText | None = key(
        "of the grant `refresh_token`: the first one; later ones are kept", example="{{ settings.refresh_token }}"
    )
    assertion: Assertion | None = key(
        "of the grant `jwt_bearer`: what the gateway signs", example={"key": "{{ settings.private_key }}"}
    )
    authorize_url: TemplateText | None = key(
        "of the grant `authorization_code`: where a person agrees", example="https://login.example/authorize"
    )
    authorize: TreeObject | None = key(
        "of the grant `authorization_code`: further parameters of that address", example={"access_type": "offline"}
    )
    rotates: bool = key(
        "of the grants that live by a refresh token: each may be used once", default=True, example=False
    )
    margin: Duration = key(
        "renewed so long before it is over, but never in the first half of its life", default="60s", example="5m"
    )
    timeout: Duration | None = key("of the token request, instead of what `http` says", example="20s")
    rate_class: str | None = key("the rate class that it counts against", example="token")
    renew_when: list[Condition] | str | None = key(
        "conditions that mean the token is no longer accepted; without it, the status 401",
        minlength=1,
        example=[{"status": 401}],
    )
    send: Send | None = key("where the token goes; without it, `Authorization: Bearer` (RFC 6750)", example=_TOKEN)
    share_by: SettingNames | None = key(
        "connections for which these settings are the same have one session; without it, all that its requests read",
        example=["settings.client_id"],
    )


@part("auth", "`auth`, or one of `auth_schemes`")
class Auth(_InBodies):
    """Static parts of every request, a session, or both."""

    query: TreeObject | None = key("query parameters of every call", example={"key": "{{ settings.api_key }}"})
    headers: TreeObject | None = key("headers of every call", example=_SIGNED)
    form: TreeObject | None = key(
        "form fields of every call that has a form", example={"token": "{{ settings.api_key }}"}
    )
    basic: Basic | None = key(
        "HTTP Basic (RFC 7617)", example={"user": "{{ settings.login }}", "password": "{{ settings.password }}"}
    )
    session: Session | None = key("a login that gives a token", example=_SESSION)
    oauth2: OAuth2 | None = key(
        "a session by OAuth 2.0 (RFC 6749)",
        example={"grant": "client_credentials", "token_url": "/oauth/token", "client_id": "{{ settings.client_id }}"},
    )
