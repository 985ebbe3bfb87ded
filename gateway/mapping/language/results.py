"""What an operation gives: where rows are, or whose result it is."""

from __future__ import annotations

from gateway.documents.parts import Name, Node, OperationName, PathText, TemplateText, TreeObject, key, part


@part("level", "one of the named levels of `rows`, or of `in` of a `for_each`")
class Level(Node):
    """One level of nested rows."""

    name: Name = key("the name that paths and templates use", example="day")
    at: PathText = key("path on the level before", example="items(dates)")
    when: TemplateText | None = key("one expression; false: the element is left out", example="{{ day.free }}")


@part("source", "one of `union`")
class Source(Node):
    """One of several sources of rows."""

    rows: PathText | list[Level] | None = key("path to the rows, or named levels", example="values(result)")
    at: PathText | None = key("path to the one object of the answer", example="result")
    row: str = key("the record that reads each row", example="service")


@part("gives", "`gives`; exactly one of `run` and `step`")
class Gives(Node):
    """The result is another operation's."""

    run: OperationName | None = key("the operation whose result it is", example="bookings.get")
    with_: TreeObject | None = key("its arguments; without it, the same id", example={"id": "{{ args.id }}"})
    step: str | None = key("the step that ran the operation whose result it is", example="booked")
