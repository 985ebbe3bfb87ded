"""What the golden examples show of a mapping: paths that no recorded answer fits, error rules that caught none.

The examples are played while a probe looks on; nothing is guessed and nothing sent.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass

from gateway.documents.yaml import Document, Finding, Place
from gateway.examples.files import Example, Examples, HookExample
from gateway.examples.playback import Outcome, run_example, run_hook
from gateway.mapping.compiler.operations.alternatives import runs_of
from gateway.mapping.coverage_probe import Notes, notes_on
from gateway.mapping.expressions.probes import probed
from gateway.mapping.nodes.hooks import EventHook, RequestHook
from gateway.mapping.nodes.provider import ProviderPlan
from gateway.mapping.runtime.hook_messages import words
from gateway.model.model import Model
from gateway.values.errors import AnswerMismatch


@dataclass(frozen=True, slots=True, repr=False)  # asyncio shows results of tasks, and these would take seconds
class PlayedExamples:
    """The examples of one mapping, played: what was noted, and what became of each."""

    document: Document
    plan: ProviderPlan
    examples: Examples
    notes: Notes
    outcomes: tuple[Outcome, ...]


async def play(document: Document, plan: ProviderPlan, examples: Examples, model: Model) -> PlayedExamples:
    """Play all examples of a mapping that was compiled from this document."""
    notes = notes_on(plan)
    outcomes = []
    with probed(notes):
        for example in examples.examples:
            notes.operation = example.operation
            outcomes.append(await run_example(examples, example, model))
        for hook in examples.hooks:
            notes.operation = hook.operation
            outcomes.append(await run_hook(examples, hook, model))
    return PlayedExamples(document, plan, examples, notes, tuple(outcomes))


def unseen(played: PlayedExamples) -> Iterator[Finding]:
    """Give a finding for each path, error rule and word of an event that the examples say nothing about."""
    for outcome in played.outcomes:
        if outcome.differences:
            file, _, line = outcome.example.origin.rpartition(":")
            message = f"`{outcome.example.name}` does not hold; `gateway test` shows the differences"
            yield Finding(file, int(line), 1, "example-differs", message)
    yield from _unshown(played)
    yield from _unasked(played)
    at, shown = played.document.finding, _shown_operations(played)
    silent = {place for place, rule in played.notes.rules.items() if not rule.caught}
    read = _read(played.plan, shown)
    for place, paths in played.notes.paths.items():
        # An operation without an example, and a rule that caught nothing, are told once, as what they are.
        if place[0] == "records" and place[1] not in read:  # no answer could show them
            continue
        if not _has_example(place, shown) or any(place[: len(rule)] == rule for rule in silent):
            continue
        for path in paths.values():
            if path.missing:
                names = ", ".join(f"`{name}`" for name in path.missing)
                message = f"`{path.text}`: no recorded answer has {names}; add an example, or correct the path"
                yield at(place, "path-not-seen", message)
    for place in silent:
        if _has_example(place, shown):
            rule = played.notes.rules[place]
            message = f"no recorded answer is {rule.code} by `{rule.text}`; add an example of it, or remove the rule"
            yield at(place, "rule-not-seen", message)


def _shown_operations(played: PlayedExamples) -> set[str]:
    """Give the operations that the examples call, and those that these run."""
    waiting = {one.operation for one in played.examples.examples}
    found = set[str]()
    while waiting:
        name = waiting.pop()
        found.add(name)
        ways = played.plan.ways.get(name, ())
        waiting |= {run for way in ways for run in runs_of(way)} - found
    return found


def _has_example(place: Place, shown: set[str]) -> bool:
    """Tell whether what stands here is of no single operation, or of one that has an example."""
    if place[0] not in {"operations", "native"}:
        return True
    return f"{'native.' if place[0] == 'native' else ''}{place[1]}" in shown


def _read(plan: ProviderPlan, shown: set[str]) -> set[str]:
    """Give the names of the records that examples could show: those of operations and hooks, and what these embed."""
    ways = (way for name, ways in plan.ways.items() if name in shown for way in ways)
    found = {rows.record.name for way in ways for variant in way.variants for rows in variant.rows}
    for hook in plan.hooks.values():
        found |= {ask.record for ask in hook.requests} if isinstance(hook, RequestHook) else {hook.record}
    waiting = found - {""}
    found = set()
    while waiting:
        name = waiting.pop()
        found.add(name)
        waiting |= {line.embeds for line in plan.records[name].fields if line.embeds} - found
    return found


def _unasked(played: PlayedExamples) -> Iterator[Finding]:
    """Give a finding for each ask of a hook that no example asks, and each answer to an error that none shows."""
    asking = {name: hook for name, hook in played.plan.hooks.items() if isinstance(hook, RequestHook)}
    for name, hook in asking.items():
        told = [one for one in played.outcomes if _is_of(one.example, name)]
        asks = {hook.requests.index(one.ask) for one in told if one.ask is not None}
        codes = {one.row for one in told}
        for index, ask in enumerate(hook.requests) if told else ():
            if index not in asks:
                message = f"no example of hooks.{name} asks for {ask.request} by this; add one"
                yield played.document.finding(("hooks", name, "requests", index), "request-not-seen", message)
        for code in hook.replies if told else ():
            if code not in codes:
                message = f"no example of hooks.{name} is answered by this; add one"
                yield played.document.finding(("hooks", name, "replies", code), "reply-not-seen", message, key=True)


def _is_of(example: Example | HookExample, hook: str) -> bool:
    return isinstance(example, HookExample) and example.hook == hook


def _unshown(played: PlayedExamples) -> Iterator[Finding]:
    """Give a finding for each word of a hook's events that no example has, and where none has another word."""
    telling = {name: hook for name, hook in played.plan.hooks.items() if isinstance(hook, EventHook)}
    for name, hook in telling.items():
        shown = set[str]()
        for example in played.examples.hooks:
            with suppress(AnswerMismatch):  # an example of what cannot be read shows no word
                shown |= {json.dumps(word) for word in words(hook, example.received)} if example.hook == name else set()
        known = [json.dumps(word) for word, _ in hook.type.words]
        missing = [f"`{word}`" for word in known if word not in shown]
        if known and shown <= set(known):
            missing.append("any other word")
        if shown and missing:
            message = f"no example of hooks.{name} has {', '.join(missing)}; add one"
            yield played.document.finding(("hooks", name, "type"), "word-not-seen", message, key=True)
