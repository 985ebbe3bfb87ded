"""Generated code bound to a connection: made when it is first used, and left for the evaluator where it stops."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from functools import partial
from typing import Any, Final

from gateway.computation.budget import spend
from gateway.mapping.expressions import Template
from gateway.mapping.expressions.probes import PROBE
from gateway.mapping.generated.names import Names
from gateway.mapping.generated.records import write_reading
from gateway.mapping.generated.source import FAILURES, STOP, Source, TooLong
from gateway.mapping.generated.trees import TreeWriter
from gateway.mapping.generated.writers import write_writing
from gateway.mapping.nodes.calls import GENERATED, Scope
from gateway.mapping.nodes.trees import RecordPlan, Tree, WrittenRecord
from gateway.mapping.runtime.records import read_record
from gateway.mapping.runtime.trees import LEFT_OUT, evaluate
from gateway.values.messages import Json
from gateway.values.truth import MISSING

Reader = Callable[[Json, Scope], dict[str, Json]]
"""A row and the names around it → the canonical object; raises what `read_record` raises."""
_AT_A_TIME: Final = 32
"""Rows that are read between two counts of the steps."""
_Made = Callable[[Json, Scope], Any]
TREES: Final = "trees of calls"
TEMPLATES: Final = "templates of calls"
"""Under which they are counted beside records."""
_WRITING: Final = "writing"
"""What is made of a record besides its reading."""


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

    What is used for the first time is evaluated, and so `after` times in all; only then its code is made, which takes
    as long as some rows. `runs` and `stops` count how often code was run, and how often it stopped: by record, and of
    trees and templates all together.
    """

    def __init__(self, codes: dict[Any, Any], scope: Scope, *, after: int = 2) -> None:
        self.runs: Counter[str] = Counter()
        self.stops: Counter[str] = Counter()
        self._codes = codes
        self._after = after
        self._scope = {**scope, GENERATED: self}
        self._made: dict[Any, _Made] = {}
        self._uses: Counter[int] = Counter()

    def read(self, record: RecordPlan, row: Json, scope: Scope) -> dict[str, Json]:
        """Read a row; raises what `read_record` raises."""
        found = self._run(record, write_reading_of, row, scope, record.name)
        return read_record(record, row, scope) if found is STOP else found

    def build(self, tree: Tree, scope: Scope) -> Json:
        """Build a tree; raises what `evaluate` raises."""
        found = self._run(tree, write_tree, None, scope, TREES)
        return evaluate(tree, scope) if found is STOP else LEFT_OUT if found is MISSING else found

    def render(self, template: Template, scope: Scope) -> Json:
        """Evaluate a template; raises what `Template.render` raises."""
        found = self._run(template, write_template, None, scope, TEMPLATES)
        return template.render(scope) if found is STOP else found

    def _run(self, node: Any, write: Callable[[Any], Source], value: Json, scope: Scope, name: str) -> Any:
        """Run the code of a node: what it gives, or STOP where there is none yet, or it does not know the input."""
        made = self._made.get(id(node))
        if made is None:
            self._uses[id(node)] += 1
            if self._uses[id(node)] <= self._after:
                return STOP
            made = self.made(node, write)
        self.runs[name] += 1
        try:
            found = made(value, scope)
        except FAILURES:
            found = STOP
        if found is STOP:
            self.stops[name] += 1
        return found

    def made(self, node: Any, write: Callable[[Any], Source], way: str = "") -> _Made:
        """Give the generated function of a node: it gives STOP for what it does not know.

        `way` tells apart what is made of one node in several ways.
        """
        key = (id(node), way) if way else id(node)
        found = self._made.get(key)
        if found is None:
            code = code_of(self._codes, node, write, way)
            if code.source is None or code.maker is None:
                found = _stop
            else:
                cells = {name: make(self._scope) for name, make in code.source.cells.items()}
                found = code.maker(**code.source.bound, **cells)
            self._made[key] = found
        return found

    def rows(self, record: RecordPlan, rows: list[Json], scope: Scope) -> list[Json]:
        """Read rows one after the other; raises what `read_record` raises of the first that does not fit."""
        if len(rows) <= self._after:
            return [self.read(record, row, scope) for row in rows]
        made = self.made(record, write_reading_of)
        found: list[Json] = []
        for begin in range(0, len(rows), _AT_A_TIME):
            some = rows[begin : begin + _AT_A_TIME]
            spend(len(some))
            try:
                objects = [made(row, scope) for row in some]
            except FAILURES:
                objects = [STOP]
            if any(one is STOP for one in objects):
                objects = [self.read(record, row, scope) for row in some]
            else:
                self.runs[record.name] += len(some)
            found += objects
        return found


def code_of(codes: dict[Any, Any], node: Any, write: Callable[[Any], Source], way: str = "") -> Code:
    """Give the code of a node, which is made now if nobody has asked for it before."""
    key = (id(node), way) if way else id(node)
    code = codes.get(key)
    if code is None:
        try:
            source = write(node)
        except TooLong:
            source = None
        code = codes[key] = Code(node, source, type(node).__name__)
    found: Code = code
    return found


def write_reading_of(record: RecordPlan) -> Source:
    """Write the function that reads a row. Raises TooLong."""
    return write_reading(record, _inner)


def write_tree(tree: Tree) -> Source:
    """Write the function that builds a tree, MISSING where it is left out. Raises TooLong."""
    source = Source()
    source.add(f"return {TreeWriter(Names(source), _write_record).of(tree)}")
    return source


def write_template(template: Template) -> Source:
    """Write the function that evaluates a template. Raises TooLong."""
    source = Source()
    source.add(f"return {TreeWriter(Names(source)).template(template)}")
    return source


def _inner(source: Source, record: RecordPlan) -> str:
    return source.cell("read", record, lambda scope: scope[GENERATED].made(record, write_reading_of))


def write_writing_of(record: RecordPlan) -> Source:
    """Write the function that writes an object of the provider. Raises TooLong."""
    return write_writing(record, _writer)


def _writer(source: Source, record: RecordPlan) -> str:
    return source.cell("write", record, lambda scope: scope[GENERATED].made(record, write_writing_of, _WRITING))


def _write_record(tree: WrittenRecord, value: str, names: Names) -> str:
    """Write that a record writes what a name holds, if there is anything."""
    source = names.source
    written = source.name("written")
    source.add(f"{written} = MISSING")
    with source.block(f"if {value} is not None and {value} is not MISSING:"):
        seen = names.scope([(name,) for name in names.local])
        source.add(f"{written} = {_writer(source, tree.record)}({value}, {seen})")
        source.stop_where(f"{written} is STOP")
    return written


def _stop(_row: Json, _scope: Scope) -> Json:
    return STOP


def reader(record: RecordPlan, scope: Scope) -> Reader:
    """Give what reads rows by a record in this scope: generated code, or the evaluator where it is looked on."""
    generated = scope.get(GENERATED)
    if generated is None or PROBE.get() is not None:
        return partial(read_record, record)
    return partial(generated.read, record)


def read_rows(record: RecordPlan, rows: list[Json], scope: Scope) -> list[Json]:
    """Read rows by a record in this scope; raises what `read_record` raises of the first that does not fit."""
    generated = scope.get(GENERATED)
    if generated is None or PROBE.get() is not None:
        return [read_record(record, row, scope) for row in rows]
    found: list[Json] = generated.rows(record, rows, scope)
    return found
