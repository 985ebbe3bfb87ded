"""Templates: types are kept, nothing missing passes for empty, and nothing dangerous compiles."""

import contextlib
import time

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from gateway.mapping.expressions import (
    ExpressionFailed,
    ExpressionInvalid,
    Literal,
    ValueMissing,
    compile_template,
)
from gateway.values.secrets import Secret

SCOPE = {
    "args": {"quantity": 2, "name": "Jane Doe", "notes": None, "ids": ["7", "8"], "customer": None, "rate": 1e-7},
    "settings": {"key": Secret("s3cr3t"), "zone": "Europe/Berlin"},
    "one": {"items": "own key", "a b": 1},
}
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("{{ args.quantity }}", 2),
        ("{{args.quantity}}", 2),
        (" {{ args.quantity }}", " 2"),
        ("{{ args.quantity }}{{ args.quantity }}", "22"),
        ("{{ args.rate }}/h", "0.0000001/h"),
        ("{{ args.notes }}", None),
        ("{{ args.ids }}", ["7", "8"]),
        ("{{ args.ids[0] }}", "7"),
        ("{{ args.ids[-1] }}", "8"),
        ("{{ args.ids[0:1] }}", ["7"]),
        ("{{ '49' }}", "49"),
        ("{{ 49 }}", 49),
        ("{{ 7 // 2 + 7 % 2 - 1 * 3 }}", 1),
        ("{{ 'a' + 'b' }}", "ab"),
        ("{{ [1] + [2] }}", [1, 2]),
        ("{{ {'a': {'b': 1}} }}", {"a": {"b": 1}}),
        ("{{ 'x}}y' }}", "x}}y"),
        ("{{ one.items }}", "own key"),
        ('{{ one["a b"] }}', 1),
        ("{{ args.name | split(' ') | first | upper }}", "JANE"),
        ("{{ args.customer.email | default('none given') }}", "none given"),
        ("{{ args.notes | default('-') }}", "-"),
        ("{{ args.customer.email is defined }}", False),
        ("{{ args.notes is defined and args.notes is none }}", True),
        ("{{ args.quantity is integer and args.name is text and args.ids is list and one is object }}", True),
        ("{{ 'many' if args.quantity > 1 else 'one' }}", "many"),
        ("{{ args.name in ['x', 'Jane Doe'] and '9' not in args.ids }}", True),
        ("{{ not (args.quantity == 2) or false }}", False),
        ("{{ -args.quantity }}", -2),
        ("{{ [].key | default(1) if false else 3 }}", 3),
        ("line\n{{ args.quantity }}\n", "line\n2\n"),
    ],
)
def test_a_template_gives_its_value(text, expected):
    """One expression keeps the type of its value; with text around it, it is text."""
    rendered = compile_template(text).render(SCOPE)
    assert expected == rendered
    assert type(expected) is type(rendered)


def test_a_text_without_braces_is_a_literal():
    """A text without an expression is taken as it is, also when it looks like a number."""
    literal = compile_template("10:30 } {")
    assert isinstance(literal, Literal)
    assert literal.render(SCOPE) == "10:30 } {"


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("{{ args.nothing }}", "`args.nothing`"),
        ("{{ args.customer.email }}", "`args.customer.email`"),
        ("x{{ nobody }}", "`nobody`"),
        ("{{ args.nothing + 1 }}", "`nothing`"),
        ("{{ [args.nothing] }}", "`nothing`"),
        ("{{ upper(args.nothing) }}", "`nothing`"),
        ("{{ 'x' if args.nothing else 'y' }}", "`nothing`"),
        ("{{ args.nothing == 1 }}", "`nothing`"),
        ("{{ args.ids[5] }}", "an element looked up by its key"),
        ("{{ one[args.name] }}", "an element looked up by its key"),
        ("{{ first([]) }}", "what `first` looks for"),
        ("{{ one[args.nothing] }}", "`nothing`"),
        ("{{ args.items }}", "`args.items`"),
        ("{{ args.keys }}", "`args.keys`"),
    ],
)
def test_a_missing_value_is_named(text, name):
    """What is not there is an error that names it, never an empty text, and never a method of Python's."""
    with pytest.raises(ValueMissing) as caught:
        compile_template(text).render(SCOPE)
    assert name == caught.value.name


@pytest.mark.parametrize(
    "text",
    [
        "{{ args.notes }}!",
        "{{ args.ids }}!",
        "{{ true }}!",
        "{{ one }}!",
        "{{ 'a' * 3 }}",
        "{{ 'a' + 1 }}",
        "{{ '%s' % 1 }}",
        "{{ 1 / 0 }}",
        "{{ 'a' < 1 }}",
        "{{ args.name.first }}",
        "{{ one[0] }}",
        "{{ args.ids['first'] }}",
        "{{ one[0:1] }}",
        "{{ {1: 2} }}",
        "{{ 1e308 * 10 }}",
        "{{ int('1_000') }}",
        "{{ upper(7) }}",
        "{{ ('x' + args.name) | replace('', 'y') }}",
        "{{ settings.key }}",
        "{{ settings }}",
        "{{ [settings.key] }}",
        "key={{ settings.key }}",
        "{{ json(settings) }}",
        "{{ settings.key + 'x' }}",
        "{{ settings.key.__class__ }}",
        "{{ settings.key | text }}",
    ],
)
def test_what_does_not_fit_fails_without_a_value(text):
    """Kinds are never coerced, a secret is never rendered, and no message holds a value."""
    with pytest.raises(ExpressionFailed) as caught:
        compile_template(text).render(SCOPE)
    assert "s3cr3t" not in str(caught.value)
    assert "Jane" not in str(caught.value)


@pytest.mark.parametrize(
    "text",
    [
        "{{ 'a' * 1000000000 }}",
        "{{ 'aaaaaaaaaa' | replace('a', '" + "b" * 900 + "') | replace('b', '" + "c" * 900 + "') }}",
        "{{ " + " + ".join(["x"] * 20) + " }}",
        "{{ x }}{{ x }}",
        "{{ [x, x, x, x, x] | join(x) }}",
        "{{ '%99999999999d' % 1 }}",
    ],
)
def test_nothing_grows_without_end(text):
    """Neither compiling nor rendering can be made to fill the memory."""
    started = time.monotonic()
    with pytest.raises(ExpressionFailed):
        compile_template(text).render({"x": "y" * 60_000})
    assert time.monotonic() - started < 20  # a machine may be busy; without end is minutes


@pytest.mark.parametrize(
    ("text", "message", "offset"),
    [
        ("{% if a %}x{% endif %}", "no statements", 0),
        ("ab{# c #}", "no statements", 2),
        ("{% raw %}{{ a }}{% endraw %}", "no statements", 0),
        ("{{- a }}", "stand alone", 0),
        ("x {{ a -}}", "stand alone", 7),
        ("x {{ a ", "not closed", 2),
        ("{{ }}", "unexpected 'end of template'", 2),
        ("{{ a b }}", "after the end", 2),
        ("{{ a, b }}", "after the end", 2),
        ("{{ a $ }}", "unexpected char", 5),
        ("x\r{{ a }}", "carriage return", 1),
        ("{{ a ** 2 }}", "no powers", 2),
        ("{{ a ~ b }}", "`~`", 2),
        ("{{ (a, b) }}", "list between", 2),
        ("{{ a.upper() }}", "no methods", 2),
        ("{{ a() }}", "without arguments", 3),
        ("{{ x | nope }}", "`nope` is no word", 7),
        ("{{ uper('a') }}", "did you mean `upper`", 3),
        ("{{ upper('a', 'b') }}", "upper(value: text)", 3),
        ("{{ md5() }}", "without arguments", 3),
        ("{{ hmac_sha256('key') }}", "1 given", 3),
        ("{{ a | default(*b) }}", "by position", 7),
        ("{{ default(a, instead=1) }}", "by position", 2),
        ("{{ upper(*a) }}", "by position", 3),
        ("{{ a is odd }}", "`is odd` is no test", 8),
        ("{{ a is defined(1) }}", "no arguments", 8),
        ("{{ a if b }}", "needs an `else`", 2),
        ("{{ b }} {{ nme }}", "did you mean `name`", 11),
        ("{{ lipsum(10) }}", "`lipsum` is no word", 3),
        ("{{ self }}", "`self` is not known", 3),
        ("{{ " + "(" * 400 + "1" + ")" * 400 + " }}", "too deeply", 2),
        ("{{ " + "not " * 300 + "a }}", "too deeply", 2),
        ("{{ " + "a + " * 300 + "a }}", "too deeply", 2),
        ("{{ '" + "a" * 3000 + "' }}", "longer than", 2),
    ],
)
def test_refused_at_load(text, message, offset):
    """What is no plain expression, or names what there is not, is refused before anything runs, with its place."""
    with pytest.raises(ExpressionInvalid) as caught:
        compile_template(text, names=("a", "b", "x", "name"))
    assert message in caught.value.message
    assert offset == caught.value.offset


@pytest.mark.parametrize(
    "text",
    [
        "{{ ''.__class__.__mro__ }}",
        "{{ args.__class__ }}",
        "{{ one['__class__'] }}",
        "{{ ''['format'] }}",
        "{{ args.name.format }}",
        "{{ one.__init__.__globals__ }}",
        "{{ cycler.__init__ }}",
        "{{ args.ids.append }}",
        "{{ lipsum }}",
        "{{ namespace }}",
    ],
)
def test_attributes_are_out_of_reach(text):
    """Attributes and globals of Python cannot be reached: they are missing keys, or no keys at all."""
    with pytest.raises(ExpressionFailed):
        compile_template(text).render(SCOPE)


def test_uses_are_told():
    """The names a template reads are known at load, and which of them no signature hides."""
    template = compile_template(
        "{{ md5(native.id, settings.key) }}{{ args['a b'].c[0] }}{{ settings.zone }}{{ settings.other is defined }}"
    )
    assert {
        ("native", "id"),
        ("settings", "key"),
        ("args", "a b", "c"),
        ("settings", "zone"),
        ("settings", "other"),
    } == (template.uses)
    assert {("args", "a b", "c"), ("settings", "zone")} == template.unsigned_uses
    assert {("settings", "key")} == compile_template("{{ md5(upper(settings.key)) }}").unsigned_uses


def test_a_word_that_signs_reveals():
    """Only a word that signs sees the text of a secret."""
    template = compile_template("{{ md5('434', '785cb8cce316e64765b94c05a635f4be', settings.key) }}")
    assert template.render(SCOPE) == "f803bb4553e4e0c1797ae7e82f8c629d"


@pytest.mark.parametrize(
    ("value", "expected"),
    [("a/b?c#d e", "/x/a%2Fb%3Fc%23d%20e/y"), (7, "/x/7/y"), ("ü%", "/x/%C3%BC%25/y"), ("...", "/x/.../y")],
)
def test_a_url_path_is_quoted(value, expected):
    """What a template puts into a URL path cannot leave its segment."""
    assert expected == compile_template("/x/{{ v }}/y", quote=True).render({"v": value})


def test_a_url_path_may_hold_a_secret():
    """A secret stands in a URL path by itself, quoted like any value, and in no larger expression."""
    scope = {"settings": {"key": Secret("a/b")}}
    template = compile_template("/feed/{{ settings.key }}.ics", quote=True)
    assert template.render(scope) == "/feed/a%2Fb.ics"
    assert template.unsigned_uses == frozenset()
    for text in (
        "/feed/{{ settings.key | upper }}",
        "/feed/{{ [settings.key][0] }}",
        "/{{ settings.key if true else 1 }}",
    ):
        template = compile_template(text, quote=True)
        assert {("settings", "key")} == template.unsigned_uses
        with pytest.raises(ExpressionFailed):
            template.render(scope)


@pytest.mark.parametrize("value", ["", ".", "..", "a\r\nb", "a\x00", None, True, "\ud800"])
def test_a_url_path_refuses(value):
    """An empty or dotted segment would name another resource; control characters name none."""
    with pytest.raises(ExpressionFailed):
        compile_template("/x/{{ v }}/y", quote=True).render({"v": value})


def test_dots_from_two_expressions_are_seen():
    """A dotted segment is refused as well when several expressions make it."""
    with pytest.raises(ExpressionFailed):
        compile_template("/x/{{ v }}{{ v }}", quote=True).render({"v": "."})


@given(JSON)
@settings(max_examples=100)
@example("1_000")
@example("[1, 2]")
@example("True")
@example("{{ 7 * 7 }}")
def test_values_pass_unchanged(value):
    """Any JSON comes out of a whole template as it went in: never converted, never evaluated again."""
    assert value == compile_template("{{ v }}").render({"v": value})
    assert value == compile_template("{{ [v] | first }}").render({"v": value})


@given(st.text(alphabet="{}%#'\"abc.|()[]~*+-1 \n\\", max_size=30))
@settings(max_examples=100)
@example("{{ 1 is defined.a }}")
@example("{{ 'a' 'b' }}")
def test_any_text_compiles_or_is_refused(text):
    """Whatever is written, the answer is a template, a finding or a failure, never another exception."""
    with contextlib.suppress(ExpressionInvalid, ExpressionFailed):
        compile_template(text).render({"a": "x", "b": [1], "c": {"a": None}})
