"""Errors are values: what is known later makes another error, and the first one stays what it was."""

import ast
import traceback
from pathlib import Path

import pytest

from gateway.values.errors import (
    GatewayError,
    OutcomeUnknown,
    ProviderRejected,
    ProviderUnavailable,
    StoreUnavailable,
)

CODE = sorted((Path(__file__).parents[2] / "gateway").rglob("*.py"))


def chain(error):
    """List an error and what caused it, one by one; none may be among its own causes."""
    found = []
    while error is not None:
        assert error not in found
        found.append(error)
        error = error.__cause__
    return found


@pytest.mark.parametrize(
    "error",
    [
        GatewayError("a", code="INVALID_STATE", details={"b": 1}, retry_after=2.0, origin="m.yaml:5", rule="x"),
        ProviderUnavailable("a", sent=True, timed_out=True, retry_after=3.0, status=503),
        StoreUnavailable("a", retry_after=4.0, reason="full"),
        OutcomeUnknown("a", provider={"code": "7"}),
    ],
)
def test_copy_with(error):
    """A copy is of the same kind and has what it was not given from the first, which it leaves alone."""
    error.__cause__ = ValueError("why")
    before = dict(vars(error))
    copy = error.copy_with(detail="b", details={"c": 2}, answered=True)
    assert vars(error) == before
    assert vars(copy) == before | {"detail": "b", "details": {"c": 2}, "answered": True}
    assert (type(error), error.__cause__) == (type(copy), copy.__cause__)
    assert "b" in traceback.format_exception_only(copy)[0]
    assert str(error) == str(copy.copy_with(detail="a"))


FOUND = """
operations:
  bookings.get: {call: {get: "/b/{{ args.id }}"}, result: {at: data, record: booking}}
  bookings.confirm: {call: {post: "/b/{{ args.id }}/confirm"}, result: {run: bookings.get}}
  bookings.cancel:
    unsupported: {reason: x, cancelled_by: x}
    steps:
      - {name: a, call: {post: "/b/{{ args.id }}/a"}}
      - {name: b, call: {post: "/b/{{ args.id }}/b"}}
    result: {run: bookings.get}
"""


@pytest.mark.parametrize(
    ("operation", "earlier"),
    [
        ("bookings.get", 0),
        ("bookings.confirm", 0),
        ("bookings.confirm", 1),
        ("bookings.cancel", 0),
        ("bookings.cancel", 1),
        ("bookings.cancel", 2),
    ],
)
@pytest.mark.parametrize(
    "failure",
    [
        ProviderRejected("no", code="NOT_FOUND", details={"a": 1}),
        ProviderUnavailable("late", sent=True, timed_out=True),
    ],
)
async def test_raised_once(club, operation, earlier, failure):
    """A failure of a call leaves the error that began it as it was, and is raised from that, never from itself."""
    before = dict(vars(failure))
    made = club(FOUND, *[{}] * earlier, failure)
    with pytest.raises(GatewayError) as caught:
        await made.run(operation, id="7")
    errors = chain(caught.value)
    assert failure in errors[1:]
    assert before == vars(failure)


def _of_a_caught_error(handler):
    """Give what a handler does to the error that it caught, other than to look at it and raise another from it."""
    for node in ast.walk(handler):
        if isinstance(node, ast.Assign | ast.AugAssign | ast.Delete):
            for target in getattr(node, "targets", None) or [node.target]:
                held = target
                while isinstance(held, ast.Attribute | ast.Subscript):
                    held = held.value
                if held is not target and isinstance(held, ast.Name) and held.id == handler.name:
                    yield f"{node.lineno}: {ast.unparse(node)}"


def test_errors_are_copied():
    """No code changes an error that it caught, and none raises an error from itself."""
    wrong = []
    for path in CODE:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ExceptHandler) and node.name:
                wrong += [f"{path.name}:{one}" for one in _of_a_caught_error(node)]
            if isinstance(node, ast.Raise) and node.cause and ast.dump(node.exc) == ast.dump(node.cause):
                wrong.append(f"{path.name}:{node.lineno}: {ast.unparse(node)}")
    assert [] == wrong
