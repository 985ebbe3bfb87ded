"""Calls and conditions in words, for `gateway explain`."""

from __future__ import annotations

from gateway.mapping.nodes.calls import CallPlan, Condition
from gateway.mapping.nodes.pages import PagesPlan


def call_text(call: CallPlan) -> str:
    """Say what a call sends, what its success is and how its answer is read."""
    success = f", success: {condition_text(call.success)}" if call.success else ""
    success += f", all there is where {call.complete.text}" if call.complete is not None else ""
    success += f", {pages_text(call.pages)}" if call.pages is not None else ""
    success += ", the whole answer" if call.whole else ""
    scheme = f", auth: {call.auth}" if call.auth else ""
    batch = ", a batch" if call.envelope.batch else ""
    return f"{call.text} ({call.body_kind} body{batch}, {call.timeout:g} s{scheme}{success}{_read(call)})"


def pages_text(pages: PagesPlan) -> str:
    """Tell how many are followed, what is joined, and how the next and the last one are known."""
    if pages.start is not None:
        found = f"by {pages.kind} from {pages.start}"
    else:
        where = f"the Link header ({pages.link})" if pages.told is None else pages.told.text
        found = f"by {pages.kind} in {where}"
    until = f", the last one where {pages.until.text}" if pages.until is not None else ""
    return f"at most {pages.most} pages joined at {pages.rows.text}, {found}{until}"


def _read(call: CallPlan) -> str:
    """How the answer is read, where it is no JSON."""
    if call.answer == "json":
        return ""
    xml, table = call.reading.xml, call.reading.table
    told = [f"lists: {', '.join(sorted(xml.lists))}"] if xml.lists else []
    told += [f"{name} holds {form}" for name, form in xml.holds.items()]
    told += [f"columns: {', '.join(table.names)}"] if table.names else []
    told += [f"with {', '.join(call.reading.properties)}"] if call.reading.properties else []
    return f", read as {call.answer}" + (f" ({'; '.join(told)})" if told else "")


def condition_text(condition: Condition) -> str:
    """Say what must hold of an answer."""
    parts = [" or ".join(map(str, sorted(condition.status or ())))]
    parts += [f"{name}: {pattern.text}" for name, pattern in condition.headers]
    parts.append(condition.when.text if condition.when is not None else "")
    return ", ".join(filter(None, parts))
