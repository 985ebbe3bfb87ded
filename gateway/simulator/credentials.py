"""Credentials as the simulated provider checks them: what the mapping would send is held against what came. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from gateway.mapping.nodes.calls import Scope
from gateway.mapping.nodes.provider import AuthPlan, ChallengeAuth, NoAuth, StaticAuth
from gateway.mapping.nodes.sessions import FromCookie, FromHeader
from gateway.mapping.nodes.trees import Tree
from gateway.mapping.runtime.requests import pairs
from gateway.mapping.runtime.trees import evaluate
from gateway.simulator.incoming import Incoming
from gateway.values.messages import Json


def carries(auth: AuthPlan, request: Incoming, scope: Scope, xml: Json) -> bool:
    """Whether a request has all that a scheme sends with it. `xml` is its body, read by the mapping's words."""
    if isinstance(auth, NoAuth):
        return True
    if isinstance(auth, StaticAuth):
        return _carries(auth, request, scope, xml)
    beside = auth.beside is None or _carries(auth.beside, request, scope, xml)
    return beside and _carries(auth.sends, request, scope, xml)


def _carries(sent: StaticAuth, request: Incoming, scope: Scope, xml: Json) -> bool:
    def named(tree: Tree | None) -> dict[str, str]:
        return dict(pairs(evaluate(tree, scope), sent.origin)) if tree is not None else {}

    headers = {name.lower(): value for name, value in named(sent.headers).items()}
    basic = tuple(str(evaluate(part, scope)) for part in sent.basic) if sent.basic else None
    return (
        headers.items() <= request.headers.items()
        and named(sent.query).items() <= request.query.items()
        and named(sent.cookies).items() <= request.cookies.items()
        and (not request.urlencoded or named(sent.form).items() <= request.form.items())
        and (basic is None or request.basic == basic)
        and _body_carries(sent, request, scope, xml)
    )


def _body_carries(sent: StaticAuth, request: Incoming, scope: Scope, xml: Json) -> bool:
    if request.rpc and sent.params is not None:
        return _has_params(evaluate(sent.params, scope), request.scope()["params"])
    if sent.json is not None and request.kind.endswith("json") and not request.rpc:
        return within(evaluate(sent.json, scope), request.json)
    if sent.xml is not None and request.kind.endswith("xml"):
        return within(evaluate(sent.xml, scope), xml)
    return True


def _has_params(proof: Mapping[str, Json], params: Json) -> bool:
    if isinstance(params, dict):
        return within(proof, params)
    return isinstance(params, list) and all(
        key.isdigit() and int(key) < len(params) and params[int(key)] == value for key, value in proof.items()
    )


def within(part: Json, whole: Json) -> bool:
    """Whether a tree has all members of another one, and its lists begin with those of it."""
    if isinstance(part, dict) and isinstance(whole, dict):
        return all(key in whole and within(one, whole[key]) for key, one in part.items())
    if isinstance(part, list) and isinstance(whole, list):
        return len(part) <= len(whole) and all(within(one, other) for one, other in zip(part, whole, strict=False))
    return bool(part == whole)


def challenge(auth: ChallengeAuth, token: str) -> tuple[int, dict[str, str]]:
    """Give the status and headers of a refusal that gives a token."""
    statuses = sorted(status for one in auth.renew_when for status in one.status or ())
    return (statuses or [401])[0], token_headers(auth.token, token)


def token_headers(source: FromHeader | FromCookie, token: str) -> dict[str, str]:
    """Give the headers in which an answer tells a token."""
    if isinstance(source, FromCookie):
        return {"set-cookie": f"{source.name}={token}; Path=/; HttpOnly"}
    return {source.name: token}
