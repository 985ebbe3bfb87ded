"""What the parts of a call mean: its URL and its headers."""

from __future__ import annotations

from gateway.mapping.nodes.trees import Headers, Tree, Url
from gateway.mapping.plan import Scope
from gateway.mapping.runtime.trees import evaluate
from gateway.values.http import joined
from gateway.values.messages import Json


def url_of(url: Url, scope: Scope) -> str:
    """Give the URL of a call without its query. Raises what `evaluate` raises."""
    head = str(evaluate(url.base, scope))
    if url.lead is not None:
        head = f"{head.rstrip('/')}/{str(evaluate(url.lead, scope)).strip('/')}"
    return head.rstrip("/") + str(evaluate(url.path, scope))


def headers_of(headers: Tree | Headers | None, scope: Scope) -> dict[str, Json]:
    """Give the headers of a call by name, one of each whatever its case. Raises what `evaluate` raises."""
    if headers is None:
        return {}
    if isinstance(headers, Headers):
        shared, own = evaluate(headers.shared, scope), evaluate(headers.own, scope)
        return dict(joined(shared.items(), own.items()))
    found: dict[str, Json] = evaluate(headers, scope)
    return found
