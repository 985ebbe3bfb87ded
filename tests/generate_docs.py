"""Write the pages of docs/ that are made from the code: `python -m tests.generate_docs [--check]`.

With `--check` nothing is written, and a page that is not as it would be written is named; the exit status is then 1.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from jmespath.functions import Functions

from gateway.documents.finding_kinds import KINDS
from gateway.documents.parts import TREE, Part
from gateway.mapping.codecs import CODECS, CodecKind
from gateway.mapping.expressions.functions import FUNCTIONS, PATH_FUNCTIONS
from gateway.mapping.expressions.functions.kind import Function
from gateway.mapping.expressions.grammar import TESTS
from gateway.mapping.language import PARTS
from gateway.model.model import load
from tests.conformance_page import conformance
from tests.contract_page import contract
from tests.markdown import code, flow, row, table

DOCS = Path(__file__).parents[1] / "docs"
_KINDS = {"dict": "object", "list": "list", "string": "text", "boolean": "true or false"}
_KINDS |= {"integer": "whole number", "float": "number"}

PROSE = {
    "findings": """
What `gateway check`, `gateway serve` and every other verb can find wrong with a file. A finding is written
`file:line:column: level code: what is wrong`. The codes are stable, the words are for people. An error keeps the file
from being used; a warning does not, unless `--strict` is given.
""",
    "reference": """
Every key, part by part. How the parts work together is told in [the mapping language](language.md); the words of
templates and paths, and the codecs, are in [words and codecs](words-and-codecs.md), and what `gateway check` finds
wrong in [findings](findings.md).

A *path* is JMESPath and reads data; a *template* is Jinja2 between `{{` and `}}`; a *condition* is a template, or a
path on what is named; a *tree* is YAML whose texts are templates. Everything else is taken as it is written.
""",
    "functions": """
In a template a function is written `name(a, b)` or `a | name(b)`, in a path `name(a, b)`. A function takes exactly the
types it names; nothing is converted. `?` after a parameter says that it may be left out, and after what is given that
it may be missing: in a path that is null. `…` stands for one or more, `element` for whatever the list holds.
""",
    "codecs": """
`iso` is exact both ways. `lossy` drops what says nothing; what it writes is read back as the same. `one-way` only
reads. Options stand beside the name, or inside the object after it where the codec has no main value.
""",
    "errors": """
Every failure has one of these codes, under `error.code`; programs look at nothing else. *Again* says that the same call
may succeed later without a change. A code that is a form of another says the same more closely: where an error rule of
a mapping says `NOT_FOUND`, it becomes the operation's own form.
""",
}


def findings() -> Iterator[str]:
    """Give the page of finding codes."""
    yield "# Findings"
    yield ""
    yield from PROSE["findings"].strip().splitlines()
    for group in dict.fromkeys(kind.group for kind in KINDS.values()):
        yield from ["", f"## {group}", "", *table("code", "level", "what was found", "what to do")]
        for kind in KINDS.values():
            if kind.group == group:
                yield row(code(kind.code), kind.level, kind.meaning.replace("|", "\\|"), kind.fix.replace("|", "\\|"))


def form(rules: Mapping[str, Any]) -> str:
    """Say what a key takes, in words: its types, which language it is in, and what is needed of it."""
    types = rules["type"] if isinstance(rules["type"], list) else [rules["type"]]
    told = "any value" if set(TREE) <= set(types) else " or ".join(_KINDS[kind] for kind in types)
    takes = rules["meta"]["takes"]
    told += f", {takes}" if takes != "literal" else ""
    told += f" on the {rules['meta']['on']}" if "on" in rules["meta"] else ""
    if "allowed" in rules:
        told += f": {', '.join(map(code, rules['allowed']))}"
    told += " or null" if rules.get("nullable") else ""
    bounds = [f"{word} {rules[name]}" for name, word in _BOUNDS.items() if name in rules]
    told += f", {', '.join(bounds)}" if bounds else ""
    told += f", by default {code(flow(rules['default']))}" if "default" in rules else ""
    return told + (", **required**" if rules.get("required") else "")


_BOUNDS = {"min": "at least", "max": "at most", "minlength": "with a length of at least"}


def reference(parts: Mapping[str, Part] = PARTS) -> Iterator[str]:
    """Give the page of the mapping file's keys."""
    yield "# Keys of a mapping file"
    yield ""
    yield from PROSE["reference"].strip().splitlines()
    for name, part in parts.items():
        yield from ["", f"## {name}", "", f"{part.where[0].upper()}{part.where[1:]}.", ""]
        yield from table("key", "takes", "meaning", "example")
        for key, rules in part.keys.items():
            about = rules["meta"]
            yield row(code(key), form(rules), about["meaning"].replace("|", "\\|"), code(flow(about["example"])))


def words() -> Iterator[str]:
    """Give the page of words, functions of paths and codecs."""
    yield "# Words and codecs"
    yield ""
    yield "## Functions"
    yield ""
    yield from PROSE["functions"].strip().splitlines()
    yield ""
    yield from table("function", "in", "gives", "example", "result")
    for function in declared():
        languages = ", ".join(sorted(function.languages, reverse=True))
        yield row(
            code(function.signature),
            languages,
            function.meaning.replace("|", "\\|"),
            code(function.example),
            code(flow(function.result)),
        )
    yield from ["", f"In templates, after `is` may stand {', '.join(map(code, TESTS))}.", ""]
    inherited = ", ".join(code(name) for name in sorted(Functions.FUNCTION_TABLE.keys() - PATH_FUNCTIONS.keys()))
    yield from [f"In paths there are also JMESPath's own, as it specifies them: {inherited}.", "", "## Codecs", ""]
    yield from PROSE["codecs"].strip().splitlines()
    yield ""
    yield from table("codec", "law", "reads", "gives", "what it does", "example")
    for kind in CODECS.values():
        spec, provider, canonical = kind.example
        shown = f"{code(flow(spec))}: {code(flow(provider))} → {code(flow(canonical))}"
        yield row(code(kind.name), kind.law, kind.reads, kind.gives, kind.meaning, shown)
    yield ""
    yield from table("codec", "option", "meaning", "without it")
    for kind in CODECS.values():
        yield from options(kind)


def declared() -> Iterator[Function]:
    """Give every function once, whichever language it is in."""
    yield from FUNCTIONS.values()
    yield from (one for one in PATH_FUNCTIONS.values() if FUNCTIONS.get(one.name) is not one)


def options(kind: CodecKind) -> Iterator[str]:
    """Give the lines of a codec's main value and options."""
    if kind.main:
        yield row(code(kind.name), "", kind.main.replace("|", "\\|"), "it is refused")
    for option in kind.options:
        spelt = option.default if option.default.isascii() and option.default[:1].isalpha() else code(option.default)
        without = "it is refused" if option.required else spelt
        yield row(code(kind.name), code(option.name), option.meaning.replace("|", "\\|"), without)


def errors() -> Iterator[str]:
    """Give the page of error codes."""
    yield "# Error codes"
    yield ""
    yield from PROSE["errors"].strip().splitlines()
    yield ""
    yield from table("code", "status", "title", "meaning", "again", "form of")
    for error in load().errors.values():
        again, general = "yes" if error.retryable else "", code(error.form_of) if error.form_of else ""
        yield row(code(error.code), str(error.status), error.title, error.meaning, again, general)


PAGES = {
    "findings.md": findings,
    "mapping-reference.md": reference,
    "words-and-codecs.md": words,
    "errors.md": errors,
    "conformance.md": conformance,
    "contract.md": contract,
}
"""File in docs/ → its lines."""
_MADE = "<!-- Made by `make docs`: change the code it is made from, not this file. -->"


def pages() -> dict[str, str]:
    """Give every page as it should be."""
    return {name: "\n".join([_MADE, "", *lines(), ""]) for name, lines in PAGES.items()}


def main(arguments: Sequence[str]) -> int:
    """Write the pages, or with `--check` name those that are stale; return the exit status."""
    stale = []
    for name, text in pages().items():
        path = DOCS / name
        if path.is_file() and path.read_text(encoding="utf-8") == text:
            continue
        stale.append(name)
        if "--check" not in arguments:
            path.write_text(text, encoding="utf-8")
    said = "is stale: run make docs" if "--check" in arguments else "is written"
    for name in stale:
        sys.stdout.write(f"docs/{name} {said}\n")
    return 1 if stale and "--check" in arguments else 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
