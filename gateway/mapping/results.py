"""Where an operation's result is found and read: rows, nested rows with their parents, one object.

Pure. A path that should give a list and does not is a mismatch, never an empty list.
"""

from __future__ import annotations

from collections.abc import Iterator

from gateway.errors import AnswerMismatch, GatewayError
from gateway.mapping.evaluate import read
from gateway.mapping.expressions import MISSING, ExpressionFailed, Path, Template
from gateway.mapping.plan import Level, RowsPlan, Scope
from gateway.mapping.truth import truth
from gateway.messages import Json

NEVER_SHOWN = frozenset({"token", "hash", "password", "secret", "api_key", "api_secret_key"})
"""Keys of a provider's object that provider_data never shows, besides those a record declares."""


def read_rows(
    rows: RowsPlan, root: Json, scope: Scope, not_found: str | None, *, show: bool
) -> list[tuple[Json, Json]]:
    """Read every row: the canonical object and, with `show`, the provider's own. The first path is evaluated on `root`.

    Raises the error `not_found` when a single object is not there, AnswerMismatch where the answer does not fit.
    """
    private = rows.record.private
    if rows.one:
        row, canonical = _read_one(rows, root, scope, not_found)
        return [(canonical, _shown(row, private) if show else None)]
    read = rows.record.read
    if not rows.named:
        level = rows.levels[0]
        found = _elements(level.at, root, level.origin)
        return [(read(row, scope), _shown(row, private) if show else None) for row in found]
    return [
        (read({**scope, **names}, scope), _shown(_outline(names), private) if show else None)
        for names in walk(rows.levels, root, {}, scope)
    ]


def _outline(names: dict[str, Json]) -> dict[str, Json]:
    """The levels of one row: the innermost whole, of the others what is not rows again."""
    *outer, last = names
    found = {name: _scalars(names[name]) for name in outer}
    return {**found, last: names[last]}


def _scalars(value: Json) -> Json:
    return (
        {key: one for key, one in value.items() if not isinstance(one, dict | list)}
        if isinstance(value, dict)
        else value
    )


def _read_one(rows: RowsPlan, root: Json, scope: Scope, not_found: str | None) -> tuple[Json, Json]:
    """The provider's object and the canonical one."""
    level = rows.levels[0]
    row = read(level.at, root, level.origin)
    if row is MISSING or row is None or row == []:
        if not_found is not None:
            raise GatewayError("", code=not_found, origin=level.origin)
        raise AnswerMismatch(f"{level.origin}: `{level.at.text}` is missing in the answer", origin=level.origin)
    return row, rows.record.read(row, scope)


def walk(levels: tuple[Level, ...], data: Json, names: dict[str, Json], scope: Scope) -> Iterator[dict[str, Json]]:
    """Walk named levels: each element of the innermost with its parents, under their names."""
    level, *rest = levels
    for element in _elements(level.at, data, level.origin):
        inner = {**names, level.name: element}
        if level.when is not None and not _wanted(level.when, {**scope, **inner}, level.origin):
            continue
        if rest:
            yield from walk(tuple(rest), element, inner, scope)
        else:
            yield inner


def _wanted(when: Template, scope: Scope, origin: str) -> bool:
    try:
        return truth(when.render(scope), origin)
    except ExpressionFailed as failed:
        raise AnswerMismatch(f"{origin}: `{when.text}`: {failed}", origin=origin) from None


def _elements(path: Path, data: Json, origin: str) -> list[Json]:
    found = read(path, data, origin)
    if not isinstance(found, list):
        raise AnswerMismatch(f"{origin}: `{path.text}` is not a list", origin=origin)
    return found


def _shown(value: Json, private: frozenset[str]) -> Json:
    """The provider's object without what must not be seen."""
    if isinstance(value, dict):
        return {
            key: _shown(inner, private)
            for key, inner in value.items()
            if key not in private and key.lower() not in NEVER_SHOWN
        }
    if isinstance(value, list):
        return [_shown(inner, private) for inner in value]
    return value
