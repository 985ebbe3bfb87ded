"""The names of headers that a mapping writes and reads, checked at load. Case never matters (RFC 9110, section 5.1)."""

from __future__ import annotations

from typing import Final

from gateway.documents.yaml import Place
from gateway.mapping.compiler.context import Context
from gateway.values.http import NAME, is_own
from gateway.values.messages import Json

_COMMON: Final = (
    "Authorization",
    "Content-Digest",
    "Content-Type",
    "Idempotency-Key",
    "Signature-Input",
    "User-Agent",
    "Webhook-Id",
    "Webhook-Signature",
    "Webhook-Timestamp",
    "X-Hub-Signature",
    "X-Hub-Signature-256",
    "X-Request-Id",
)
"""Headers of messages that have one spelling everywhere: RFC 9110, 9421 and 9530, Standard Webhooks, WebSub."""


def check_headers(context: Context, node: Json, place: Place) -> None:
    """Report the headers of a tree that a mapping may not write, in whatever word of the tree they stand."""
    if isinstance(node, list):
        for index, inner in enumerate(node):
            check_headers(context, inner, (*place, index))
    for name, inner in node.items() if isinstance(node, dict) else ():
        check_headers(context, inner, (*place, name))
        if not name.startswith("$"):
            check_name(context, name, (*place, name), key=True)
        check_own(context, name, inner if isinstance(inner, str) else "", (*place, name), key=True)


def check_own(context: Context, name: str, value: str, place: Place, *, key: bool = False) -> None:
    """Report a header that the gateway writes itself."""
    if is_own(name, value):
        context.report(place, "reserved-header", f"the gateway writes the header `{name}` itself", key=key)


def check_name(context: Context, name: str, place: Place, *, key: bool = False) -> None:
    """The name of a header is written out, in the characters that it may have (RFC 9110, section 5.6.2)."""
    if NAME.fullmatch(name) is None:
        message = f"`{name}` is no header name: letters, digits and hyphens, such as `X-Api-Key`"
        if "{{" in name:
            message = "the name of a header is written out: no template is evaluated in it"
        context.report(place, "bad-header", message, key=key)


def received(context: Context, name: str, place: Place) -> str:
    """Check the name of a header that is looked for in messages, and give it as messages have it: in lower case."""
    check_name(context, name, place)
    known = {one.lower() for one in _COMMON}
    near = next((one for one in _COMMON if name.lower() not in known and _one_edit(name.lower(), one.lower())), None)
    if near is not None:
        context.report(place, "misspelled-header", f"no common header is `{name}`; did you mean `{near}`?")
    return name.lower()


def _one_edit(name: str, known: str) -> bool:
    """Whether one character too many, too few, another or in another's place is all that differs."""
    start = next((i for i, (one, other) in enumerate(zip(name, known, strict=False)) if one != other), None)
    if start is None:
        return abs(len(name) - len(known)) == 1
    rest, wanted = name[start:], known[start:]
    swapped = rest[:2] == wanted[1::-1] and rest[2:] == wanted[2:]
    return swapped or rest[1:] == wanted[1:] or rest[1:] == wanted or rest == wanted[1:]
