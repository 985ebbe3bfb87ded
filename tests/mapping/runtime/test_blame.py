"""A caller whose value cannot be used is told so, under the name that it gave: nothing of the mapping is named."""

import pytest

from gateway.mapping.checks.given import GivenArguments
from gateway.mapping.expressions import ExpressionFailed, compile_template
from gateway.mapping.runtime.faults.blame import failure
from gateway.values.errors import CallInvalid, MappingFault


def failing(text, args, owed=None, **names):
    """Give the error of a template that fails on these arguments."""
    template = compile_template(text)
    object.__setattr__(template, "owed", owed or {})
    with pytest.raises(ExpressionFailed) as caught:
        template.render({"args": args, **names})
    return failure(template, caught.value, {"args": args, **names}, "x.yaml:7")


@pytest.mark.parametrize(
    ("text", "args", "field", "problem"),
    [
        ("{{ int(args.service_id) }}", {"service_id": "a5"}, "service_id", "is not a whole number in decimal digits"),
        ("{{ 1 + int(args.x.y) }}", {"x": {"y": ""}}, "x.y", "is not a whole number in decimal digits"),
        ("x{{ args.customer.email }}", {"customer": {"name": "A"}}, "customer.email", "is needed here"),
        ("{{ int(args.a if args.a is defined else args.b) }}", {"b": "z"}, "b", "is not a whole number"),
        ("{{ args.a == 1 and int(args.b) > 2 }}", {"a": 1, "b": "z"}, "b", "is not a whole number"),
        ("{{ int(default(args.a, args.b)) }}", {"b": "z"}, "b", "is not a whole number in decimal digits"),
        ("{{ rows[args.key].name }}", {"key": "none"}, "key", "is nothing that can be asked for here"),
        ("{{ get({'mr': 0}, args.title) }}", {"title": "dr"}, "title", "is nothing that can be asked for here"),
        ("{{ int(service) }}", {"service_id": "x"}, "service_id", "is not a whole number in decimal digits"),
        ("{{ utc(args.start) }}", {"slot_id": "5", "start": "no"}, "slot_id", "is not"),
    ],
)
def test_the_callers_field(text, args, field, problem):
    """The smallest part that fails is the caller's: 400 with the name of its field, and no word of the mapping."""
    owed = {"service": ("service_id",), "args.start": ("slot_id",)}
    error = failing(text, args, owed, rows={"one": {"name": "x"}}, service="rental")
    assert isinstance(error, CallInvalid)
    assert "VALIDATION_ERROR" == error.code
    assert [field] == [one["field"] for one in error.details["fields"]]
    assert error.details["fields"][0]["problem"].startswith(problem)
    assert "service " not in error.detail.replace("service_id", "")


@pytest.mark.parametrize(
    ("text", "args"),
    [
        ("{{ int(row.id) + args.n }}", {"n": 1}),
        ("{{ args.n + int('x') }}", {"n": 1}),
        ("{{ row.nothing if args.n == 1 else args.n }}", {"n": 1}),
        ("{{ row.list[0].id == args.n }}", {"n": 1}),
    ],
)
def test_not_the_callers(text, args):
    """What a provider answered, or the mapping wrote down, is not the caller's, whatever stands beside it."""
    assert isinstance(failing(text, args, row={"id": "x", "list": []}), MappingFault)


def test_nobody_asked():
    """A template for which no caller is asked fails as the mapping's, with its line."""
    template = compile_template("{{ int(args.x) }}")
    error = failure(template, ExpressionFailed("no"), {"args": {"x": "y"}}, "x.yaml:7")
    assert ("MAPPING_ERROR", "x.yaml:7") == (error.code, error.origin)


def test_what_names_owe():
    """A name that is made of nothing but what the caller gave owes to its fields; one of an answer owes to none."""
    given = GivenArguments({}, owed={"main": ("service_id",)})
    assert ("x.y", "service_id") == given.owing([("args", "x", "y"), ("main",), ("settings", "z")])
    assert () == given.owing([("args", "x"), ("answer", "id")])
