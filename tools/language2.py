"""Rewrite mappings of language 1 in language 2: `python tools/language2.py FILE…`. It goes once it has done so.

Comments, order, style and layout stay: the places of PyYAML's nodes say where a word is exchanged, put or moved. A file
is a mapping, a file of examples, one of the tests' cases (whose marked columns move along), Python with mappings in its
texts, or Markdown with mappings in its fences.
"""

# ruff: noqa: INP001 - a script that is here for one commit

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Final, TypeAlias

import yaml

Node: TypeAlias = yaml.Node
Pair: TypeAlias = tuple[yaml.ScalarNode, yaml.Node]

WIDTH: Final = 150
"""Pairs that are gathered stand on one line up to this column."""

CALLED: Final = {"call": "call", "with": "tree"}
SENT: Final = dict.fromkeys(("query", "headers", "json", "form", "params"), "tree")
DONE: Final = {"take": "vars", "class": "rate_class"}
WORDS: Final[Mapping[str, Mapping[str, str]]] = {
    "file": {"auths": "auth_schemes", "trees": "fragments", "watch": "polling"},
    "http": {"rate": "rates", "at_once": "concurrency"},
    "record": {"nothing": "null_as"},
    "field": {"make": "compute"},
    "source": {"row": "record"},
    "operation": {**DONE, "loses": "partial", "gives": "result", "union": "result"},
    "native": DONE,
    "step": {"take": "vars", "make": "compute", "accept": "ignore_errors", "stays": "keep_on_failure"},
    "for_each": {"at_once": "concurrency"},
    "call": {"class": "rate_class"},
    "hook": {"row": "record", "untold": "omits", "asks": "requests"},
    "request": {"row": "record"},
    "bookings": {"absent": "missing"},
    "tree": {"$tree": "$fragment"},
    "example": {"asks": "requests"},
    "case": {"asks": "requests"},
}
"""Part → key of language 1 → its word in language 2."""
VALUES: Final[Mapping[tuple[str, str], Mapping[str, str]]] = {
    ("file", "kind"): {"aggregator": "marketplace"},
    ("bookings", "absent"): {"vanished": "cancelled", "nothing": "ignore"},
}
PARTS: Final[Mapping[str, Mapping[str, str]]] = {
    "file": {
        "auth": "auth",
        "auths": "*auth",
        "http": "http",
        "errors": "rule",
        "records": "*record",
        "trees": "*tree",
        "operations": "*operation",
        "native": "*native",
        "hooks": "*hook",
        "watch": "polling",
    },
    "auth": {**SENT, "session": "session"},
    "session": {"login": "call", "send": "reply"},
    "http": SENT,
    "rule": {"details": "tree"},
    "record": {"fields": "*field"},
    "field": {"make": "tree"},
    "operation": {
        "call": "call",
        "steps": "step",
        "errors": "rule",
        "union": "source",
        "gives": "step",
        "set": "tree",
        "filters": "tree",
        "choose": "operation",
    },
    "native": {"call": "call", "steps": "step", "errors": "rule"},
    "step": {
        **CALLED,
        "make": "tree",
        "for_each": "for_each",
        "refuse": "rule",
        "undo": "step",
        "recover": "step",
    },
    "call": {**SENT, "jsonrpc": "rpc"},
    "rpc": SENT,
    "reply": SENT,
    "hook": {
        "asks": "request",
        "fetch": "step",
        "reply": "reply",
        "replies": "*reply",
        "verify": "verify",
    },
    "request": {"with": "tree", "reply": "reply"},
    "verify": {"challenge": "reply"},
    "polling": {"bookings": "bookings"},
    "bookings": {"with": "tree"},
    "examples": {"examples": "example"},
    "example": {"exchanges": "exchange"},
    "exchange": {"request": "call"},
    "cases": {},
    "case": {
        **dict.fromkeys(("wrong", "right", "mapping", "played"), "file"),
        "exchanges": "exchange",
        "examples": "example",
    },
}
"""Part → key → what stands there: a part, or several in a list; with `*` such by name."""
GATHERED: Final[Mapping[str, Sequence[tuple[str, Mapping[str, str]]]]] = {
    "operation": [("result", {"at": "at", "rows": "rows", "row": "record", "find": "find"})],
    "native": [("result", {"at": "at"})],
    "call": [("jsonrpc", {"method": "method", "params": "params"})],
}
"""Part → a new key, and which keys go under it by which words."""


@dataclass
class Edit:
    """Something else for `text[start:end]`: texts, and spans of the text itself with the edits inside them."""

    start: int
    end: int
    content: list[str | tuple[int, int]]


@dataclass
class Edits:
    """All edits of a text, and what they make of it, character by character with the place each comes from."""

    text: str
    edits: list[Edit] = field(default_factory=list)

    def put(self, start: int, end: int, *content: str | tuple[int, int]) -> None:
        """Have a span exchanged."""
        self.edits.append(Edit(start, end, list(content)))

    def made(self) -> list[tuple[str, int]]:
        """Give the new text as characters and their places in the old one, -1 for what is new."""
        self.edits.sort(key=lambda one: (one.start, -one.end))
        return list(self._made(0, len(self.text), None))

    def _made(self, start: int, end: int, inside: Edit | None) -> Iterator[tuple[str, int]]:
        at = start
        for edit in self.edits:
            if edit is inside or edit.start < at or edit.end > end or edit.start < start:
                continue
            if inside is not None and (edit.start, edit.end) == (inside.start, inside.end):
                continue
            yield from ((self.text[one], one) for one in range(at, edit.start))
            for piece in edit.content:
                if isinstance(piece, str):
                    # The first character of a word that takes the place of another stands where that stood.
                    begins = edit.start if edit.end > edit.start and len(edit.content) == 1 else -1
                    yield from ((char, begins if index == 0 else -1) for index, char in enumerate(piece))
                else:
                    yield from self._made(*piece, edit)
            at = edit.end
        yield from ((self.text[one], one) for one in range(at, end))


class Rewriter:
    """Finds the edits of one document."""

    def __init__(self, text: str) -> None:
        self.edits = Edits(text)
        self.text = text
        self.scalars: list[tuple[int, int]] = []

    def rewrite(self, node: Node, part: str) -> None:
        """Look at a node that is a part, or a list of such."""
        if isinstance(node, yaml.SequenceNode):
            for one in node.value:
                self.rewrite(one, part)
        elif isinstance(node, yaml.ScalarNode):
            self.scalars.append((node.start_mark.index, node.end_mark.index))
        elif isinstance(node, yaml.MappingNode):
            if part.startswith("*"):
                for key, value in node.value:
                    self.rewrite(key, "")
                    self.rewrite(value, part[1:])
            else:
                self._object(node, part)

    def _object(self, node: yaml.MappingNode, part: str) -> None:
        for new, keys in GATHERED.get(part, ()):
            pairs = [pair for pair in node.value if pair[0].value in keys]
            already = any(key.value == new for key, _ in node.value)
            if pairs and not already:
                self._gather(node, new, [(pair, keys[pair[0].value]) for pair in pairs])
        for key, value in node.value:
            self.rewrite(key, "")
            word = WORDS.get(part, {}).get(key.value)
            if part == "file" and key.value == "language" and value.value == "1":
                self._exchange(value, "2")
            if word is not None and not (part == "tree" and key.value != "$tree"):
                self._exchange(key, word)
            other = VALUES.get((part, key.value), {})
            if isinstance(value, yaml.ScalarNode) and value.value in other:
                self._exchange(value, other[value.value])
            inner = "tree" if part == "tree" else PARTS.get(part, {}).get(key.value, "")
            self.rewrite(value, inner)

    def _exchange(self, node: Node, word: str) -> None:
        self.edits.put(node.start_mark.index, node.end_mark.index, word)

    def _gather(self, node: yaml.MappingNode, new: str, pairs: Sequence[tuple[Pair, str]]) -> None:
        """Put pairs of an object under a new key, where the first of them stands."""
        for (key, _), word in pairs:
            if key.value != word:
                self._exchange(key, word)
        order = [pair for pair, _ in pairs]
        if node.flow_style:
            self._gather_flow(node, new, order)
        else:
            self._gather_block(node, new, order)

    def _gather_flow(self, node: yaml.MappingNode, new: str, pairs: Sequence[Pair]) -> None:
        first, *others = pairs
        begin, end = first[0].start_mark.index, first[1].end_mark.index
        content: list[str | tuple[int, int]] = [new + ": {", (begin, end)]
        at = node.value.index(first)
        for pair in others:
            before = node.value[node.value.index(pair) - 1]
            if node.value.index(pair) == at + 1:
                content[-1] = (content[-1][0], pair[1].end_mark.index)  # type: ignore[list-item]
                end, at = pair[1].end_mark.index, at + 1
            else:
                content += [", ", (pair[0].start_mark.index, pair[1].end_mark.index)]
                self.edits.put(before[1].end_mark.index, pair[1].end_mark.index)
        self.edits.put(begin, end, *content, "}")

    def _gather_block(self, node: yaml.MappingNode, new: str, pairs: Sequence[Pair]) -> None:
        """Of a block: on one line where there is room and no comment inside, else a block of its own."""
        indent = " " * node.start_mark.column
        spans = [self._lines(pair) for pair in pairs]
        texts = [self.text[start:end].rstrip("\n") for start, end in spans]
        first = pairs[0][0].start_mark.index
        inline = all("\n" not in text for text in texts) and all(
            not self._comment(pair, end) for pair, (_, end) in zip(pairs[:-1], spans[:-1], strict=True)
        )
        wide = len(indent) + len(new) + 4 + sum(p[1].end_mark.index - p[0].start_mark.index + 3 for p in pairs)
        content: list[str | tuple[int, int]] = [new, ": {" if inline and wide <= WIDTH else f":\n{indent}  "]
        flat = content[1] == ": {"
        for index, (pair, span) in enumerate(zip(pairs, spans, strict=True)):
            last = index == len(pairs) - 1
            if flat:
                self._quote(pair[1])
                content += [(pair[0].start_mark.index, pair[1].end_mark.index), "}" if last else ", "]
                content += [(pair[1].end_mark.index, span[1])] if last else []
            else:
                content += ["" if index == 0 else f"{indent}  ", (pair[0].start_mark.index, span[1])]
                self._indent(pair[0].start_mark.index, span[1])
            if index > 0 and span[0] != spans[index - 1][1]:
                self.edits.put(*span)
        end = next((a[1] for a, b in pairwise(spans) if b[0] != a[1]), spans[-1][1])
        self.edits.put(first, end, *content)

    def _quote(self, node: Node) -> None:
        """Quote a plain text that would not be one between braces."""
        if isinstance(node, yaml.ScalarNode) and not node.style and re.search(r"[][{},]", node.value):
            quote = "'" if '"' in node.value or "\\" in node.value else '"'
            self._exchange(node, f"{quote}{node.value}{quote}")

    def _lines(self, pair: Pair) -> tuple[int, int]:
        """Give the span of a pair of a block, with its comment, up to and with the end of its last line."""
        start = self.text.rfind("\n", 0, pair[0].start_mark.index) + 1
        last = len(self.text[: _end(pair[1])].rstrip())
        end = self.text.find("\n", last)
        if self.text[start : pair[0].start_mark.index].strip():  # behind the dash of a list
            start = pair[0].start_mark.index
        return start, len(self.text) if end == -1 else end + 1

    def _comment(self, pair: Pair, end: int) -> bool:
        return "#" in self.text[pair[1].end_mark.index : end]

    def _indent(self, start: int, end: int) -> None:
        """Put two blanks before each further line of a span."""
        for found in re.finditer(r"\n(?=[^\n])", self.text[start : end - 1]):
            at = start + found.end()
            self.edits.put(at, at, "  ")


def _end(node: Node) -> int:
    """Give where a node ends: that of a block ends with its last scalar, before the comments behind it."""
    while not isinstance(node, yaml.ScalarNode) and not node.flow_style:
        node = node.value[-1][1] if isinstance(node, yaml.MappingNode) else node.value[-1]
    return node.end_mark.index


def aligned(made: list[tuple[str, int]], old: str, scalars: Sequence[tuple[int, int]]) -> list[tuple[str, int]]:
    """Leave comments behind a line in the column in which they stood, where there is room."""
    inside = {at for start, end in scalars for at in range(start, end)}
    found: list[tuple[str, int]] = []
    line: list[tuple[str, int]] = []
    for char in [*made, ("\n", -2)]:
        line.append(char)
        if char[0] == "\n":
            found += _aligned_line(line, old, inside)
            line = []
    return found[:-1]


def _aligned_line(line: list[tuple[str, int]], old: str, inside: set[int]) -> list[tuple[str, int]]:
    for column, (char, place) in enumerate(line):
        if char == "#" and place > 0 and place not in inside and old[place - 1] in " \n":
            wanted = place - (old.rfind("\n", 0, place) + 1)
            code = len("".join(one for one, _ in line[:column]).rstrip())
            gap = wanted - len(old[wanted and place - wanted : place].rstrip())
            if code == 0 or gap <= 1:
                return line
            room = max(wanted - code, 2)
            return [*line[:code], *[(" ", -1)] * room, *line[column:]]
    return line


_MARK: Final = re.compile(r"#[!?] (\d+) [a-z-]+ ")


def marked(made: list[tuple[str, int]], old: str) -> tuple[str, list[str]]:
    """Move the columns that the tests' cases mark behind their lines; what stands on another line now is told."""
    where = {place: index for index, (_, place) in enumerate(made) if place >= 0}
    text = "".join(char for char, _ in made)
    edits, told = [], []
    for found in _MARK.finditer(old):
        begin = old.rfind("\n", 0, found.start()) + 1
        place = begin + int(found[1]) - 1
        comment, there = where.get(found.start()), where.get(place)
        number = old.count("\n", 0, place) + 1
        if comment is None or there is None:
            told.append(f"line {number}: `{found[0]}` has gone")
            continue
        starts = text.rfind("\n", 0, comment) + 1
        if there < starts or there > comment:
            told.append(f"line {number}: `{found[0]}` stands on another line now")
            continue
        edits.append((where[found.start(1)], len(found[1]), str(there - starts + 1)))
    for at, length, column in reversed(edits):
        text = text[:at] + column + text[at + length :]
    return text, told


def rewritten(text: str, part: str) -> tuple[str, list[str]]:
    """Give a YAML text in language 2, and what is to be seen to by hand."""
    node = yaml.compose(text, Loader=yaml.CSafeLoader)
    if node is None:
        return text, []
    rewriter = Rewriter(text)
    rewriter.rewrite(node, part)
    made = aligned(rewriter.edits.made(), text, rewriter.scalars)
    return marked(made, text) if part == "case" else ("".join(char for char, _ in made), [])


_KEYS: Final = frozenset(PARTS["file"]) | {"language", "provider", "title", "kind", "settings", "codecs", "unsupported"}
_OPERATION: Final = frozenset(WORDS["operation"]) | frozenset(PARTS["operation"]) | {"at", "rows", "row", "unsupported"}
_CALL: Final = frozenset(SENT) | {"post", "method", "whole", "keep", "complete", "success"}


def part_of(text: str) -> str | None:
    """Guess what a piece of YAML is: a mapping or a piece of one; None where it is something else."""
    try:
        node = yaml.compose(text, Loader=yaml.CSafeLoader)
    except yaml.YAMLError:
        return None
    keys = {str(key.value) for key, _ in node.value} if isinstance(node, yaml.MappingNode) else set[str]()
    if "examples" in keys:
        return "examples"
    if keys and keys <= _KEYS:
        return "file"
    if {"method", "params"} <= keys <= _CALL:
        return "call"
    return "operation" if keys & {"call", "steps"} and keys <= _OPERATION else None


def python(text: str) -> tuple[str, list[str]]:
    """Rewrite the mappings in the plain texts of Python; what has escapes, or is put together, is told."""
    starts = [0]
    for line in text.splitlines(keepends=True):
        starts.append(starts[-1] + len(line.encode()))
    raw = text.encode()
    told, edits = [], []
    for node in ast.walk(ast.parse(text)):
        if not (isinstance(node, ast.Constant) and isinstance(node.value, str) and ":" in node.value):
            continue
        begin = starts[node.lineno - 1] + node.col_offset
        end = starts[(node.end_lineno or 0) - 1] + (node.end_col_offset or 0)
        source = raw[begin:end].decode()
        part = part_of(node.value.replace("%s", "xs"))
        if part is None:
            continue
        new = rewritten(node.value.replace("%s", "xs"), part)[0]
        new = new.replace("xs", "%s") if "%s" in node.value else new
        if new == node.value:
            continue
        if source.count(node.value) == 1:
            edits.append((begin, end, source.replace(node.value, new)))
        else:
            told.append(f"line {node.lineno}: {node.value[:60]!r} is written with escapes or in parts")
    for begin, end, source in sorted(edits, reverse=True):
        raw = raw[:begin] + source.encode() + raw[end:]
    return raw.decode(), told


def markdown(text: str) -> tuple[str, list[str]]:
    """Rewrite the mappings in fences of YAML."""

    def fence(found: re.Match[str]) -> str:
        part = part_of(found[2])
        return found[1] + (rewritten(found[2], part)[0] if part else found[2]) + found[3]

    return re.sub(r"(?ms)^(```yaml[^\n]*\n)(.*?)(^```)", fence, text), []


def rewrite(path: Path) -> list[str]:
    """Rewrite a file, and give what is to be seen to by hand."""
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".py":
        new, told = python(text)
    elif path.suffix == ".md":
        new, told = markdown(text)
    else:
        kind = "case" if "cases" in path.parts else "examples" if "\nexamples:" in text else "file"
        new, told = rewritten(text, kind)
    if new != text:
        path.write_text(new, encoding="utf-8")
    return [f"{path}: {one}" for one in told]


if __name__ == "__main__":
    for name in sys.argv[1:]:
        for message in rewrite(Path(name)):
            sys.stdout.write(f"{message}\n")
