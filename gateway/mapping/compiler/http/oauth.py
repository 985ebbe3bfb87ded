"""Sessions by OAuth 2.0, compiled to what every session is: calls that get a token, and where that goes.

The names of parameters and the meaning of refusals are those of RFC 6749, sections 4 to 6, RFC 7523 and RFC 7636.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from gateway.mapping.compiler.context import BASE, SENDING, Context
from gateway.mapping.compiler.http.calls import Http, compile_call, seconds
from gateway.mapping.compiler.http.sessions import compile_renewal, compile_send, compile_sharing
from gateway.mapping.compiler.trees import compile_object, compile_text
from gateway.mapping.expressions import Path, compile_path
from gateway.mapping.language.auth import GRANTS, OF_GRANTS, OAuth2
from gateway.mapping.language.auth import Assertion as AssertionPart
from gateway.mapping.language.http import Call
from gateway.mapping.nodes.calls import CallPlan, Condition, ErrorRule
from gateway.mapping.nodes.provider import AuthPlan, NoAuth, SessionAuth, StaticAuth
from gateway.mapping.nodes.sessions import FETCHED, Agreed, Assertion, AsTold, Beginning, Given, Refreshing
from gateway.mapping.nodes.trees import Constant, Merge, ObjectOf, Tree
from gateway.values.messages import Json

_GRANT_TYPES: Final = {"jwt_bearer": "urn:ietf:params:oauth:grant-type:jwt-bearer"}
"""`grant_type` of grants that are not called so (RFC 7523, section 2.1)."""
_REFUSED: Final = frozenset({400, 401, 403})
"""With which status a token endpoint refuses (RFC 6749, section 5.2)."""
_REFUSALS: Final = (
    "contains(['invalid_client', 'invalid_grant', 'unauthorized_client', 'invalid_scope', 'access_denied'], error)"
)
_NAMES: Final = BASE | SENDING


def compile_oauth(context: Context, node: OAuth2, http: Http) -> AuthPlan:
    """Compile `oauth2:`; with findings, what is returned stands for no scheme and its plan is thrown away."""
    if not node.sound or not _fits(context, node):
        return NoAuth()
    oauth = _OAuth(context, node, http)
    renewal = {"grant_type": Constant("refresh_token"), "refresh_token": oauth.named("refresh_token")}
    login, refreshing = oauth.token_call(_grant_members(oauth)), oauth.token_call(renewal)
    begins = _beginning(oauth)
    if login is None or refreshing is None or begins is None:
        return NoAuth()
    assertion = _assertion(oauth, node.assertion) if node.assertion is not None and node.assertion.sound else None
    refused = Condition(status=frozenset({401}), origin=oauth.origin)
    told = compile_renewal(context, node.renew_when, (*node.place, "renew_when")) if node.renew_when else (refused,)
    read = (login, oauth.client, assertion, begins)
    return SessionAuth(
        login=refreshing if begins.kept else login,
        token=oauth.path("access_token"),
        expiry=AsTold(oauth.path("expires_in"), "seconds", seconds(node.margin)),
        renew_when=told,
        sends=_sends(oauth),
        shared_by=compile_sharing(context, node.share_by, (*node.place, "share_by"), read),
        origin=oauth.origin,
        refresh=Refreshing(refreshing, oauth.path("refresh_token")),
        begins=begins,
        client=oauth.client,
        assertion=assertion,
        rules=(_refusal(oauth),),
    )


def _fits(context: Context, node: OAuth2) -> bool:
    """Whether the keys are those of the grant; those that are missing, and those of another one, are told."""
    needs, may = GRANTS[node.grant]
    missing, strange = needs - node.given, (node.given & OF_GRANTS) - needs - may
    for key in sorted(missing):
        context.report(node.place, "missing-key", f"the grant `{node.grant}` needs `{key}`", key=True)
    for key in sorted(strange):
        message = f"`{key}` does not go with the grant `{node.grant}`"
        context.report((*node.place, key), "unknown-key", message, key=True)
    if "client_secret" in node and "client_id" not in node:
        context.report((*node.place, "client_secret"), "missing-key", "`client_secret` needs `client_id`", key=True)
    if node.grant != "jwt_bearer" and "client_id" not in node:
        context.report(node.place, "missing-key", f"the grant `{node.grant}` needs `client_id`", key=True)
        return False
    return not missing and not strange


class _OAuth:
    """What all requests of one `oauth2:` share while it is compiled."""

    def __init__(self, context: Context, node: OAuth2, http: Http) -> None:
        self.context, self.node = context, node
        self.http = http.of_class(context, node.rate_class, node.place)
        self.place, self.origin = node.place, context.origin(node.place)
        self.client_id, self._secret = self.text("client_id"), self.text("client_secret")
        self._scope, self._audience = self.text("scope"), self.text("audience")
        more = node.parameters
        self._more = self.tree("parameters", more) if more is not None else None
        self._endpoint = self._token_endpoint()

    @property
    def client(self) -> StaticAuth | None:
        """What proves who the gateway is outside of the form; a client without a secret is only named."""
        if self.client_id is None or self._secret is None or self.node.client_auth == "body":
            return None
        encoded = self.node.client_auth == "basic"
        return StaticAuth(self.origin, basic=(self.client_id, self._secret), encoded=encoded)

    def text(self, key: str) -> Tree | None:
        """Compile the template under a key; None where there is none."""
        written = self.node[key]
        place = (*self.place, key)
        return compile_text(self.context, written, place, _NAMES, secrets=True) if written is not None else None

    def tree(self, key: str, written: Mapping[str, Json]) -> Tree:
        """Compile the tree under a key."""
        return compile_object(self.context, dict(written), (*self.place, key), _NAMES, secrets=True)

    def named(self, name: str) -> Tree:
        """Give what a call sees under a name."""
        return compile_text(self.context, f"{{{{ {name} }}}}", self.place, frozenset({name}), secrets=True)

    def path(self, name: str) -> Path:
        """Give the path to a member of the token endpoint's answer (RFC 6749, section 5.1)."""
        return compile_path(name, self.origin)

    def asked(self) -> dict[str, Tree | None]:
        """What the first request asks for."""
        return {"scope": self._scope, "audience": self._audience}

    def token_call(self, members: Mapping[str, Tree | None]) -> CallPlan | None:
        """Give a request to the token endpoint with these fields and those that all have; None with findings."""
        call = self._endpoint
        if call is None:
            return None
        own = {"client_id": self.client_id, "client_secret": self._secret} if self.client is None else {}
        form = ObjectOf(tuple((name, tree) for name, tree in {**members, **own}.items() if tree is not None))
        body = form if self._more is None else Merge((self._more, form), self.origin)
        said = (self.path("error"), self.path("error_description"))
        return replace(call, body=body, body_kind="form", answer="json", success=None, said=said, whole=False)

    def _token_endpoint(self) -> CallPlan | None:
        written: dict[str, Json] = {"post": self.node.token_url, "headers": {"Accept": "application/json"}}
        written |= {"timeout": self.node.timeout} if self.node.timeout is not None else {}
        return self.call(written, "token_url")

    def call(self, written: Mapping[str, Json], key: str) -> CallPlan | None:
        """Compile the call to the address under a key."""
        node = self.context.read(Call, dict(written), (*self.place, key))
        return compile_call(self.context, node, BASE, self.http, secrets=True)


def _grant_members(oauth: _OAuth) -> dict[str, Tree | None]:
    """The form of the request for the first token."""
    grant = oauth.node.grant
    members: dict[str, Tree | None] = {"grant_type": Constant(_GRANT_TYPES.get(grant, grant)), **oauth.asked()}
    if grant == "password":
        members |= {"username": oauth.text("user"), "password": oauth.text("password")}
    if grant == "jwt_bearer":
        members["assertion"] = oauth.named("assertion")
    return members


def _beginning(oauth: _OAuth) -> Beginning | None:
    """How the session begins; None with findings."""
    node = oauth.node
    if node.grant == "refresh_token":
        token = oauth.text("refresh_token")
        return Given(token, node.rotates) if token is not None else None
    if node.grant != "authorization_code":
        return FETCHED
    code = {name: oauth.named(name) for name in ("code", "redirect_uri", "code_verifier")}
    exchange = oauth.token_call({"grant_type": Constant("authorization_code"), **code})
    address = oauth.call({"get": node.authorize_url}, "authorize_url")
    if exchange is None or address is None:
        return None
    asked = {"response_type": Constant("code"), "client_id": oauth.client_id, **oauth.asked()}
    query: Tree = ObjectOf(tuple((name, tree) for name, tree in asked.items() if tree is not None))
    if node.authorize is not None:
        query = Merge((oauth.tree("authorize", node.authorize), query), oauth.origin)
    return Agreed(address, query, exchange, node.rotates)


def _assertion(oauth: _OAuth, node: AssertionPart) -> Assertion:
    """Compile what the gateway signs: who speaks (`iss`), for whom (`sub`), and to whom (`aud`)."""
    context, place = oauth.context, node.place

    def text(key: str) -> Tree | None:
        written = node[key]
        return compile_text(context, written, (*place, key), _NAMES, secrets=True) if written is not None else None

    issuer = text("issuer") or oauth.client_id
    if issuer is None:
        context.report(place, "missing-key", "without `client_id` an assertion needs `issuer`", key=True)
    own = {"iss": issuer, "sub": text("subject") or issuer, "aud": text("audience") or oauth.named("token_url")}
    claims: Tree = ObjectOf(tuple((name, tree) for name, tree in own.items() if tree is not None))
    if node.claims is not None:
        more = compile_object(context, node.claims, (*place, "claims"), _NAMES, secrets=True)
        claims = Merge((more, claims), oauth.origin)
    key_id = text("key_id")
    return Assertion(
        algorithm=node.algorithm,
        key=compile_text(context, node.key_, (*place, "key"), _NAMES, secrets=True),
        header=ObjectOf((("kid", key_id),) if key_id is not None else ()),
        claims=claims,
        lifetime=seconds(node.lifetime),
        origin=context.origin(place),
    )


def _sends(oauth: _OAuth) -> StaticAuth:
    """Where the token goes: where the mapping says, else into the header of RFC 6750, section 2.1."""
    send = oauth.node.send
    if send is not None and send.sound:
        return compile_send(oauth.context, send, oauth.http)
    bearer = compile_text(oauth.context, "Bearer {{ token }}", oauth.place, frozenset({"token"}), secrets=True)
    return StaticAuth(oauth.origin, headers=ObjectOf((("Authorization", bearer),)))


def _refusal(oauth: _OAuth) -> ErrorRule:
    """What the token endpoint says of who asks, or of what renews (RFC 6749, section 5.2), is for the operator."""
    return ErrorRule(
        condition=Condition(status=_REFUSED, when=oauth.path(_REFUSALS), origin=oauth.origin),
        code="PROVIDER_AUTH_FAILED",
        provider_code=oauth.path("error"),
        message=oauth.path("error_description"),
        details=None,
        place=(),  # no line of the mapping says it
        origin=oauth.origin,
        text="the token endpoint refuses the client or the grant",
    )
