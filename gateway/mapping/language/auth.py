"""How we prove who we are."""

from __future__ import annotations

from gateway.documents.parts import Duration, Node, PathText, TemplateText, TreeObject, key, part
from gateway.mapping.language.errors import Condition
from gateway.mapping.language.http import Call

_SIGNED = {"X-Api-Key": "{{ settings.api_key }}"}
_LOGIN = {"post": "/login", "json": {"key": "{{ settings.api_key }}"}}
_TOKEN = {"headers": {"X-Token": "{{ token }}"}}
_SESSION = {"login": _LOGIN, "token": "result", "renew_when": [{"status": 401}], "send": _TOKEN}


@part("basic", "`basic` of a scheme")
class Basic(Node):
    """HTTP Basic (RFC 7617)."""

    user: TemplateText = key("the user-id", example="{{ settings.login }}")
    password: TemplateText = key("the password", example="{{ settings.password }}")


@part("send", "`send` of a session")
class Send(Node):
    """Where a session's token goes."""

    headers: TreeObject | None = key("headers of every call", example={"X-Token": "{{ token }}"})
    query: TreeObject | None = key("query parameters of every call", example={"token": "{{ token }}"})


@part("session", "`session` of a scheme")
class Session(Node):
    """A login that gives a token."""

    login: Call = key("the call that logs in", example=_LOGIN)
    token: PathText = key("path to the token in the login's answer", example="result")
    expires: Duration | None = key("renewed so long after it was fetched", example="55m")
    renew_when: list[Condition] = key(
        "conditions that mean the token is no longer accepted", minlength=1, example=[{"status": 401}]
    )
    send: Send = key("where the token goes", example=_TOKEN)


@part("auth", "`auth`, or one of `auth_schemes`")
class Auth(Node):
    """Static parts of every request, or a session."""

    query: TreeObject | None = key("query parameters of every call", example={"key": "{{ settings.api_key }}"})
    headers: TreeObject | None = key("headers of every call", example=_SIGNED)
    form: TreeObject | None = key(
        "form fields of every call that has a form", example={"token": "{{ settings.api_key }}"}
    )
    basic: Basic | None = key(
        "HTTP Basic (RFC 7617)", example={"user": "{{ settings.login }}", "password": "{{ settings.password }}"}
    )
    session: Session | None = key("a login that gives a token", example=_SESSION)
