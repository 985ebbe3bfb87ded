"""Whatever decides is a template on names, or a path on the data at hand: the same in every key that takes a condition.

Which keys these are, and which data is at hand there, is read from the declarations of the language.
"""

from functools import cache
from pathlib import Path

import pytest

from gateway.documents.yaml import parse, read
from gateway.mapping.compile import compile_provider
from gateway.mapping.language import PARTS
from gateway.mapping.language.file import File
from gateway.model.model import load
from tests.markdown import flow

BASE, _ = read(Path(__file__).parents[1] / "base.yaml")
SLOTS = [
    (part, key, rules["meta"].get("on"))
    for part in PARTS.values()
    for key, rules in part.keys.items()
    if rules["meta"]["takes"] == "condition"
]
IDS = [f"{part.name}.{key}" for part, key, _ in SLOTS]
GOOD = "{{ settings.time_zone == 'x' }}"


def ways_to(part):
    """Give each way from the whole file to a part: at each step the part that holds, its key, and what that holds."""
    waiting = [(File, ())]
    while waiting:
        holder, way = waiting.pop(0)
        if holder is part.node:
            yield way
            continue
        passed = {one.node for one, _, _ in way}
        for key, child in holder.part.children.items():
            waiting += [(inner, (*way, (holder.part, key, child))) for inner in child.parts if inner not in passed]


def written(part, examples):
    """Give a part as an example has it that fits, else with what it cannot be without."""
    objects = [one if isinstance(one, dict) else {part.short: one} for one in examples]
    fitting = [one for one in objects if one.keys() <= part.keys.keys()]
    return fitting[0] if fitting else {k: one["meta"]["example"] for k, one in part.keys.items() if one.get("required")}


def within(holder, key, child):
    """Give the examples that a key has of what it holds."""
    example = holder.keys[key]["meta"]["example"]
    example = list(example.values()) if child.each else example
    return example if isinstance(example, list) else [example]


def file_with(steps, part, key, text):
    """Give a file that has a condition under a key of a part that stands on this way, and the place of that."""
    parts = [holder for holder, _, _ in steps[1:]] + [part]
    value, place = text, (key,)
    for inner, (holder, outer, child) in zip(reversed(parts), reversed(steps), strict=True):
        value = written(inner, within(holder, outer, child)) | {place[0]: value}
        rules = holder.keys[outer]
        if child.each:
            name = next(iter(rules["meta"]["example"]))
            value, place = {name: value}, (outer, name, *place)
        elif child.one and not child.listed:
            place = (outer, *place)
        else:
            value, place = [value] * rules.get("minlength", 1), (outer, 0, *place)
    data = {**BASE.data, place[0]: value}
    document, findings = parse("".join(f"{name}: {flow(one)}\n" for name, one in data.items()).encode(), "a.yaml")
    assert [] == findings
    return document, place


def found_at(steps, part, key, text):
    """Give the codes of what is found at a condition on this way, with the messages."""
    document, place = file_with(steps, part, key, text)
    _, findings = compile_provider(document, load())
    line, column = document.place(place)
    return [(one.code, one.message) for one in findings if (one.line, one.column) == (line, column)]


@cache
def way_to(part, key):
    """Give the first way on which the condition is looked at."""
    return next(way for way in ways_to(part) if found_at(way, part, key, "{{ nobody == 'x' }}"))


def told(part, key, text):
    """Give the codes of what is found at a condition, with the messages."""
    return found_at(way_to(part, key), part, key, text)


def test_slots():
    """The keys that decide are found, those on data and those on names alone."""
    assert {"variant.when", "call_step.when", "refusal.when"} <= {
        f"{part.name}.{key}" for part, key, on in SLOTS if not on
    }
    wanted = {
        "rule.when",
        "field.when",
        "level.when",
        "hook_request.when",
        "http.success",
        "call.complete",
        "recover.done",
    }
    assert wanted <= {f"{part.name}.{key}" for part, key, on in SLOTS if on}


@pytest.mark.parametrize(("part", "key", "on"), SLOTS, ids=IDS)
def test_a_template(part, key, on):
    """A template that decides is right wherever something decides."""
    assert [] == told(part, key, GOOD)


@pytest.mark.parametrize(("part", "key", "on"), SLOTS, ids=IDS)
def test_a_path(part, key, on):
    """A path is right where data is at hand; elsewhere it is told that names are meant, and how they are written."""
    for text in ("a == 'x'", "open"):
        found = told(part, key, text)
        assert (on and []) == found if on else ["not-a-template"] == [code for code, _ in found]
        assert on or "write `{{ … }}`" in found[0][1]


@pytest.mark.parametrize(("part", "key", "on"), SLOTS, ids=IDS)
def test_neither_true_nor_false(part, key, on):
    """A condition that can be seen to give neither true nor false is told, in both spellings."""
    texts = ["{{ settings.time_zone }}", "{{ 'a' }}", *(["length(a)", "'a'"] if on else [])]
    assert [["not-boolean"]] * len(texts) == [[code for code, _ in told(part, key, text)] for text in texts]


@pytest.mark.parametrize(("part", "key", "on"), SLOTS, ids=IDS)
def test_what_is_wrong_in_it(part, key, on):
    """A name that is not known, text around a template, and a path that is none are told."""
    wrong = {"{{ nobody == 'x' }}": "bad-template", "{{ settings.time_zone == 'x' }} ": "not-a-template"}
    wrong |= {"a ==": "bad-path"} if on else {}
    assert [[code] for code in wrong.values()] == [[code for code, _ in told(part, key, text)] for text in wrong]
