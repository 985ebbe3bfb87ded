"""Whether what names a hook's deliveries tells a repeat of one from a change that happens again. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from gateway.mapping.compiler.context import Context
from gateway.mapping.language.hooks import EventHook as Hook
from gateway.mapping.nodes.hooks import EventPlan, NamePlan
from gateway.mapping.nodes.trees import RecordPlan

COMPARE: Final = "compare"
_WHEN: Final = "updated_at"
"""The field that tells when a thing was changed, which is another time for every change."""
_OF_MESSAGE: Final = re.compile(r"\b(?:body|row)\.([A-Za-z_][\w.]*)")


def check_names(
    context: Context,
    hook: Hook,
    names: tuple[NamePlan, ...],
    type_: EventPlan,
    record: RecordPlan | None,
) -> None:
    """Report a `dedupe` of content alone: what changes there and back has the name that it had before."""
    if hook.repeats == COMPARE or not _repeatable(context, type_):
        return
    content = {*_content(hook, type_, record)}
    if names and all(part.path is not None and part.path.text in content for part in names):
        told = ", ".join(part.text for part in names)
        message = (
            f"{told} are the same when a booking changes there and back again, and the later message would be taken"
            " for a repeat: add what only one delivery has, as its id or the time of the change, or write"
            f" `repeats: {COMPARE}`"
        )
        context.report((*hook.place, "dedupe"), "dedupe-by-content", message)


def _repeatable(context: Context, type_: EventPlan) -> bool:
    """Whether a hook tells an event that may happen to one thing several times, under a name that has no time in it."""
    model = context.model
    once = {model.changes.first, model.changes.removed}
    once |= {name for name, event in model.events.items() if event.once}
    told = {type_.constant, *(event for _, event in type_.words)}
    return bool(told & model.events.keys() - once)


def _content(hook: Hook, type_: EventPlan, record: RecordPlan | None) -> Iterator[str]:
    """Give the paths on a message that say what happened to what, and how it stands since."""
    if type_.at is not None:
        yield type_.at.text
    for line in record.fields if record is not None else ():
        if line.from_row and line.mode != "write" and line.name != _WHEN:
            yield line.text if hook.at == "@" else f"{hook.at}.{line.text}"
    if hook.fetch is not None:
        yield from _OF_MESSAGE.findall(str(hook.fetch.raw))
