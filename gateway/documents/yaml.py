"""Strict YAML with positions → Document, and Findings: what is wrong with a file, and how a list of that is shown.

YAML is cut down to JSON's values, so that no text changes its type on the way in. Nothing here knows what a file means,
opens a connection or reads the environment. The parser's events come from libyaml and are composed here, because
libyaml's own composer recurses in C until the process dies.
"""

from __future__ import annotations

import difflib
import json
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from itertools import groupby, islice
from pathlib import Path
from typing import TypeAlias

import yaml

from gateway.documents.finding_kinds import ERROR, KINDS
from gateway.values.messages import Json
from gateway.values.strictjson import MAX_DEPTH, JsonRefused, read_float, read_integer

MAX_BYTES = 1 << 20
"""Size cap of one YAML file."""

Place: TypeAlias = tuple[str | int, ...]
"""Where a value stands in a document: keys and list indexes from the root."""

_INTEGER = re.compile(r"-?(?:0|[1-9][0-9]*)")
_FLOAT = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")
_NOT_A_NUMBER = re.compile(r"[-+]?\.(?:inf|nan)", re.IGNORECASE)
_WORDS: Mapping[str, Json] = {"null": None, "": None, "true": True, "false": False}
# YAML 1.2 §5.1 less the characters an editor does not show: C1 controls, line and paragraph separators, inner BOMs.
_UNPRINTABLE = re.compile(
    "\r(?!\n)|[^\t\n\r\x20-\x7e\xa0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]"
)
_SHOWN_UNPRINTABLE = 10
_LONGEST_GUESS = 100

# libyaml's wording, and ours.
_SYNTAX: Mapping[str, str] = {
    "mapping values are not allowed in this context": "a `:` cannot stand here; indent the line or quote the text",
    "found character that cannot start any token": "no value begins like this; tabs do not indent, @ ` % need quotes",
    "did not find expected key": "this does not fit the mapping around it; check indentation and quotes",
    "did not find expected '-' indicator": "the line does not belong to the list above it; check the indentation",
    "did not find expected ',' or ']'": "a comma or the closing `]` is missing",
    "did not find expected ',' or '}'": "a comma or the closing `}` is missing",
    "did not find expected node content": "a value is missing here",
    "did not find expected <document start>": "this does not belong to what stands before it; check the indentation",
    "did not find expected alphabetic or numeric character": "no text begins with `*` or `&`; quote it",
    "block sequence entries are not allowed in this context": "a list begins on a line of its own",
    "found unexpected end of stream": "the closing quote is missing",
    "could not find expected ':'": "a key must be followed by `:`",
    "found unknown escape character": "unknown escape after `\\`; single quotes take a backslash as it is",
    "found invalid Unicode character escape code": "the escape names no Unicode character",
}


@dataclass(frozen=True, slots=True, order=True)
class Finding:
    """Something wrong (`error`) or doubtful (`warning`) at a place of a file. Line and column count from 1.

    `code` is stable kebab-case for scripts, `message` is for people; the level is that of the code. Sorted by place.
    """

    file: str
    line: int
    column: int
    level: str = field(init=False)
    code: str
    message: str

    def __post_init__(self) -> None:
        if self.code not in KINDS:
            raise AssertionError(f"`{self.code}` is not in the table of gateway/documents/finding_kinds.py")
        object.__setattr__(self, "level", KINDS[self.code].level)

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}: {self.level} {self.code}: {_visible(self.message)}"


@dataclass(frozen=True, slots=True)
class Document:
    """A file that was read: its data, and the 1-based (line, column) of every value and of every key."""

    path: str
    data: Json = field(repr=False)  # people write keys and passwords into files
    values: Mapping[Place, tuple[int, int]] = field(repr=False)
    keys: Mapping[Place, tuple[int, int]] = field(repr=False)

    def place(self, place: Place, *, key: bool = False) -> tuple[int, int]:
        """Line and column of the value (or of its key) at `place`; of its nearest ancestor where nothing stands."""
        first, second = (self.keys, self.values) if key else (self.values, self.keys)
        while place and place not in first and place not in second:
            place = place[:-1]
        return first[place] if place in first else second[place]

    def finding(self, place: Place, code: str, message: str, *, key: bool = False) -> Finding:
        """Make a Finding at `place`, positioned as by `Document.place`."""
        line, column = self.place(place, key=key)
        return Finding(self.path, line, column, code, message)

    def origin(self, place: Place) -> str:
        """Give `file:line` of the key at `place`, for error messages at run time."""
        return f"{self.path}:{self.place(place, key=True)[0]}"


def read(path: Path, shown: str | None = None) -> tuple[Document | None, list[Finding]]:
    """Read a YAML file; one that cannot be opened is a Finding as well. `shown` names it in messages."""
    name = shown or str(path)
    try:
        with path.open("rb") as file:
            text = file.read(MAX_BYTES + 1)
    except OSError as error:
        return None, [Finding(name, 1, 1, "unreadable", f"cannot be read: {error.strerror}")]
    return parse(text, name)


def parse(text: bytes, path: str) -> tuple[Document | None, list[Finding]]:
    """Parse YAML; the Document is None exactly when there are findings, and the findings are all that can be told."""
    plain, findings = _decode(text, path)
    if plain is None:
        return None, findings
    composer = _Composer(path, yaml.parse(plain, Loader=yaml.CSafeLoader))
    try:
        data = composer.compose()
    except yaml.MarkedYAMLError as error:
        composer.syntax(error)
    except _TooDeep as error:
        composer.refuse(error.event, "too-deep", f"nested deeper than {MAX_DEPTH} levels")
    if composer.findings:
        return None, composer.findings
    return Document(path, data, composer.values, composer.keys), []


def _decode(text: bytes, path: str) -> tuple[str | None, list[Finding]]:
    """Bytes → text, or what is wrong with the bytes before any YAML is looked at."""

    def at(before: str, code: str, message: str) -> Finding:
        return Finding(path, before.count("\n") + 1, len(before) - before.rfind("\n"), code, message)

    if len(text) > MAX_BYTES:
        return None, [at("", "too-large", f"larger than {MAX_BYTES} bytes")]
    if text.startswith((b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")):
        return None, [at("", "byte-order-mark", "begins with a byte order mark; save it as UTF-8 without one")]
    try:
        plain = text.decode()
    except UnicodeDecodeError as error:
        return None, [at(text[: error.start].decode(), "not-utf-8", "this byte is not UTF-8")]
    findings = [
        at(plain[: hit.start()], "control-character", f"contains {hit[0]!a}, which no editor shows")
        for hit in islice(_UNPRINTABLE.finditer(plain), _SHOWN_UNPRINTABLE)
    ]
    return (None, findings) if findings else (plain, [])


class _TooDeep(Exception):
    """The document nests deeper than is read."""

    def __init__(self, event: yaml.Event) -> None:
        super().__init__()
        self.event = event


class _Composer:
    """Builds the data from the parser's events, noting every position and everything refused on the way."""

    def __init__(self, path: str, events: Iterator[yaml.Event]) -> None:
        self.path = path
        self.events = events
        self.findings: list[Finding] = []
        self.values: dict[Place, tuple[int, int]] = {}
        self.keys: dict[Place, tuple[int, int]] = {}

    def compose(self) -> Json:
        """Read the one document of the stream."""
        data: Json = None
        documents = 0
        for event in self.events:
            if isinstance(event, yaml.DocumentStartEvent):
                documents += 1
                if documents > 1:
                    self.refuse(event, "several-documents", "one file holds one document; remove the second `---`")
                    break
                if event.version or event.tags:
                    self.refuse(event, "directive", "directives (`%YAML`, `%TAG`) are not taken")
                data = self.value(next(self.events), ())
        if data is None and not self.findings:
            self.findings.append(Finding(self.path, 1, 1, "empty", "there is nothing in it"))
        return data

    def value(self, event: yaml.Event, place: Place) -> Json:
        """Compose the value that begins with `event`."""
        self.values[place] = _position(event.start_mark)
        if isinstance(event, yaml.AliasEvent):
            self.refuse(event, "alias", f"the alias `*{event.anchor}` is not taken; write the value out")
            return None
        if isinstance(event, yaml.ScalarEvent | yaml.CollectionStartEvent):
            self.extras(event)
        if isinstance(event, yaml.ScalarEvent):
            return self.scalar(event)
        if len(place) >= MAX_DEPTH:
            raise _TooDeep(event)
        return self.sequence(place) if isinstance(event, yaml.SequenceStartEvent) else self.mapping(place)

    def extras(self, event: yaml.ScalarEvent | yaml.CollectionStartEvent) -> None:
        """Refuse what YAML hangs on a value: anchors and tags."""
        if event.anchor is not None:
            self.refuse(event, "anchor", f"the anchor `&{event.anchor}` is not taken; write the value out where needed")
        if event.tag is not None:
            self.refuse(event, "tag", f"the tag `{event.tag}` is not taken; quote a text, write a number plainly")

    def scalar(self, event: yaml.ScalarEvent) -> Json:
        """Resolve a plain scalar by JSON's grammar; anything quoted, or anything else, is text."""
        text = event.value
        if not _plain(event):
            return text
        if text in _WORDS:
            return _WORDS[text]
        try:
            if _INTEGER.fullmatch(text):
                return read_integer(text)
            if _FLOAT.fullmatch(text):
                return read_float(text)
        except JsonRefused as refusal:
            self.refuse(event, "number", refusal.reason)
        if _NOT_A_NUMBER.fullmatch(text):
            self.refuse(event, "number", f"`{text}` is not a number; quote it if it is meant as text")
        return text

    def sequence(self, place: Place) -> list[Json]:
        """Compose the elements up to the end of the list."""
        data: list[Json] = []
        while not isinstance(event := next(self.events), yaml.SequenceEndEvent):
            data.append(self.value(event, (*place, len(data))))
        return data

    def mapping(self, place: Place) -> dict[str, Json]:
        """Compose the pairs up to the end of the mapping; of a repeated key the first stays."""
        data: dict[str, Json] = {}
        while not isinstance(event := next(self.events), yaml.MappingEndEvent):
            key = self.key(event, place)
            if key is None:
                self.value(next(self.events), (*place, ""))
                continue
            inner = (*place, key)
            if key in data:
                self.refuse(event, "duplicate-key", f"`{key}` is already at line {self.keys[inner][0]}")
            self.keys.setdefault(inner, _position(event.start_mark))
            data.setdefault(key, self.value(next(self.events), inner))
        return data

    def key(self, event: yaml.Event, place: Place) -> str | None:
        """Read one key, which must be text as it stands; None for one that has no text at all."""
        if not isinstance(event, yaml.ScalarEvent):
            self.value(event, (*place, ""))
            self.refuse(event, "key-not-text", 'a key must be text; a template stands in quotes: "{{ … }}"')
            return None
        self.extras(event)
        name: str = event.value
        if not _plain(event):
            return name
        if name == "<<":
            self.refuse(event, "merge-key", "merge keys (`<<`) are not taken; write the keys out")
        elif not isinstance(self.scalar(event), str):
            message = f"`{name}` as a key must be text: quote it" if name else "the key before `:` is missing"
            self.refuse(event, "key-not-text", message)
        return name

    def refuse(self, event: yaml.Event, code: str, message: str) -> None:
        """Note an error where `event` begins."""
        self.findings.append(Finding(self.path, *_position(event.start_mark), code, message))

    def syntax(self, error: yaml.MarkedYAMLError) -> None:
        """Note what the parser stumbled over, in plain words."""
        problem = error.problem or "not YAML"
        message = _SYNTAX.get(problem, problem)
        line, column = _position(error.problem_mark)
        begun, _ = _position(error.context_mark or error.problem_mark)
        if begun != line:
            message += f" (begun at line {begun})"
        self.findings.append(Finding(self.path, line, column, "syntax", message))


def _plain(event: yaml.ScalarEvent) -> bool:
    """Tell whether a scalar stands without quotes and is no block of text."""
    return not event.style


def _position(mark: yaml.error.Mark | yaml._yaml.Mark | None) -> tuple[int, int]:
    """Count from 1, as editors do; what has no mark concerns the file as a whole."""
    return (mark.line + 1, mark.column + 1) if mark is not None else (1, 1)


def suggestion(name: str, known: Iterable[str]) -> str:
    """Complete a message about an unknown name: `; did you mean …?`, or nothing when none comes near."""
    near = difflib.get_close_matches(name[:_LONGEST_GUESS], list(known), n=1)
    return f"; did you mean `{near[0]}`?" if near else ""


def show(findings: Sequence[Finding], form: str) -> str:
    """Write findings in order of place: `text` for people, `json` for programs, `github` as workflow commands."""
    return FORMS[form](sorted(findings))


def _visible(text: str) -> str:
    """Escape control characters, so that a quoted key can neither break the line nor drive a terminal."""
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in text)


def _as_text(findings: Sequence[Finding]) -> str:
    """Write each finding in a line; what only follows from the errors of a file is counted behind them."""
    wrong = {one.file for one in findings if one.level == ERROR and not _may_follow(one)}
    following = [one for one in findings if one.file in wrong and _may_follow(one)]
    lines = [str(one) for one in findings if one not in following]
    for file, those in groupby(following, lambda one: one.file):
        codes = Counter(one.code for one in those)
        told = ", ".join(f"{count} {code}" for code, count in codes.items())
        lines.append(f"{file}: {codes.total()} more that may follow from these errors ({told}): mend them, check again")
    return "\n".join(lines)


def _may_follow(finding: Finding) -> bool:
    """Tell whether an error elsewhere may be the cause: what a wrong part would have used looks unused."""
    return finding.code.startswith("unused-") or finding.code.endswith("-not-mapped")


def _as_json(findings: Sequence[Finding]) -> str:
    return json.dumps([asdict(finding) for finding in findings], ensure_ascii=False, indent=2)


def _as_github(findings: Sequence[Finding]) -> str:
    def escaped(text: str) -> str:
        return _visible(text).replace("%", "%25").replace(":", "%3A").replace(",", "%2C")

    return "\n".join(
        f"::{one.level} file={escaped(one.file)},line={one.line},col={one.column},title={one.code}"
        f"::{escaped(one.message)}"
        for one in findings
    )


FORMS: Mapping[str, Callable[[Sequence[Finding]], str]] = {"text": _as_text, "json": _as_json, "github": _as_github}
"""The forms `show` can write."""
