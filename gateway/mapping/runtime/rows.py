"""What levels of rows mean: each element of nested lists, with those around it."""

from __future__ import annotations

from collections.abc import Iterator

from gateway.computation.budget import budgeted, check_rows, spend
from gateway.mapping.nodes.calls import Scope
from gateway.mapping.nodes.trees import Level
from gateway.mapping.runtime.expressions import decides_of_answer, read, rendered
from gateway.values.errors import AnswerMismatch, MappingFault
from gateway.values.messages import Json


def walk(levels: tuple[Level, ...], data: Json, scope: Scope) -> list[dict[str, Json]]:
    """Walk named levels: each element of the innermost with its parents, under their names.

    Raises AnswerMismatch, OverBudget, what a template raises, and what `check_rows` does.
    """

    def walked() -> list[dict[str, Json]]:
        found: list[dict[str, Json]] = []
        for names in _walk(levels, data, {}, scope):
            check_rows(len(found) + 1)
            found.append(names)
        return found

    return budgeted(walked, levels[0].origin, levels[0].text)


def _walk(levels: tuple[Level, ...], data: Json, names: dict[str, Json], scope: Scope) -> Iterator[dict[str, Json]]:
    level, *rest = levels
    for element in elements(level, data) if level.each is None else _list(level, {**scope, **names}):
        spend()
        inner = {**names, level.name: element}
        if level.when is not None and not decides_of_answer(level.when, element, {**scope, **inner}, level.origin):
            continue
        if rest:
            yield from _walk(tuple(rest), element, inner, scope)
        else:
            yield inner


def elements(level: Level, data: Json) -> list[Json]:
    """Find the rows of one level in what is around them. Raises AnswerMismatch where there is no list."""
    found = read(level.at, data, level.origin)
    if not isinstance(found, list):
        raise AnswerMismatch(f"{level.origin}: `{level.at.text}` is not a list", origin=level.origin)
    return found


def _list(level: Level, scope: Scope) -> list[Json]:
    """Make the list of a level that is not found in the one before. Raises MappingFault where it is none."""
    found = rendered(level.each, scope, level.origin) if level.each is not None else None
    if not isinstance(found, list):
        raise MappingFault(f"{level.origin}: `in` must give a list", origin=level.origin)
    return found
