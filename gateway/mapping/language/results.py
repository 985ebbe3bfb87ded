"""What an operation gives: where its rows are, or whose result it is."""

from __future__ import annotations

from typing import Annotated, TypeAlias

from gateway.documents.part_rules import Choice, exactly_one
from gateway.documents.parts import (
    Name,
    Node,
    OnElement,
    OperationName,
    PathText,
    TemplateText,
    TreeObject,
    key,
    part,
)


@part(
    "level",
    "one of the named levels of `rows`, or of `in` of a `for_each`; exactly one of `at` and `in`",
    exactly_one("at", "in", code="level-without-list", what="a level"),
)
class Level(Node):
    """One level of nested rows."""

    name: Name = key("the name that paths and templates use", example="day")
    at: PathText | None = key("path on the level before", example="items(dates)")
    in_: TemplateText | None = key(
        "one expression giving the list, which sees steps, variables and the levels so far", example="{{ services }}"
    )
    when: OnElement | None = key("what must hold of the element, else it is left out", example="{{ day.free }}")


@part("object_result", "`result` that is one object", known_by="at")
class ObjectResult(Node):
    """One object of the answer."""

    at: PathText = key("path to the object", example="result")
    record: str = key("the record that reads it", example="service")


@part("rows_result", "`result` that is a list, or one of several sources of one", known_by="rows")
class RowsResult(Node):
    """Rows of the answer."""

    rows: PathText | list[Level] = key("path to the rows, or named levels", example="values(result)")
    record: str = key("the record that reads each row", example="service")


@part("run_result", "`result` that another operation gives", known_by="run")
class RunResult(Node):
    """The result of another operation, which is run."""

    run: OperationName = key("the operation whose result it is", example="bookings.get")
    with_: TreeObject | None = key("its arguments; without it, the same id", example={"id": "{{ args.id }}"})


@part("step_result", "`result` that a step has", known_by="step")
class StepResult(Node):
    """The result of the operation that a step has run."""

    step: str = key("the step that ran the operation whose result it is", example="booked")


@part("find_result", "`result` that is one of a list", known_by="find")
class FindResult(Node):
    """The one of a list that has the id."""

    find: OperationName = key("run this list and pick the one with the id", example="services.list")


@part("native_result", "`result` of a native operation")
class NativeResult(Node):
    """What of the answer a native operation gives."""

    at: PathText = key("path to it", example="result")


Source: TypeAlias = ObjectResult | RowsResult
"""What a record reads."""
Result: TypeAlias = Annotated[
    Source | RunResult | StepResult | FindResult | list[Source], Choice("a result", "wrong-result")
]
"""What an operation gives; a list has several sources, one after the other."""
