"""Check README.md and docs: `python -m tests.docs_lint [FOLDER]`. Exit 1 with `file:line: message` lines.

Each ```yaml fence is parsed as strictly as a mapping, and compiled when it is a whole one (it says `language:`), unless
its fence says ```yaml fragment. Links inside the repository lead somewhere, and no line names a folder of one machine.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from gateway.documents.yaml import parse
from gateway.mapping.compile import compile_provider
from gateway.model.model import load

_FENCE = re.compile(r" *(`{3,}|~{3,}) *(.*)")
_HEADING = re.compile(r"#{1,6} +(.*?)(?: +#+)? *")
_LINK = re.compile(r"\]\(<?([^)\s>]+)>?(?: +\"[^\"]*\")?\)|^ *\[[^\]]+\]: +<?([^\s>]+)")
_CODE_SPAN = re.compile(r"(`+).+?\1")
_MACHINE_PATH = re.compile(r"(?<![\w.:/}-])(?:/(?:home|root|Users|work|mnt|private)/|[A-Za-z]:\\)")


@dataclass(frozen=True, slots=True)
class Line:
    """A line of prose or of a fence: `fence` is what the opening fence says, None for prose."""

    number: int
    text: str
    fence: str | None


def read(path: Path) -> list[Line]:
    """Give the lines of a file without the fences' own."""
    lines: list[Line] = []
    mark = fence = None
    for number, text in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        found = _FENCE.fullmatch(text)
        if found and mark is None:
            mark, fence = found[1], found[2].strip()
        elif found and mark is not None and found[1].startswith(mark) and not found[2]:
            mark = fence = None
        else:
            lines.append(Line(number, text, fence))
    return lines


def blocks(lines: Sequence[Line]) -> Iterator[list[Line]]:
    """Give the fenced blocks, each as its lines."""
    block: list[Line] = []
    for line in lines:
        if block and (line.fence is None or line.number != block[-1].number + 1):
            yield block
            block = []
        if line.fence is not None:
            block.append(line)
    if block:
        yield block


def check_yaml(block: Sequence[Line], shown: str) -> Iterator[str]:
    """Give what is wrong with a block of YAML, placed in the file around it."""
    words = (block[0].fence or "").split()
    if words[:1] != ["yaml"]:
        return
    # Empty lines stand for those before the fence, so that what the parser says has the file's own line numbers.
    text = "\n" * (block[0].number - 1) + "\n".join(line.text for line in block)
    document, findings = parse(text.encode(), shown)
    if document is not None and words == ["yaml"] and isinstance(document.data, dict) and "language" in document.data:
        findings += compile_provider(document, load())[1]
    yield from map(str, findings)


def anchors(path: Path) -> set[str]:
    """Give the names by which the headings of a file can be linked to, as GitHub makes them."""
    found: dict[str, int] = {}
    for line in read(path):
        heading = _HEADING.fullmatch(line.text)
        if heading and line.fence is None:
            name = re.sub(r"[^\w\- ]", "", heading[1].lower()).replace(" ", "-")
            found[name] = found.get(name, -1) + 1
    return {name if not more else f"{name}-{more}" for name, most in found.items() for more in range(most + 1)}


def check_links(line: Line, path: Path) -> Iterator[str]:
    """Give the links of a line that lead nowhere; links to other hosts are not followed."""
    for found in _LINK.finditer(_CODE_SPAN.sub("", line.text)):
        link = found[1] or found[2]
        if re.match(r"[a-z][a-z+.-]*:", link):
            continue
        name, _, anchor = link.partition("#")
        target = path.parent / name if name else path
        if name.startswith("/") or not target.exists():
            yield f"the link {link} leads to no file"
        elif anchor and target.suffix == ".md" and anchor not in anchors(target):
            yield f"the link {link} leads to no heading"


def check(path: Path, shown: str) -> Iterator[str]:
    """Give all that is wrong with one file, as `file:line: message`."""
    lines = read(path)
    for block in blocks(lines):
        yield from check_yaml(block, shown)
    for line in lines:
        if line.fence is None:
            yield from (f"{shown}:{line.number}: {message}" for message in check_links(line, path))
        if _MACHINE_PATH.search(line.text):
            yield f"{shown}:{line.number}: a path of one machine"


def main(arguments: Sequence[str]) -> int:
    """Check the folder named, by default this one; return the exit status."""
    root = Path(arguments[0] if arguments else ".")
    files = [*sorted(root.glob("*.md")), *sorted((root / "docs").rglob("*.md"))]
    messages = [message for path in files for message in check(path, str(path.relative_to(root)))]
    for message in messages:
        sys.stdout.write(f"{message}\n")
    return 1 if messages else 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
