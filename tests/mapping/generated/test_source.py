"""The code itself: that no text of a mapping can become a part of it, how long it may be, and who can go without it."""

import ast
import re
from pathlib import Path

import pytest

from gateway.engine.catalog import bind
from gateway.mapping.expressions.probes import Probe, probed
from gateway.mapping.generated.binding import Generated, code_of, reader, write_reading_of
from gateway.mapping.nodes.calls import GENERATED
from gateway.mapping.runtime.records import read_record
from tests import shipped
from tests.mapping.generated.mutations import outcome

FORMS = (
    *(ast.Module, ast.FunctionDef, ast.arguments, ast.arg, ast.Return, ast.If, ast.For, ast.While, ast.Break),
    *(ast.Continue, ast.Pass, ast.Expr, ast.Assign, ast.AugAssign, ast.Delete, ast.BoolOp, ast.BinOp, ast.UnaryOp),
    *(ast.Compare, ast.IfExp, ast.Call, ast.Subscript, ast.Attribute, ast.Name, ast.Constant, ast.Dict, ast.List),
    *(ast.Tuple, ast.expr_context, ast.boolop, ast.operator, ast.unaryop, ast.cmpop),
)
OURS = {"value", "scope", "found", "make", "made", "MISSING", "STOP"}
PYTHON = {"str", "int", "float", "bool", "list", "dict", "len", "isinstance", "zip"}
ATTRIBUTES = {"__class__", "get", "append", "update", "replace", "isprintable", "values"}
DRAWN = re.compile(r"[a-z][a-z0-9_]*_[0-9]+", re.ASCII)
HOSTILE = (Path(__file__).parent / "hostile.yaml").read_text(encoding="utf-8")
ROWS = (
    {},
    {
        "__class__": {"\\": "x"},
        "{scope}": "'); __import__('os')#",
        'a"]; import os; ["b': "1'2%",
        "\n    return 1 #": 7,
    },
    {"');import os#": "y", "a b;": "\u2028", "x": "');", "\n": "z", "{scope}": "\\", "q": ["first"]},
    {"');import os#": "y", "\n": 5, "a b;": 1.5, "{scope}": "", "import os": "z", "name": "a"},
)


def sources(plan):
    """Give the generated code of each record of a plan."""
    return {name: code_of(plan.made, record, write_reading_of).source for name, record in plan.records.items()}


def strange(text):
    """Give what of code is none of the forms, names and attributes that there are, and no plain text."""
    for node in ast.walk(ast.parse(text)):
        match node:
            case ast.Name(id=name) | ast.arg(arg=name):
                known = name in OURS | PYTHON or DRAWN.fullmatch(name)
            case ast.Attribute(attr=name):
                known = name in ATTRIBUTES
            case ast.Constant(value=str(name)):
                known = re.fullmatch(r"\w+|[-+*/%]+", name, re.ASCII)
            case _:
                known = isinstance(node, FORMS)
        if not known:
            yield ast.unparse(node)


def test_nothing_of_a_mapping_is_code(compiled):
    """Names, keys, constants and templates that look like Python are bound as values: none of them is in the code."""
    plan = compiled(HOSTILE)
    for source in sources(plan).values():
        assert [] == list(strange(source.code()))
    settings = {name: one.default for name, one in plan.settings.items()}
    settings |= {"time_zone": "Europe/Berlin", "currency": "EUR", "key": None}
    scope = {**bind("club", plan, settings).scope, "now": "2026-03-01T09:00:00+01:00"}
    record = plan.records["odd"]
    told = [outcome(lambda row=row: read_record(record, row, scope)) for row in ROWS]
    assert told == [outcome(lambda row=row: reader(record, scope)(row, scope)) for row in ROWS]
    assert "value" in {one[0] for one in told}


@pytest.mark.parametrize("name", shipped.FILES)
def test_shipped_mappings_are_plain(name):
    """The code of every shipped mapping is made of the few forms and names that there are, and none is too long."""
    for source in sources(shipped.plan_of(name)).values():
        assert [] == list(strange(source.code()))


@pytest.mark.parametrize("path", [" || ".join("abcdefgh" * 5), "a" + "[].b[].c" * 12, "a" + "[?b" * 25 + "]" * 25])
def test_a_record_that_is_too_long(path, compiled):
    """A record whose code would be too long, or too deep for Python, is left to the evaluator."""
    lines = "".join(f"      metadata.m{number}: '{path}'\n" for number in range(60))
    plan = compiled(f"records:\n  long:\n    of: Customer\n    fields:\n      name: called\n{lines}")
    record = plan.records["long"]
    assert sources(plan)["long"] is None
    generated = Generated(plan.made, {"settings": {}, "connection": {}}, after=0)
    row = {"called": "Ada", "c": "x"}
    assert outcome(lambda: generated.read(record, row, {})) == outcome(lambda: read_record(record, row, {}))
    assert ({"long": 1}, {"long": 1}) == (generated.runs, generated.stops)


def test_who_goes_without(compiled):
    """A connection without code, whoever looks on, and what is used for the first times are left to the evaluator."""
    plan = compiled("records: {one: {of: Customer, fields: {name: called}}}")
    record, settings = plan.records["one"], {"time_zone": "Europe/Berlin", "currency": "EUR"}
    with_code, without = (bind("club", plan, settings, generated=wanted).scope for wanted in (True, False))
    assert GENERATED not in without
    row, code = {"called": "Ada"}, with_code[GENERATED]
    for scope in (without, with_code, with_code):
        assert {"name": "Ada"} == reader(record, scope)(row, scope)
    assert {} == code.runs
    with probed(Probe()):
        assert {"name": "Ada"} == reader(record, with_code)(row, with_code)
    assert {} == code.runs
    assert {"name": "Ada"} == reader(record, with_code)(row, with_code)
    assert ({"one": 1}, {}) == (code.runs, code.stops)
