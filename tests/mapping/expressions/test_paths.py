"""Paths: checked at load, exact about what is missing, and without surprises of JMESPath."""

import contextlib

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from gateway.mapping.expressions import ExpressionFailed, ExpressionInvalid, compile_path
from gateway.values.truth import MISSING

DATA = {
    "result": {"7": {"id": "7", "n": 1}, "8": {"id": "8", "n": 2}},
    "empty": [],
    "rows": [{"id": 1, "kind": "a"}, {"id": 2, "kind": "b"}, {"id": 3, "kind": "a"}],
    "null": None,
    "text": "abc",
    "pairs": [{"key": "a", "value": 1}],
    "mixed": [1, True, 1, "1", True, [1], [True], [1]],
}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("@", DATA),
        ("text", "abc"),
        ("null", None),
        ("nothing", MISSING),
        ("null.below", MISSING),
        ("text.below", MISSING),
        ("empty.below", MISSING),
        ('result."7".n', 1),
        ("rows[1].id", 2),
        ("rows[-1].id", 3),
        ("rows[9].id", MISSING),
        ("text[0]", MISSING),
        ("@.text", "abc"),
        ("rows[?kind=='b'].id | [0]", 2),
        ("rows[?kind=='z'].id | [0]", None),
        ("values(result)[].id", ["7", "8"]),
        ("values(empty)", []),
        ("values(rows)[0].id", 1),
        ("keys(result)", ["7", "8"]),
        ("keys(empty)", []),
        ("items(empty)", []),
        ("items(result)[1]", {"key": "8", "value": {"id": "8", "n": 2}}),
        ("from_items(pairs)", {"a": 1}),
        ('index_by(rows, &id)."2".kind', "b"),
        ("keys(group_by(rows, &kind))", ["a", "b"]),
        ("find_by(rows, 'id', `2`).kind", "b"),
        ("find_by(rows, 'id', `true`)", None),
        ("zip(keys(result), rows[:2].id)", [["7", 1], ["8", 2]]),
        ("unique(rows[].kind)", ["a", "b"]),
        ("unique(mixed)", [1, True, "1", [1], [True]]),
        ("contains(text, 'b')", True),
        ("contains(text, `1`)", False),
        ("contains(mixed, `true`)", True),
        ("contains(rows[].id, `true`)", False),
        ("lower('Mr')", "mr"),
        ("to_number('1_000')", None),
        ("to_number('nan')", None),
        ("to_number('-1.5')", -1.5),
        ("to_number('12')", 12),
        ("to_number(`3`)", 3),
        ("to_number(`true`)", None),
        ("type(text) == 'string'", True),
    ],
)
def test_a_path_reads(text, expected):
    """A path gives what is there; where it only walks keys and indexes, missing is not null."""
    found = compile_path(text).read(DATA)
    assert expected == found
    assert type(expected) is type(found)


@pytest.mark.parametrize(
    ("text", "steps", "roots"),
    [
        ("a.b.c", ("a", "b", "c"), {"a"}),
        ('"a b".c', ("a b", "c"), {"a b"}),
        ("@", (), set()),
        ("@.a.b", ("a", "b"), {"a"}),
        ("a[0].b", None, {"a"}),
        ("[0]", None, set()),
        ("[*].a", None, set()),
        ("a[*].b", None, {"a"}),
        ("a || b.c", None, {"a", "b"}),
        ("{x: a, y: b.c}", None, {"a", "b"}),
        ("join(',', a[?b==`1`].c)", None, {"a"}),
        ("items(@)", None, set()),
        ("sort_by(a, &b)", None, {"a"}),
        ("a | b", None, {"a"}),
        ("`1`", None, set()),
    ],
)
def test_what_a_path_reads_is_known(text, steps, roots):
    """The keys of a simple path, and the names read at the first level, are known at load."""
    path = compile_path(text)
    assert (steps, roots) == (path.steps, path.roots)


@pytest.mark.parametrize(
    ("text", "message", "offset"),
    [
        ("", "empty path", 0),
        ("a.", "not a JMESPath expression", 2),
        ("a $ b", "not a JMESPath expression", 2),
        ("a[", "not a JMESPath expression: it ends where more must follow", 2),
        ("a[?b == `foo`]", "between backticks stands JSON", 8),
        ("a[?b == `1e999`]", "between backticks stands JSON", 8),
        ("a.nosuch(b)", "`nosuch` is no function", 2),
        ("item(a)", "did you mean `items`", 0),
        ("items(a, b)", "takes 1, 2 given", 0),
        ("not_null()", "takes 1 or more, 0 given", 0),
        ("sort_by(a, b)", "takes an expression", 0),
        ("length(&a)", "takes a value", 0),
        ("(" * 500 + "a" + ")" * 500, "too deeply", 0),
        ("!" * 100 + "a", "too deeply", 0),
        ("a" * 2001, "longer than", 0),
    ],
)
def test_refused_at_load(text, message, offset):
    """A path that cannot work is refused before anything runs, with its place."""
    with pytest.raises(ExpressionInvalid) as caught:
        compile_path(text)
    assert message in caught.value.message
    assert offset == caught.value.offset


@pytest.mark.parametrize(
    "text",
    [
        "items(text)",
        "items(null)",
        "items(rows)",
        "from_items(rows)",
        "index_by(rows, &nothing)",
        "group_by(rows, &@)",
        "zip(rows, empty)",
        "sum(rows)",
        "starts_with(null, 'a')",
        "max_by(mixed, &@)",
    ],
)
def test_a_wrong_kind_fails_without_a_value(text):
    """A function that does not take the value fails; the message tells kinds and no value."""
    with pytest.raises(ExpressionFailed) as caught:
        compile_path(text).read(DATA)
    assert "abc" not in str(caught.value)


@given(st.text(alphabet="ab.[]*?=&|!(){}:,'`\"@0- ", max_size=20))
@settings(max_examples=100)
@example("a[0:1:0]")
@example("`NaN`")
@example("&a")
@example("sort_by(@, &a)")
def test_any_text_compiles_or_is_refused(text):
    """Whatever is written, the answer is a path, a finding or a failure, never another exception."""
    with contextlib.suppress(ExpressionInvalid, ExpressionFailed):
        compile_path(text).read({"a": [{"b": 1}, {"b": "x"}], "b": None})
