"""Cerberus' verdicts as findings: every fault told once, at its place, without its value."""

import pytest

from gateway.documents.schema_check import check
from gateway.documents.yaml import parse

RULES = {
    "count": {"type": "integer", "min": 1, "max": 9, "default": 3, "meta": {"meaning": "how many"}},
    "name": {"type": "string", "required": True, "regex": "[a-z]+", "meta": {"meaning": "a word", "example": "ab"}},
    "kinds": {"type": "list", "allowed": ["red", "blue"], "minlength": 1, "maxlength": 2, "meta": {"meaning": "kinds"}},
    "either": {"type": ["string", "float"], "meta": {"meaning": "a text or a number"}},
    "parts": {
        "type": "dict",
        "keysrules": {"type": "string", "regex": "[a-z]", "meta": {"meaning": "one letter"}},
        "valuesrules": {"type": "dict", "schema": {"of": {"type": "string", "meta": {"meaning": "the whole"}}}},
    },
    "rest": {"type": "list", "schema": {"type": "string", "meta": {"meaning": "a text"}}},
}


def told(text, place=()):
    """Check a file and give its findings as `line:column code message`."""
    document, _ = parse(text.encode(), "x.yaml")
    findings = []
    data = document.data
    for step in place:
        data = data[step]
    fits = check(RULES, data, document, place, findings)
    assert (fits is None) == bool(findings)
    return [f"{one.line}:{one.column} {one.code} {one.message}" for one in sorted(findings)]


@pytest.mark.parametrize(
    ("text", "finding"),
    [
        ("name: a\nnmae: b", "2:1 unknown-key `nmae` is not known here; did you mean `name`?"),
        ("name: a\nparts:\n  x: {off: 1}", "3:7 unknown-key `off` is not known here; did you mean `of`?"),
        ("count: 1", "1:1 missing-key `name` is missing (a word)"),
        ("name: a\ncount: x", "2:8 wrong-type `count` is text; a whole number is needed"),
        ("name: a\ncount: true", "2:8 wrong-type `count` is true or false; a whole number is needed"),
        ("name: a\ncount: 1.5", "2:8 wrong-type `count` is a number; a whole number is needed"),
        ("name: a\neither: false", "2:9 wrong-type `either` is true or false; text or a number is needed"),
        ("name: a\neither: ", "2:8 wrong-type `either` is empty; give a value or leave it out"),
        ("name: a\nparts: []", "2:8 wrong-type `parts` is a list; an object is needed"),
        ("name: a\nrest: [a, {}]", "2:11 wrong-type element 2 is an object; text is needed"),
        ("name: a\ncount: 0", "2:8 wrong-value `count` is too small: at least 1"),
        ("name: a\ncount: 10", "2:8 wrong-value `count` is too large: at most 9"),
        ("name: a\nkinds: []", "2:8 wrong-value `kinds` is too short: at least 1"),
        ("name: a\nkinds: [red, red, red]", "2:8 wrong-value `kinds` is too long: at most 2"),
        ("name: a\nkinds: [red, bleu]", "2:8 not-allowed `kinds` must be one of red, blue; did you mean `blue`?"),
        ("name: s3cret", "1:7 wrong-value `name` does not fit: a word, such as `ab`"),
        ("name: |\n  a\n", "1:7 wrong-value `name` does not fit: a word, such as `ab`"),
        ("name: a\nparts:\n  XX: {}", "3:3 bad-name `XX` cannot be a name here: one letter"),
        ("[]", "1:1 wrong-type this is a list; an object is needed"),
        ("text", "1:1 wrong-type this is text; an object is needed"),
    ],
)
def test_findings(text, finding):
    """Each kind of fault is told in plain words at the key or value that is wrong."""
    assert [finding] == told(text)


def test_all_at_once():
    """All the faults of a file are told, not the first."""
    codes = [line.split()[1] for line in told("count: x\nparts: {a: 1, B: {c: d}}\nz: 1")]
    assert ["missing-key", "wrong-type", "wrong-type", "bad-name", "unknown-key", "unknown-key"] == codes


def test_inner_part():
    """A part of a file is checked with its places counted from the root of the file."""
    assert ["2:11 wrong-type `count` is text; a whole number is needed"] == told(
        "in:\n- {count: x, name: a}", ("in", 0)
    )


def test_defaults():
    """What fits comes back with its defaults, and the file's own data is left as it was."""
    document, _ = parse(b"name: a", "x.yaml")
    assert {"name": "a", "count": 3} == check(RULES, document.data, document, (), [])
    assert {"name": "a"} == document.data
