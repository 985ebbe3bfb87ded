"""Where credentials go: into headers, cookies, the query, and the bodies of requests that have a body of that form."""

from __future__ import annotations

import base64
import re
from dataclasses import replace
from typing import Final
from urllib.parse import quote_plus

from gateway.dialects.refusal import NotWritable
from gateway.dialects.xml import XmlForm, write_xml
from gateway.mapping.generated.running import build
from gateway.mapping.nodes.calls import Scope
from gateway.mapping.nodes.provider import StaticAuth
from gateway.mapping.nodes.sessions import FromCookie, FromHeader
from gateway.mapping.nodes.trees import Tree
from gateway.mapping.runtime.requests import credentials, encode_form, is_form, pairs
from gateway.values.errors import MappingFault
from gateway.values.http import cookie_of, join_headers
from gateway.values.messages import Json, Request, Response
from gateway.values.secrets import Credential
from gateway.values.strictjson import encode_json

_COOKIE: Final = re.compile(r"[\x21\x23-\x2b\x2d-\x3a\x3c-\x5b\x5d-\x7e]*")
"""A cookie's value (RFC 6265, section 4.1.1)."""


def add(auth: StaticAuth, request: Request, scope: Scope) -> Request:
    """Give the request with what a scheme sends; parts of bodies go only into a body of their form.

    Raises what `build` raises, and MappingFault where a credential has no place in what the call sends.
    """
    headers = join_headers(request.headers, pairs(_build(auth.headers, scope), auth.origin))
    if auth.basic is not None:
        headers = join_headers(headers, [("Authorization", _basic(auth.basic, auth, scope))])
    if auth.cookies is not None:
        headers = join_headers(headers, [("Cookie", _cookies(auth, headers, scope))])
    own = pairs(_build(auth.query, scope), auth.origin)
    names = {name for name, _ in own}  # the address of a next page may have them as well
    query = tuple(one for one in request.query if one[0] not in names) + own
    signed = request.with_parts(tuple(headers), query, request.body, request.hidden)
    return signed if auth.bodiless else _in_body(auth, signed, scope)


def _build(tree: Tree | None, scope: Scope) -> dict[str, Json]:
    return build(tree, scope) if tree is not None else {}


def _basic(basic: tuple[Tree, Tree], auth: StaticAuth, scope: Scope) -> Credential:
    parts = dict(zip(("user", "password"), (build(part, scope) for part in basic), strict=True))
    texts = [quote_plus(text) if auth.encoded else text for _, text in pairs(parts, auth.origin)]
    return Credential(f"Basic {base64.b64encode(':'.join(texts).encode()).decode()}")


def _cookies(auth: StaticAuth, headers: list[tuple[str, str]], scope: Scope) -> Credential:
    """Write the cookies of a scheme, behind those that the call itself sends."""
    told = [value for name, value in headers if name.lower() == "cookie"]
    for name, value in pairs(_build(auth.cookies, scope), auth.origin):
        if not _COOKIE.fullmatch(value):
            detail = f"{auth.origin}: the value of the cookie {name} holds a character that no cookie may hold"
            raise MappingFault(detail, origin=auth.origin)
        told.append(f"{name}={value}")
    return Credential("; ".join(told))


def _in_body(auth: StaticAuth, request: Request, scope: Scope) -> Request:
    if auth.form is not None and is_form(request):
        fields = build(auth.form, scope)
        body = b"&".join(part for part in (request.body, encode_form(pairs(fields, auth.origin))) if part)
        return replace(request, body=body, hidden=request.hidden | credentials(fields))
    tree = {"json": auth.json, "jsonrpc": auth.params, "xml": auth.xml}.get(request.kind)
    if tree is None:
        return request
    proof = build(tree, scope)
    content = _params(request.content, proof, auth) if request.kind == "jsonrpc" else laid(request.content, proof)
    if content is None:
        raise MappingFault(f"{auth.origin}: the body of this call has no place for a field", origin=auth.origin)
    body = _xml(content, auth) if request.kind == "xml" else encode_json(content)
    return replace(request, body=body, content=content, hidden=request.hidden | credentials(proof))


def _xml(content: Json, auth: StaticAuth) -> bytes:
    try:
        return write_xml(content, XmlForm(auth.namespaces))
    except NotWritable as refused:
        raise MappingFault(f"{auth.origin}: the body {refused.reason}", origin=auth.origin) from None


def laid(content: Json, proof: Json) -> Json:
    """Lay credentials into a tree: members of objects into each other, a list before the list that is there.

    None where there is no object to lay one into.
    """
    if isinstance(content, dict) and isinstance(proof, dict):
        return {**content, **{key: laid(content.get(key), one) for key, one in proof.items()}}
    if isinstance(content, list) and isinstance(proof, list):
        return [*proof, *content]
    return proof if content in (None, "") or not isinstance(proof, dict) else None


def _params(content: Json, proof: dict[str, Json], auth: StaticAuth) -> Json:
    """Put credentials among the params of JSON-RPC: at their positions, the rest moving on, or by their names."""
    if isinstance(content, list):
        return [_params(one, proof, auth) for one in content]
    params = content["params"]
    by_position = all(key.isdigit() for key in proof)
    if by_position and isinstance(params, list):
        params = list(params)
        for position, value in sorted((int(key), value) for key, value in proof.items()):
            params.insert(position, value)
    elif not by_position and (isinstance(params, dict) or not params):
        params = {**(params or {}), **proof}
    else:
        wanted = "by position" if by_position else "by name"
        detail = f"{auth.origin}: `params` are given {wanted} here, and otherwise by the call: write them alike"
        raise MappingFault(detail, origin=auth.origin)
    return {**content, "params": params}


def token_in(source: FromHeader | FromCookie, response: Response) -> str:
    """Give the token that a header or a cookie of an answer holds; empty where it holds none."""
    if isinstance(source, FromCookie):
        return cookie_of(response, source.name)
    return response.headers.get(source.name, "")
