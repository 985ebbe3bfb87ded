"""Lists that providers tell a page at a time, and polls that would take the rest of one for cancelled. Pure."""

from __future__ import annotations

from typing import Final

from gateway.documents.yaml import Place
from gateway.mapping.compiler.context import Context
from gateway.mapping.compiler.operations.alternatives import Ways
from gateway.mapping.language.http import Call
from gateway.mapping.nodes.calls import CallPlan, CallStep, VariantPlan
from gateway.values.messages import Json

_PAGES: Final = frozenset(
    {"page", "per_page", "perpage", "page_size", "pagesize", "page_number", "pagenumber", "page_token", "pagetoken"}
    | {"on_page", "limit", "offset", "cursor", "max_results", "maxresults", "top", "skip", "count"}
    | {"start_index", "startindex"}
)
"""Names, in lower case, by which providers are asked for a part of a list, or for so many rows of it."""


def paging(node: Call) -> str:
    """Name the parameter by which a call asks for a part of a list; empty where none is seen."""
    sent: list[Json] = [node.query, node.form, node.json, node.jsonrpc.params if node.jsonrpc is not None else None]
    rows = [one for value in sent for one in (value if isinstance(value, list) else [value])]
    names = [str(name) for one in rows if isinstance(one, dict) for name in one]
    return next((name for name in names if name.lower().lstrip("$") in _PAGES), "")


def check_pages(context: Context, ways: Ways, place: Place) -> None:
    """Report a polled list whose calls ask for a page of it and do not say when that is all there is."""
    for call in (call for way in ways for variant in way.variants for call in _calls(variant)):
        if call.part_by and call.complete is None and call.pages is None:
            message = (
                f"the call at {call.origin} asks by `{call.part_by}` for a part of the list, and what is not in it"
                " would count as cancelled: follow its `pages:`, or say in its `complete:` how an answer is seen to"
                " hold all there is"
            )
            context.report(place, "polling-pages", message)
            return


def _calls(variant: VariantPlan) -> list[CallPlan]:
    return [step.call for step in variant.steps if isinstance(step, CallStep)]
