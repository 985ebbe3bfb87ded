"""The pages of a list that a provider tells a part at a time: asked for one after the other, their rows joined.

Each page is an exchange like any other: it costs its rate, is repeated where it failed, and ends with the call's time.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from urllib.parse import SplitResult, parse_qsl, quote, urljoin, urlsplit, urlunsplit

from gateway.computation.budget import check_rows
from gateway.engine.way_out.exchange import Ask, ProviderCall
from gateway.mapping.nodes.calls import CallPlan, Scope
from gateway.mapping.nodes.pages import ADDRESS, PagesPlan
from gateway.mapping.runtime.expressions import decides_of_answer, read
from gateway.mapping.runtime.requests import url_of
from gateway.values.errors import AnswerMismatch
from gateway.values.http import link
from gateway.values.messages import Json
from gateway.values.strictjson import encode_json
from gateway.values.truth import MISSING, is_true

_PORTS = {"http": 80, "https": 443}
_PATH = "/%:@!$&'()*+,;=~"
"""Characters that stay as they are in a path (RFC 3986, section 3.3); `%` is part of what is encoded already."""


@dataclass(frozen=True, slots=True)
class Page:
    """What a page told: its rows, and the names by which the next one is asked for, None of the last page."""

    rows: list[Json]
    following: Mapping[str, Json] | None


async def ask_all(asked: ProviderCall, pages: PagesPlan, ask: Ask) -> Json:
    """Ask for all pages of a list: the answer of the last one, in which the list has the rows of all.

    Raises AnswerMismatch where a page does not lead on to the next, leads back, or is not the last one allowed; and
    what asking for one page raises.
    """
    plan, compute = asked.plan, asked.state.compute
    first = replace(plan, whole=True)
    later = replace(first, query=pages.query or plan.query, body=pages.body or plan.body)
    known: Mapping[str, Json] = {} if pages.start is None else {pages.kind: pages.start}
    rows: list[Json] = []
    told = {_tell(known)}
    for number in range(pages.most):
        scope = {**asked.scope, **known}
        page_of = first if number == 0 and pages.start is None else later
        answer = await ask(ProviderCall(page_of, scope, asked.rules, asked.effect, asked.state))
        page = await compute(page_in, answer, pages, plan, scope, len(rows))
        rows += page.rows
        if page.following is None:
            whole = {**answer, "body": _laid(answer["body"], pages.rows.steps or (), rows)}
            return whole if plan.whole else whole["body"]
        known = page.following
        if _tell(known) in told:
            raise _wrong(pages, "the same page is named twice")
        told.add(_tell(known))
    raise _wrong(pages, f"the list goes on beyond {pages.most} pages, and all of it is needed (`most:`)")


def page_in(answer: Json, pages: PagesPlan, plan: CallPlan, scope: Scope, before: int) -> Page:
    """Read a page: a whole answer, `before` rows after the first one. Raises AnswerMismatch, WINDOW_TOO_LARGE."""
    body = answer["body"]
    rows = read(pages.rows, body, pages.origin)
    if not isinstance(rows, list):
        raise _wrong(pages, f"`{pages.rows.text}` is not a list")
    check_rows(before + len(rows))
    until = pages.until
    if until is not None and decides_of_answer(until, body, {**scope, "body": body}, pages.origin):
        return Page(rows, None)
    return Page(rows, _following(answer, pages, plan, scope, len(rows)))


def _following(answer: Json, pages: PagesPlan, plan: CallPlan, scope: Scope, count: int) -> Mapping[str, Json] | None:
    """Name what the next page is asked for by; None where the answer names none."""
    if pages.start is not None:
        return {pages.kind: scope[pages.kind] + (count if pages.kind == "offset" else 1)}
    told = _link(answer, pages) if pages.told is None else read(pages.told, answer["body"], pages.origin)
    if told is MISSING or not is_true(told):
        return None
    if pages.kind == "token":
        return {"token": told}
    here = scope[ADDRESS][0] if ADDRESS in scope else url_of(plan.url, {"sent_at": scope.get("now"), **scope})
    return {ADDRESS: _address(pages, here, told)}


def _link(answer: Json, pages: PagesPlan) -> str | None:
    try:
        return link(answer["headers"].get("link", ""), pages.link)
    except ValueError:
        raise _wrong(pages, "the Link header cannot be read (RFC 8288)") from None


def _address(pages: PagesPlan, here: str, told: Json) -> tuple[str, tuple[tuple[str, str], ...]]:
    """Give the address of a page without its query, and that; it is at the origin of the one before, or refused."""
    if not isinstance(told, str):
        raise _wrong(pages, "the address of the next page is no text")
    ours = urlsplit(here)
    try:
        found = urlsplit(urljoin(here, told))
        elsewhere = _origin(found) != _origin(ours) or "@" in found.netloc
        query = tuple(parse_qsl(found.query, keep_blank_values=True, errors="strict"))
    except ValueError:
        raise _wrong(pages, "the address of the next page cannot be read") from None
    if elsewhere:
        raise _wrong(
            pages, "the next page is at another scheme, host or port: what proves who we are is not sent there"
        )
    return urlunsplit((ours.scheme, ours.netloc, quote(found.path, safe=_PATH), "", "")), query


def _origin(url: SplitResult) -> tuple[str, str | None, int | None]:
    """The origin of an address (RFC 6454, section 4). Raises ValueError for a port that is none."""
    return url.scheme, url.hostname, _PORTS.get(url.scheme) if url.port is None else url.port


def _laid(body: Json, steps: tuple[str, ...], rows: list[Json]) -> Json:
    """Give a body with other rows in the place of its own."""
    if not steps:
        return rows
    return {**body, steps[0]: _laid(body[steps[0]], steps[1:], rows)}


def _tell(known: Mapping[str, Json]) -> bytes:
    """What tells a page from the others."""
    return encode_json(dict(known))


def _wrong(pages: PagesPlan, problem: str) -> AnswerMismatch:
    return AnswerMismatch(f"{pages.origin}: {problem}", origin=pages.origin)
