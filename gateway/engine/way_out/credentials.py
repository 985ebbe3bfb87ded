"""What a scheme without a session adds to a request: headers, query, form fields and HTTP Basic. Pure."""

from __future__ import annotations

import base64
from urllib.parse import quote_plus

from gateway.mapping.nodes.calls import Scope
from gateway.mapping.nodes.provider import StaticAuth
from gateway.mapping.nodes.trees import Tree
from gateway.mapping.runtime.requests import credentials, encode_form, is_form, pairs
from gateway.mapping.runtime.trees import evaluate
from gateway.values.http import joined
from gateway.values.messages import Json, Request
from gateway.values.secrets import Credential


def added(auth: StaticAuth, request: Request, scope: Scope) -> Request:
    """Give the request with the scheme's headers, query and form fields."""
    headers = joined(request.headers, pairs(_built(auth.headers, scope), auth.origin))
    if auth.basic is not None:
        parts = dict(zip(("user", "password"), (evaluate(part, scope) for part in auth.basic), strict=True))
        texts = [quote_plus(text) if auth.encoded else text for _, text in pairs(parts, auth.origin)]
        basic = Credential(f"Basic {base64.b64encode(':'.join(texts).encode()).decode()}")
        headers = joined(headers, [("Authorization", basic)])
    body, hidden = request.body, request.hidden
    if auth.form is not None and is_form(request):
        fields = evaluate(auth.form, scope)
        body = b"&".join(part for part in (body, encode_form(pairs(fields, auth.origin))) if part)
        hidden |= credentials(fields)
    query = request.query + pairs(_built(auth.query, scope), auth.origin)
    return request.with_parts(tuple(headers), query, body, hidden)


def _built(tree: Tree | None, scope: Scope) -> dict[str, Json]:
    return evaluate(tree, scope) if tree is not None else {}
