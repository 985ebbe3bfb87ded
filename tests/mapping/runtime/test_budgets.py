"""An evaluation ends: what computes or makes too much is the mapping's error at its line, wherever it stands."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.computation.budget import MOST_EVALUATION_STEPS, BudgetSpent, budgeted, spend
from gateway.mapping.expressions import ExpressionFailed, ExpressionInvalid, compile_path, compile_template
from gateway.mapping.expressions.sizes import MOST_LEVELS, MOST_VALUES, check_size
from gateway.values.errors import GatewayError, OverBudget
from gateway.values.messages import Response
from gateway.values.truth import MISSING

LEVELS = 40


def taken(first, expression, last="{{ a40 | length }}"):
    """Give a mapping that makes each value of the one before, and sends what the last one gives."""
    takes = [f'a0: "{{{{ {first} }}}}"'] + [
        f'a{number}: "{{{{ {expression.replace("VALUE", f"a{number - 1}")} }}}}"' for number in range(1, LEVELS + 1)
    ]
    lines = "\n      ".join(takes)
    return (
        f'native:\n  a:\n    vars:\n      {lines}\n    call: {{post: /a, json: {{x: "{last}"}}}}\n    result: {{at: x}}'
    )


def found(path, more=""):
    """Give a mapping that finds the rows of a list with a path."""
    return (
        "operations:\n  locations.list:\n    call: {get: /a}\n    result:\n"
        f'      record: place\n      rows: "{path}" # here\n'
        f"records:\n  place: {{of: Location, fields: {{id: x, name: x, time_zone: {{value: UTC}}}}}}\n{more}"
    )


def sent(tree):
    """Give a mapping that sends a tree."""
    return (
        "native:\n  a:\n    args: {days: {type: list, required: true}}\n"
        f"    call:\n      post: /a\n      json:\n        x: {tree}\n    result: {{at: x}}"
    )


DAYS = "{{ args.days }}"
NESTED = f'{{$for: two, $in: "{DAYS}", $give: {{$for: three, $in: "{DAYS}", $give: a}}}}'
PRODUCT = f"({' * '.join(['b'] * 20)})"
DOUBLED = " | ".join(["[@, @]"] * LEVELS)
HANGS = {
    "a list doubled by +": taken("[1]", "VALUE + VALUE"),
    "a list that holds a list twice": taken("[1]", "[VALUE, VALUE]"),
    "lists laid into one": taken("[1, 2]", "[VALUE, VALUE] | flatten"),
    "a text doubled by +": taken("'ab'", "VALUE + VALUE"),
    "a whole number squared": taken("7", "VALUE * VALUE", "{{ a40 }}"),
    "a whole number of 5,000 digits in a query": (
        f"native:\n  a:\n    vars: {{b: '{{{{ {'9' * 99} }}}}'}}\n"
        f"    call: {{get: /a, query: {{n: '{{{{ {PRODUCT} * {PRODUCT} * {PRODUCT} }}}}'}}}} # here\n"
        "    result: {at: x}"
    ),
    "values nested in values": taken("[1]", f"{'[' * 9}VALUE{']' * 9}", "{{ json(a40) }}"),
    "a path that doubles": found(DOUBLED),
    "a path that doubles and lays into one": found(" | ".join(["[@, @][]"] * LEVELS)),
    "a path that doubles each element": found(f"[x] | {' | '.join(['[*].[@, @]'] * LEVELS)}"),
    "a path that doubles by a function": found(f"[x] | {' | '.join(['zip(@, @)'] * LEVELS)}"),
    "a path that doubles a text": found(f"'ab' | {' | '.join(['''join('', [@, @])'''] * LEVELS)}"),
    "a path that writes and writes again": found(f"@ | {' | '.join(['to_string([@, @])'] * LEVELS)}"),
    "a path compared with itself": found(f"({DOUBLED}) == ({DOUBLED})"),
    "a path of an error rule": found(
        "x", f'http: {{success: y}}\nerrors:\n  - {{when: "{DOUBLED} | @[0]", is: NOT_FOUND}}'
    ).replace("# here", ""),
    "levels of rows that are all refused": (
        "operations:\n  locations.list:\n    call: {get: /a}\n    result:\n      record: place\n      rows:\n"
        + "\n".join(f'        - {{name: l{n}, at: "[{", ".join(["@"] * 30)}]"}}' for n in range(10))
        + '\n        - {name: last, at: "[@]", when: "{{ l1 == 0 }}"}\n'
        "records:\n  place: {of: Location, fields: {id: last.x, name: last.x, time_zone: {value: UTC}}}"
    ),
    "loops in loops": sent(f'{{$for: one, $in: "{DAYS}", $give: {NESTED}}}'),
    "a loop that gives the whole each time": sent(f'{{$for: one, $in: "{DAYS}", $give: "{DAYS}"}}'),
}


@pytest.mark.parametrize("name", HANGS)
async def test_hangs(gateway, name):
    """What would run or grow without end is MAPPING_ERROR at once, and names the line."""
    text = HANGS[name]
    one = gateway(text, {"x": "y"})
    args = {"days": [str(number) for number in range(70_000)]} if "args.days" in text else {}
    with pytest.raises(GatewayError) as caught:
        await one.run("native.a" if "native:" in text else "locations.list", seconds=120, **args)
    assert ("MAPPING_ERROR", "example.yaml") == (caught.value.code, caught.value.origin.split(":")[0])
    assert caught.value.origin in caught.value.detail
    if "# here" in text:
        line = next(number for number, line in enumerate(text.splitlines(), 1) if "# here" in line)
        assert f"example.yaml:{line}" == caught.value.origin


def test_budget():
    """What is evaluated inside an evaluation shares its budget, and the next one has its own."""
    half = MOST_EVALUATION_STEPS // 2
    for _ in range(3):
        budgeted(lambda: spend(half), "a.yaml:1", "a")
    budgeted(lambda: [budgeted(lambda: spend(half), "a.yaml:2", "b") for _ in range(2)], "a.yaml:1", "a")
    with pytest.raises(OverBudget) as caught:
        budgeted(lambda: [budgeted(lambda: spend(half), "a.yaml:2", "b") for _ in range(3)], "a.yaml:1", "a")
    assert "a.yaml:2" == caught.value.origin
    spend(3 * half)


@pytest.mark.parametrize(
    ("most", "more"),
    [
        ([None] * MOST_VALUES, [None] * (MOST_VALUES + 1)),
        ([[None] * 999] * (MOST_VALUES // 1000), [[None] * 1000] * (MOST_VALUES // 1000)),
        (["x" * 320] * (MOST_VALUES // 11), ["x" * 352] * (MOST_VALUES // 11)),
        (10**100 - 1, -(10**100)),
        (
            json.loads("[" * MOST_LEVELS + "]" * MOST_LEVELS),
            json.loads("[" * (MOST_LEVELS + 1) + "]" * (MOST_LEVELS + 1)),
        ),
    ],
)
def test_sizes(most, more):
    """Values are counted as often as they stand somewhere, long texts as several, and levels and digits besides."""
    check_size(most)
    with pytest.raises(BudgetSpent):
        check_size(more)


async def test_patterns_are_linear(gateway):
    """An expression that goes back again and again is matched at once, whatever bytes the provider's header has."""
    text = (
        'errors:\n  - {header: {X-Limit: "^(a+)+$"}, is: RATE_LIMITED}\n  - {status: 409, is: BOOKING_CONFLICT}\n'
        "native:\n  a:\n    call: {post: /a}\n    result: {at: x}"
    )
    for header, code in (("a" * 8_000, "RATE_LIMITED"), (f"{'a' * 8_000}b", "BOOKING_CONFLICT")):
        for value in (header, header.replace("b", "\udcff")):
            one = gateway(text, Response(409, {"x-limit": value}, b"{}"))
            with pytest.raises(GatewayError) as caught:
                await one.run("native.a")
            assert code == caught.value.code


NAMES = ("a", "b", "c")
DATA = st.fixed_dictionaries(
    {
        name: st.recursive(
            st.none() | st.booleans() | st.integers() | st.text(max_size=5),
            lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(NAMES), inner, max_size=3),
            max_leaves=8,
        )
        for name in NAMES
    }
)
TEMPLATES = st.recursive(
    st.sampled_from((*NAMES, "1", "'x'", "[]", "a.b", "b[0]")),
    lambda inner: (
        st.builds("({} {} {})".format, inner, st.sampled_from(["+", "*", "-", "==", "and", "or"]), inner)
        | st.builds("[{}, {}]".format, inner, inner)
        | st.builds("{{'a': {}, 'b': {}}}".format, inner, inner)
        | st.builds(
            "({} | {})".format,
            inner,
            st.sampled_from(["json", "unique", "length", "text", "items", "flatten", "join('')"]),
        )
    ),
    max_leaves=12,
)
PATHS = st.recursive(
    st.sampled_from((*NAMES, "@", "[*]", "[]", "`1`", "'x'", "a.b", "*")),
    lambda inner: (
        st.builds("{} | {}".format, inner, inner)
        | st.builds("[{}, {}]".format, inner, inner)
        | st.builds("{{a: {}, b: {}}}".format, inner, inner)
        | st.builds("[{}, {}][]".format, inner, inner)
        | st.builds("[*].[{}, {}]".format, inner, inner)
        | st.builds("({}) == ({})".format, inner, inner)
        | st.builds(
            "{}({})".format, st.sampled_from(["to_string", "to_array", "length", "values", "unique", "items"]), inner
        )
    ),
    max_leaves=12,
)


def ended(evaluate):
    """Give what an evaluation at `a.yaml:7` gives, or MISSING where it ends with our own error."""
    try:
        return evaluate()
    except ExpressionFailed:
        return MISSING
    except OverBudget as spent:
        if spent.origin != "a.yaml:7":
            raise
        return MISSING


@settings(deadline=None, max_examples=25)
@given(st.lists(TEMPLATES, min_size=1, max_size=3), DATA)
def test_every_template_ends(sources, data):
    """Whatever is made again and again of any data ends with a value that can be written, or with our own error."""
    for number in range(30):
        template = compile_template(f"{{{{ {sources[number % len(sources)]} }}}}", origin="a.yaml:7")
        made = ended(lambda template=template: template.render(data))
        if made is MISSING:
            return
        check_size(made)
        data[NAMES[number % len(NAMES)]] = made


@settings(deadline=None, max_examples=25)
@given(PATHS, DATA, st.integers(1, 30))
def test_every_path_ends(source, data, times):
    """Whatever a path does again and again with any data ends with a value, or with our own error."""
    try:
        path = compile_path(" | ".join([source] * times), "a.yaml:7")
    except ExpressionInvalid:
        return  # too long or too deep
    made = ended(lambda: path.read(data))
    if made is not MISSING:
        check_size(made)
