"""XML (1.0) as plain data, by one convention both ways.

An element is its text; one with attributes or elements inside is an object of `@attribute`, elements by name, and
`#text` where it has text besides. Text of white space alone is none, all other text stays as it is. An element whose
name is among `lists` is a list of such, however many there are, and what else is read twice is refused: no answer
changes its shape by how much it holds. With `namespaces` a name has the mapping's own prefix, whatever prefix the
provider chose, and what is in no declared namespace is `{address}name`; without them names are read bare. Attributes
of namespaces that are not declared are left out. Comments and processing instructions are nothing.

A document type is refused, and with it every entity that a document could declare (XML bombs, files of the machine).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final
from xml.parsers import expat
from xml.sax.saxutils import escape, quoteattr

from gateway.computation.threads import checkpoint
from gateway.dialects.refusal import NotWritable, plain
from gateway.values.messages import Json
from gateway.values.strictjson import MAX_DEPTH, Unreadable

MOST_ELEMENTS: Final = 200_000
_PIECE: Final = 64 * 1024
"""Bytes that are parsed in one step: each holds the interpreter."""
_LONGEST_NAME: Final = 100
NAME: Final = re.compile(r"@?(?:([^\W\d][\w.-]*):)?[^\W\d][\w.-]*")
"""A name with its prefix; with `@` that of an attribute."""
_OF_XML: Final = "http://www.w3.org/XML/1998/namespace"


@dataclass(frozen=True, slots=True)
class XmlForm:
    """How XML is read and written: prefix → namespace, names that are lists, and names whose text is another form.

    A name of `lists` may be `parent/name`; it is a list in each such parent then, an empty one where there is none.
    """

    namespaces: Mapping[str, str] = field(default_factory=dict)
    lists: frozenset[str] = frozenset()
    holds: Mapping[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class _Element:
    """An element that is open."""

    name: str
    content: dict[str, Json]
    text: list[str] = field(default_factory=list)


@dataclass(slots=True)
class _Reader:
    """What is read of a document so far, and what is open."""

    form: XmlForm
    holders: Mapping[str, Callable[[str], Json]]
    prefixes: dict[str, str] = field(init=False)
    always: dict[str, list[str]] = field(default_factory=dict)
    """Parent → names that are a list in it, there or not."""
    open: list[_Element] = field(default_factory=list)
    elements: int = 0
    root: dict[str, Json] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.prefixes = {address: prefix for prefix, address in self.form.namespaces.items()}
        for one in self.form.lists:
            parent, slash, name = one.rpartition("/")
            if slash:
                self.always.setdefault(parent, []).append(name)

    def refuse_type(self, *_told: object) -> None:
        """Refuse a document type."""
        raise Unreadable("has a document type, which is not read")

    def begin(self, told: str, attributes: Mapping[str, str]) -> None:
        """Open an element."""
        self.elements += 1
        if self.elements > MOST_ELEMENTS:
            raise Unreadable(f"has more than {MOST_ELEMENTS:,} elements")
        if len(self.open) >= MAX_DEPTH:
            raise Unreadable(f"is nested deeper than {MAX_DEPTH} levels")
        name = self._name(told)
        content: dict[str, Json] = {one: [] for one in self.always.get(name, ())}
        for key, value in attributes.items():
            attribute = self._attribute(key)
            if attribute is not None:
                content[attribute] = value
        self.open.append(_Element(name, content))

    def take(self, text: str) -> None:
        """Take up text of the innermost element."""
        self.open[-1].text.append(text)

    def end(self, _told: str) -> None:
        """Close the innermost element."""
        element = self.open.pop()
        text = "".join(element.text)
        if not text.strip():
            text = ""
        value: Json = self._hold(element.name, text)
        if element.content:
            value = {**element.content, "#text": value} if text else element.content
        parent = self.open[-1] if self.open else None
        self._put(parent.content if parent is not None else self.root, parent, element.name, value)

    def _hold(self, name: str, text: str) -> Json:
        form = self.form.holds.get(name)
        if form is None or not text:
            return text
        try:
            return self.holders[form](text)
        except Unreadable as refused:
            raise Unreadable(f"has in `{name}` what {refused.reason}") from None

    def _put(self, held: dict[str, Json], parent: _Element | None, name: str, value: Json) -> None:
        within = f"{parent.name}/{name}" if parent is not None else name
        if name in self.form.lists or within in self.form.lists:
            held.setdefault(name, []).append(value)
        elif name in held:
            raise Unreadable(f"has `{_show(within)}` several times: name it under `lists:` of `reading:`")
        else:
            held[name] = value

    def _name(self, told: str) -> str:
        address, space, name = told.rpartition(" ")
        if not self.form.namespaces:
            return name
        if not space:
            return name if "" not in self.prefixes.values() else f"{{}}{name}"
        prefix = self.prefixes.get(address)
        return f"{{{address}}}{name}" if prefix is None else f"{prefix}:{name}" if prefix else name

    def _attribute(self, told: str) -> str | None:
        address, space, name = told.rpartition(" ")
        if not space:
            return f"@{name}"
        prefix = self.prefixes.get(address)
        return f"@{prefix}:{name}" if prefix else None


def read_xml(
    body: bytes, charset: str | None, form: XmlForm, holders: Mapping[str, Callable[[str], Json]] | None = None
) -> dict[str, Json]:
    """Read a document as an object with its root. Raises Unreadable.

    `charset` is the one that the message declares, which comes before the document's own (RFC 7303, section 3).
    `holders` read the texts that `form.holds` names, by the name of their form.
    """
    reader = _Reader(form, holders or {})
    parser = expat.ParserCreate(charset, " ")
    parser.buffer_text = True
    parser.StartDoctypeDeclHandler = reader.refuse_type
    parser.StartElementHandler = reader.begin
    parser.EndElementHandler = reader.end
    parser.CharacterDataHandler = reader.take
    try:
        for begin in range(0, len(body), _PIECE):
            parser.Parse(body[begin : begin + _PIECE], False)
            checkpoint()
        parser.Parse(b"", True)
    except expat.ExpatError as error:
        raise Unreadable(f"is not XML at line {error.lineno}: {expat.ErrorString(error.code)}") from None
    except LookupError:
        raise Unreadable(
            "declares a character set that the gateway does not know; UTF-8 is understood everywhere"
        ) from None
    return reader.root


def _show(name: str) -> str:
    return "".join(one for one in name if one.isprintable())[:_LONGEST_NAME]


def write_xml(tree: Json, form: XmlForm) -> bytes:
    """Write an object with one member, the root, as UTF-8; what is a list there is that many elements.

    Raises NotWritable for what is no such object, for a name that is none or has an undeclared prefix, and for values
    that are neither text nor numbers.
    """
    if not isinstance(tree, dict) or len(tree) != 1:
        raise NotWritable("has not one root: an object with one member is needed")
    used: set[str] = set()
    (name, value), written = next(iter(tree.items())), list[str]()
    if isinstance(value, list) or not NAME.fullmatch(name) or name.startswith("@"):
        raise NotWritable("has not one root: an object with one member, which is an element, is needed")
    _write(name, value, form, used, written)
    spaces = "".join(
        f" {'xmlns:' if prefix else 'xmlns'}{prefix}={quoteattr(form.namespaces[prefix])}"
        for prefix in form.namespaces
        if prefix in used
    )
    head = written[0]
    return (
        f'<?xml version="1.0" encoding="utf-8"?>\n<{name}{spaces}{head[len(name) + 1 :]}{"".join(written[1:])}'.encode()
    )


def _write(name: str, value: Json, form: XmlForm, used: set[str], written: list[str]) -> None:
    found = NAME.fullmatch(name)
    if found is None:
        raise NotWritable("has a name that XML does not allow")
    _space(found[1] or "", name, form, used)
    members = value if isinstance(value, dict) else {"#text": value}
    attributes = "".join(_written(key, one, form, used) for key, one in members.items() if key.startswith("@"))
    at = len(written)
    for key, one in members.items():
        if key == "#text":
            written.append(escape(plain(one, name), {"\r": "&#13;"}))
        elif not key.startswith("@"):
            for each in one if isinstance(one, list) else [one]:
                _write(key, each, form, used, written)
    inside = any(written[at:])
    written.insert(at, f"<{name}{attributes}>" if inside else f"<{name}{attributes}/>")
    if inside:
        written.append(f"</{name}>")


def _written(key: str, value: Json, form: XmlForm, used: set[str]) -> str:
    found = NAME.fullmatch(key)
    if found is None or key.startswith("@xmlns"):
        raise NotWritable("has an attribute of a name that XML does not allow, or one of `xmlns`: use `namespaces:`")
    if found[1]:
        _space(found[1], key, form, used)
    return f" {key[1:]}={quoteattr(plain(value, key))}"


def _space(prefix: str, name: str, form: XmlForm, used: set[str]) -> None:
    if prefix and prefix != "xml" and prefix not in form.namespaces:
        raise NotWritable(f"has the name `{_show(name)}`, whose prefix is not declared under `namespaces:`")
    used.add(prefix)


def undeclared(tree: Json, namespaces: Mapping[str, str]) -> list[str]:
    """Give the names of a written tree, as far as they stand there, that are none or have no declared prefix."""
    if isinstance(tree, list):
        return [name for one in tree for name in undeclared(one, namespaces)]
    wrong = []
    for name, inner in tree.items() if isinstance(tree, dict) else ():
        found = NAME.fullmatch(name)
        if name.startswith("$") or name == "#text":
            pass
        elif found is None or name.startswith("@xmlns") or (found[1] and found[1] not in {"xml", *namespaces}):
            wrong.append(name)
        wrong += undeclared(inner, namespaces)
    return wrong


def outline(body: bytes) -> Json:
    """Give a document element by element as it is written: name, attributes, text and what is inside, no namespaces.

    Raises Unreadable.
    """
    open_: list[dict[str, Json]] = [{"inside": []}]

    def begin(name: str, attributes: Mapping[str, str]) -> None:
        kept = {key: value for key, value in attributes.items() if not key.startswith("xmlns")}
        element: dict[str, Json] = {"name": name, "attributes": kept, "text": "", "inside": []}
        open_[-1]["inside"].append(element)
        open_.append(element)

    def take(text: str) -> None:
        open_[-1]["text"] += text

    parser = expat.ParserCreate()
    parser.StartDoctypeDeclHandler = _Reader(XmlForm(), {}).refuse_type
    parser.StartElementHandler = begin
    parser.EndElementHandler = lambda _name: open_.pop()
    parser.CharacterDataHandler = take
    try:
        parser.Parse(body, True)
    except expat.ExpatError as error:
        raise Unreadable(f"is not XML at line {error.lineno}: {expat.ErrorString(error.code)}") from None
    return open_[0]["inside"][0]


def written_outline(tree: Json) -> Json:
    """Give the outline of what a tree writes, whatever its prefixes stand for. Raises NotWritable."""
    prefixes = dict.fromkeys(name.lstrip("@").partition(":")[0] for name in undeclared(tree, {}) if ":" in name)
    return outline(write_xml(tree, XmlForm({prefix: prefix for prefix in prefixes})))
