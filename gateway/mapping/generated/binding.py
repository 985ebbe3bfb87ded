"""Generated code bound to a connection: made when it is first used, and left for the evaluator where it stops."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from functools import partial
from typing import Any, Final

from gateway.computation.budget import spend
from gateway.mapping.expressions.probes import PROBE
from gateway.mapping.generated.records import write_reading
from gateway.mapping.generated.source import FAILURES, STOP, Source, TooLong
from gateway.mapping.nodes.calls import GENERATED, Scope
from gateway.mapping.nodes.trees import RecordPlan
from gateway.mapping.runtime.records import read_record
from gateway.values.messages import Json

Reader = Callable[[Json, Scope], dict[str, Json]]
"""A row and the names around it → the canonical object; raises what `read_record` raises."""
_AT_A_TIME: Final = 32
"""Rows that are read between two counts of the steps."""
_Made = Callable[[Json, Scope], Any]


class Code:
    """What was generated for one node: the same for every connection."""

    __slots__ = ("maker", "node", "source")

    def __init__(self, node: object, source: Source | None, about: str) -> None:
        self.node = node
        self.source = source
        """None where it would be too long."""
        self.maker = source.maker(about) if source is not None else None


class Generated:
    """The code of one connection. `codes` are those of its mapping, `scope` is what its templates see.

    `runs` and `stops` count by record how often code was run, and how often it stopped.
    """

    def __init__(self, codes: dict[int, Any], scope: Scope) -> None:
        self.runs: Counter[str] = Counter()
        self.stops: Counter[str] = Counter()
        self._codes = codes
        self._scope = {**scope, GENERATED: self}
        self._made: dict[int, _Made] = {}
        self._readers: dict[int, Reader] = {}

    def reader(self, record: RecordPlan) -> Reader:
        """Give the function that reads rows by a record."""
        found = self._readers.get(id(record))
        if found is None:
            found = self._readers[id(record)] = self._reader(record)
        return found

    def reading(self, record: RecordPlan) -> _Made:
        """Give the generated function: it gives STOP for what it does not know."""
        made = self._made.get(id(record))
        if made is None:
            code = code_of(self._codes, record)
            made = _stopped if code.maker is None else self._bound(code)
            self._made[id(record)] = made
        return made

    def _bound(self, code: Code) -> _Made:
        assert code.source is not None and code.maker is not None  # noqa: S101, PT018 - the caller asked
        cells = {name: make(self._scope) for name, make in code.source.cells.items()}
        return code.maker(**code.source.bound, **cells)

    def _reader(self, record: RecordPlan) -> Reader:
        made, name = self.reading(record), record.name

        def read(row: Json, scope: Scope) -> dict[str, Json]:
            self.runs[name] += 1
            try:
                found = made(row, scope)
            except FAILURES:
                found = STOP
            if found is not STOP:
                return found  # type: ignore[no-any-return]
            self.stops[name] += 1
            return read_record(record, row, scope)

        return read

    def rows(self, record: RecordPlan, rows: list[Json], scope: Scope) -> list[Json]:
        """Read rows one after the other; raises what `read_record` raises of the first that does not fit."""
        made, read = self.reading(record), self.reader(record)
        found: list[Json] = []
        for begin in range(0, len(rows), _AT_A_TIME):
            some = rows[begin : begin + _AT_A_TIME]
            spend(len(some))
            try:
                objects = [made(row, scope) for row in some]
            except FAILURES:
                objects = [STOP]
            if any(one is STOP for one in objects):
                objects = [read(row, scope) for row in some]
            else:
                self.runs[record.name] += len(some)
            found += objects
        return found


def code_of(codes: dict[int, Any], record: RecordPlan) -> Code:
    """Give the code of a record, which is made now if nobody has asked for it before."""
    code = codes.get(id(record))
    if code is None:
        try:
            source = write_reading(record, _inner)
        except TooLong:
            source = None
        code = codes[id(record)] = Code(record, source, record.name)
    found: Code = code
    return found


def _inner(source: Source, record: RecordPlan) -> str:
    return source.cell("read", record, lambda scope: scope[GENERATED].reading(record))


def _stopped(_row: Json, _scope: Scope) -> Json:
    return STOP


def reader(record: RecordPlan, scope: Scope) -> Reader:
    """Give what reads rows by a record in this scope: generated code, or the evaluator where it is looked on."""
    generated = scope.get(GENERATED)
    if generated is None or PROBE.get() is not None:
        return partial(read_record, record)
    found: Reader = generated.reader(record)
    return found


def read_rows(record: RecordPlan, rows: list[Json], scope: Scope) -> list[Json]:
    """Read rows by a record in this scope; raises what `read_record` raises of the first that does not fit."""
    generated = scope.get(GENERATED)
    if generated is None or PROBE.get() is not None:
        return [read_record(record, row, scope) for row in rows]
    found: list[Json] = generated.rows(record, rows, scope)
    return found
