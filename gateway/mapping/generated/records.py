"""The reading of a record, written out as one function of a row (`runtime/records.py`, which stays the meaning)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from gateway.mapping.expressions import Path
from gateway.mapping.generated.codecs import gives_canonical, is_kept, write_decoding, write_joining
from gateway.mapping.generated.kinds import Need, write_need, write_type
from gateway.mapping.generated.names import FIELDS, Names
from gateway.mapping.generated.paths import PathWriter, is_true
from gateway.mapping.generated.source import STOP, Source
from gateway.mapping.generated.templates import TemplateWriter, can_be_written
from gateway.mapping.generated.trees import MOST_ELEMENTS, TreeWriter
from gateway.mapping.nodes.trees import (
    Computed,
    Constant,
    Embedded,
    EmbeddedRows,
    FieldPlan,
    FromPath,
    Group,
    Joined,
    RecordPlan,
)
from gateway.mapping.runtime.rows import walk
from gateway.mapping.runtime.writing import put_at
from gateway.values.messages import Json
from gateway.values.truth import MISSING

_ROW: Final = "value"
"""What the function calls the row that it is given."""
Inner = Callable[[Source, RecordPlan], str]
"""Gives the name by which a function knows that of another record."""


def write_reading(record: RecordPlan, inner: Inner) -> Source:
    """Write the function that reads a row. Raises TooLong."""
    return _Writer(record, inner).written()


@dataclass(slots=True)
class _Read:
    """A line that is read: its keys, the name of its value, and whether that may be MISSING."""

    path: tuple[str, ...]
    value: str
    misses: bool


class _Writer:
    """Writes one record, line by line."""

    def __init__(self, record: RecordPlan, inner: Inner) -> None:
        self._record = record
        self._inner = inner
        self._source = Source()
        self._paths = PathWriter(self._source)
        self._read: list[_Read] = []

    def written(self) -> Source:
        """Write all of it."""
        source, record = self._source, self._record
        if any(_looks_up_keys(line) for line in record.reads):
            source.stop_where(f"{_ROW}.__class__ is not dict")
        for line in record.reads:
            source.note(f"{line.origin}  {line.name} ← {line.text}{f' as {line.codec}' if line.codec else ''}")
            self._read.append(self._line(line))
        source.note(f"{record.resource.name}")
        groups = {group.name: self._group(group) for group in record.groups}
        whole = {one.path[0]: one for one in self._read if len(one.path) == 1}
        found = [(name, groups.get(name) or whole[name]) for name in record.order]
        pairs = ", ".join(f"{source.constant(name)}: {one.value}" for name, one in found)
        source.add(f"found = {{{pairs}}}")
        for name, one in found:
            if one.misses:
                with source.block(f"if {one.value} is MISSING:"):
                    source.add(f"del found[{source.constant(name)}]")
        source.add("return found")
        return source

    def _names(self) -> Names:
        """The names that a line sees: the row, and the lines above."""
        return Names(self._source, {"row": _ROW}, [(one.path, one.value) for one in self._read])

    def _line(self, line: FieldPlan) -> _Read:
        source = self._source
        value = source.name(line.name)
        if line.when is None:
            self._value(line, value, always=True)
        else:
            source.add(f"{value} = MISSING")
            with source.block(f"if {self._condition(line)}:"):
                self._value(line, value, always=False)
            if line.required:
                source.stop_where(f"{value} is MISSING")
        misses = not line.required and not (isinstance(line.source, Constant) and line.when is None)
        return _Read(line.path, value, misses)

    def _condition(self, line: FieldPlan) -> str:
        """Write a condition: a path by JMESPath's rule, a template that says true or false."""
        source, when = self._source, line.when
        if isinstance(when, Path):
            return is_true(self._paths.read(when, _ROW, always=True))
        held, names = source.name("holds"), self._names()
        if when is not None and can_be_written(when):
            source.inline += 1
            writer = TemplateWriter(names)
            source.add(f"{held} = {writer.needed(writer.written(when))}")
        elif when is not None:
            source.asked += 1
            source.add(f"{held} = {source.bind('render', when.render)}({names.scope(when.uses)})")
        source.stop_where(f"{held}.__class__ is not bool")
        return held

    def _value(self, line: FieldPlan, value: str, *, always: bool) -> None:
        """Write the value of a line, and what the contract says of it."""
        source, need = self._source, Need(line.required, line.nullable)
        canonical = self._is_sourced(line, value, always=always)
        if line.default is not MISSING:
            with source.block(f"if {value} is MISSING or {value} is None or {value} == {source.constant('')}:"):
                source.add(f"{value} = {source.constant(line.default)}")
            canonical = False
        if canonical or line.type is None:
            write_need(source, value, need)
        else:
            write_type(source, value, line.type, need)

    def _is_sourced(self, line: FieldPlan, value: str, *, always: bool) -> bool:
        """Write where a value comes from; gives whether it is canonical by that."""
        source, held = self._source, line.source
        match held:
            case Constant():
                source.add(f"{value} = {source.constant(held.value)}")
                return line.type is not None and is_kept(line.type, held.value)
            case Computed():
                source.add(f"{value} = {TreeWriter(self._names()).of(held.tree)}")
            case FromPath(codec=codec):
                joined = self._from_path(held, value, always=always)
                if codec is not None and not joined:
                    write_decoding(source, value, codec, lambda: self._names().scope(codec.uses))
                    return gives_canonical(codec, line.type)
            case Joined():
                self._join(held, value)
            case Embedded():
                self._embed(held, value, always=always)
            case EmbeddedRows():
                self._embedded_rows(held, value, always=always)
        return False

    def _from_path(self, held: FromPath, value: str, *, always: bool) -> bool:
        """Write the value that a path finds, or the list of several; gives whether the codec has joined them."""
        source = self._source
        if not held.several:
            source.add(f"{value} = {self._paths.read(held.paths[0], _ROW, always=always)}")
            return False
        found = [self._paths.read(path, _ROW, always=always) for path in held.paths]
        with source.block(f"if {' or '.join(f'{one} is MISSING' for one in found)}:"):
            source.add(f"{value} = MISSING")
        empty = source.constant("")
        with source.block(f"elif {' or '.join(f'{one} is None or {one} == {empty}' for one in found)}:"):
            source.add(f"{value} = None")
        with source.block("else:"):
            if held.codec is not None and write_joining(source, value, held.codec, found):
                return True
            source.add(f"{value} = [{', '.join(found)}]")
        return False

    def _join(self, held: Joined, value: str) -> None:
        """Write what fields above make."""
        source, names = self._source, self._names()
        found = [self._field(names, keys) for keys in held.names]
        with source.block(f"if {' or '.join(f'{one} is MISSING or {one} is None' for one in found)}:"):
            source.add(f"{value} = MISSING")
        with source.block("else:"):
            if write_joining(source, value, held.codec, found):
                return
            source.add(f"{value} = [{', '.join(found)}]")
            write_decoding(source, value, held.codec, lambda: names.scope(held.codec.uses))

    def _field(self, names: Names, keys: tuple[str, ...]) -> str:
        return names.chain((FIELDS, *keys))

    def _embed(self, held: Embedded, value: str, *, always: bool) -> None:
        """Write an object that another record reads; of PHP an empty one is a list."""
        source = self._source
        source.add(f"{value} = {self._paths.read(held.path, _ROW, always=always)}")
        with source.block(f"if {value}.__class__ is dict:"):
            source.add(f"{value} = {self._inner(source, held.record)}({value}, scope)")
            source.stop_where(f"{value} is STOP")
        with source.block(f"elif {value} == []:"):
            source.add(f"{value} = None")
        with source.block(f"elif {value} is not None and {value} is not MISSING:"):
            source.add("return STOP")

    def _embedded_rows(self, held: EmbeddedRows, value: str, *, always: bool) -> None:
        """Write a list of objects that another record reads."""
        source, level = self._source, held.levels[0]
        rows, element, made = source.name("rows"), source.name("row"), source.name("made")
        read = self._inner(source, held.record)
        if held.named:
            # The names that templates of a level see are those of the lines above, too: the evaluator walks them.
            walked, names = source.bind("walk", walk), self._names().scope([("row",), (FIELDS,)])
            source.asked += 1
            source.add(f"{rows} = {walked}({source.bind('levels', held.levels)}, {_ROW}, {names})")
        else:
            source.add(f"{rows} = {self._paths.read(level.at, _ROW, always=always)}")
        source.add(f"{value} = {rows}")
        with source.block(f"if {rows}.__class__ is list:"):
            source.count(rows, MOST_ELEMENTS)
            source.add(f"{value} = []")
            with source.block(f"for {element} in {rows}:"):
                row = f"{{'row': {_ROW}, **{element}}}" if held.named else element
                source.add(f"{made} = {read}({row}, scope)")
                source.stop_where(f"{made} is STOP")
                source.add(f"{value}.append({made})")
        with source.block(f"elif {rows} is not None and {rows} is not MISSING:"):
            source.add("return STOP")

    def _group(self, group: Group) -> _Read:
        """Write an object of dotted names: without a member that it must have it is left out, or null."""
        source, value = self._source, self._source.name(group.name)
        members = [one for one in self._read if one.path[0] == group.name]
        inside = {one.path[1:]: one for one in members}
        needed = [inside[name,] for name in group.members if (name,) in inside]
        if any(len(path) > 1 for path in inside) or len(needed) < len(group.members):
            return self._deep_group(group, members, value)
        source.add(f"{value} = {{{', '.join(f'{source.constant(one.path[1])}: {one.value}' for one in members)}}}")
        for one in members:
            with source.block(f"if {one.value} is MISSING:"):
                source.add(f"del {value}[{source.constant(one.path[1])}]")
        lacking = " or ".join(f"{one.value} is None or {one.value} is MISSING" for one in needed)
        if not lacking:
            source.add(f"{value} = {value} or MISSING")
            if group.required is not None:
                source.stop_where(f"{value} is MISSING")
            return _Read((group.name,), value, misses=True)
        with source.block(f"if {lacking}:"):
            if group.required is not None:
                source.add("return STOP")
            else:
                known = " or ".join(f"{one.value} is None" for one in needed)
                source.add(f"{value} = None if {known} else MISSING")
        return _Read((group.name,), value, misses=group.required is None)

    def _deep_group(self, group: Group, members: list[_Read], value: str) -> _Read:
        """Write an object that has objects in it: by a function, which is rarely needed."""
        source = self._source
        pairs = ", ".join(f"({source.bind('keys', one.path[1:])}, {one.value})" for one in members)
        source.add(f"{value} = {source.bind('group', _complete(group))}([{pairs}])")
        source.stop_where(f"{value} is STOP")
        return _Read((group.name,), value, misses=True)


def _complete(group: Group) -> Callable[[list[tuple[tuple[str, ...], Json]]], Json]:
    """Give the function that makes the object of a group of its members, as far as they are there."""

    def made(members: list[tuple[tuple[str, ...], Json]]) -> Json:
        value: dict[str, Json] = {}
        for path, held in members:
            if held is not MISSING:
                put_at(value, path, held)
        if value and all(value.get(member) is not None for member in group.members):
            return value
        if group.required is not None:
            return STOP
        known = any(member in value and value[member] is None for member in group.members)
        return None if known else MISSING

    return made


def _looks_up_keys(line: FieldPlan) -> bool:
    """Whether a line begins with the look-up of a key in the row."""
    match line.source:
        case FromPath(paths=paths):
            pass
        case Embedded(path=path):
            paths = (path,)
        case _:
            return False
    return any(path.walk and isinstance(path.walk[0], str) for path in paths)
