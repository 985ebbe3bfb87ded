"""The pages that a call follows, compiled: where the next one is found, and what asks for it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from gateway.documents.yaml import Place
from gateway.mapping.compiler.conditions import condition_of
from gateway.mapping.compiler.context import Context
from gateway.mapping.compiler.trees import Names, compile_object, compile_tree
from gateway.mapping.expressions import Path
from gateway.mapping.language.http import Call, Link, NextPages, NumberedPages, OffsetPages, Pages, PageSend, TokenPages
from gateway.mapping.nodes.pages import PagesPlan
from gateway.mapping.nodes.trees import Merge, Tree
from gateway.values.messages import Json

_BODIES: Final = {"json": "json", "form": "form", "params": "jsonrpc"}
"""Key of `send:` → the kind of body that it goes into."""


@dataclass(frozen=True, slots=True)
class Sent:
    """What the call sends of itself: its query, and its body of this kind."""

    query: Tree | None
    body: Tree | None
    kind: str


def compile_pages(context: Context, node: Call, sent: Sent, names: Names, *, reads: bool) -> PagesPlan | None:
    """Compile the pages of a call; None of one that follows none, and with findings."""
    pages = node.pages
    if pages is None or not pages.sound:
        return None
    if not reads:
        message = "only a call that reads is made again for each page: follow the pages where the list is read"
        context.report((*node.place, "pages"), "wrong-pages", message, key=True)
    if node.jsonrpc is not None and node.jsonrpc.sound and "batch" in node.jsonrpc:
        context.report((*node.place, "pages"), "wrong-pages", "a batch is several calls, and has no pages", key=True)
    rows = _rows(context, pages)
    kind = _kind(pages)
    told, link = _tell(context, pages)
    inner = frozenset(names) | ({kind} if kind != "next" else frozenset())
    if kind != "next" and kind in names:
        context.report((*pages.place, kind), "reserved-name", f"`{kind}` is already a name here", key=True)
    query, body = _send(context, node, pages, sent, inner) if not isinstance(pages, NextPages) else (None, None)
    until = condition_of(context, pages, "until", inner | {"body"})
    start = pages.number.from_ if isinstance(pages, NumberedPages) and pages.number.sound else None
    start = pages.offset.from_ if isinstance(pages, OffsetPages) and pages.offset.sound else start
    if rows is None:
        return None
    return PagesPlan(kind, rows, told, link, start, query, body, until, pages.most, context.origin(pages.place))


def _kind(pages: Pages) -> str:
    return next(key for key in ("next", "token", "number", "offset") if key in pages)


def _rows(context: Context, pages: Pages) -> Path | None:
    rows = context.path(pages.rows, (*pages.place, "rows"))
    if rows is not None and rows.steps is None:
        message = f"`{pages.rows}`: the joined list takes the place of a page's, so keys alone lead to it: `a` or `a.b`"
        context.report((*pages.place, "rows"), "wrong-pages", message)
    return rows


def _tell(context: Context, pages: Pages) -> tuple[Path | None, str]:
    """Compile where an answer says what the next page is: a path, or the relation of a link."""
    if isinstance(pages, NextPages):
        if isinstance(pages.next, Link):
            return None, pages.next.link if pages.next.sound else ""
        return context.path(pages.next, (*pages.place, "next")), ""
    if isinstance(pages, TokenPages):
        return context.path(pages.token, (*pages.place, "token")), ""
    return None, ""


def _send(
    context: Context, node: Call, pages: TokenPages | NumberedPages | OffsetPages, sent: Sent, names: Names
) -> tuple[Tree | None, Tree | None]:
    """Compile what says which page is wanted, laid over what the call sends: its query, and its body."""
    send, kind = pages.send, _kind(pages)
    if not send.sound:
        return None, None
    with context.collecting() as reads:
        query = _over(context, send, "query", sent.query, names) if "query" in send else None
        body = None
        for key in [one for one in _BODIES if one in send]:
            body = _body(context, node, send, key, sent, names)
    if not any(use[0] == kind for use in reads.names):
        message = f"nothing here sends `{{{{ {kind} }}}}`: every page would be the first"
        context.report((*pages.place, "send"), "wrong-pages", message, key=True)
    return query, body


def _body(context: Context, node: Call, send: PageSend, key: str, sent: Sent, names: Names) -> Tree:
    place = (*send.place, key)
    if sent.kind != _BODIES[key]:
        message = f"the call has no body in `{_BODIES[key]}` that this could be laid over"
        context.report(place, "wrong-pages", message, key=True)
    own = node.jsonrpc.params if key == "params" and node.jsonrpc is not None else node[key]
    if isinstance(send[key], list):
        return compile_tree(context, send[key], place, names)
    if isinstance(own, list):
        context.report(place, "wrong-pages", "the call sends a list: write all of it here, with what asks for the page")
    return _over(context, send, key, sent.body if own is not None else None, names)


def _over(context: Context, send: PageSend, key: str, own: Tree | None, names: Names) -> Tree:
    place: Place = (*send.place, key)
    written: Json = send[key]
    tree = compile_object(context, written, place, names)
    return tree if own is None else Merge((own, tree), context.origin(place))
