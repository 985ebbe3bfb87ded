"""Small mappings in `cases/`: what is wrong with them is told, and what is right with them works. The cases are data.

A case is a fragment laid over `base.yaml`. Under `wrong:` every finding is written behind its line: `#! 7 code text`
(an error at column 7 whose message holds the text) or `#? 7 code text` (a warning); a line may have several. The
fragment under `right:` has none. A case with `exchanges:` is a golden example of the fragment under `mapping:`.
"""

import ast
import json
import re
from dataclasses import replace
from pathlib import Path

import pytest

from gateway import mapping
from gateway.document import read
from gateway.examples import load_examples
from gateway.mapping.compile import compile_provider
from gateway.model.model import load
from gateway.playback import run_example

SETTINGS = {"time_zone": "Europe/Berlin", "currency": "EUR", "key": "s3cret"}
MARK = re.compile(r"#(?P<level>[!?]) (?P<column>\d+) (?P<code>[a-z-]+) (?P<text>.+?)(?= #[!?] |$)")
FILES = {path.stem: read(path) for path in sorted((Path(__file__).parent / "cases").glob("*.yaml"))}
CASES = {
    f"{stem}: {case['name']}": (document, index)
    for stem, (document, _) in FILES.items()
    for index, case in enumerate(document.data if document else ())
}


def fragment(name, key, merged):
    """Lay the fragment of a case over the base, its positions those of the case file."""
    document, index = CASES[name]
    root = (index, key)
    places, keys = (
        {place[2:]: at for place, at in table.items() if place[:2] == root}
        for table in (document.values, document.keys)
    )
    return merged(document.data[index][key], document.path, places, keys)


def cases_with(key):
    """Give the names of the cases that have this key."""
    return [name for name, (document, index) in CASES.items() if key in document.data[index]]


def expected(name):
    """Read the marks behind the lines of a case."""
    document, index = CASES[name]
    first, end = (document.values.get((at,), (10**6, 0))[0] for at in (index, index + 1))
    lines = Path(document.path).read_text(encoding="utf-8").splitlines()
    for number, line in enumerate(lines[first - 1 : end - 1], first):
        for mark in MARK.finditer(line):
            level = {"!": "error", "?": "warning"}[mark["level"]]
            yield number, int(mark["column"]), level, mark["code"], mark["text"]


def test_files_are_read():
    """The case files are good YAML, and every case has its own name."""
    assert [] == [str(finding) for _, findings in FILES.values() for finding in findings]
    assert sum(len(document.data) for document, _ in FILES.values()) == len(CASES)


@pytest.mark.parametrize("name", cases_with("wrong"))
def test_wrong(name, merged):
    """Everything wrong with a mapping is told at its place, and nothing else."""
    _, found = compile_provider(fragment(name, "wrong", merged), load())
    marks = list(expected(name))
    for one in list(found):
        for mark in marks:
            if mark[:4] == (one.line, one.column, one.level, one.code) and mark[4] in one.message:
                marks.remove(mark)
                found.remove(one)
                break
    assert ([], []) == (marks, [str(one) for one in found])


@pytest.mark.parametrize("name", cases_with("right"))
def test_right(name, merged):
    """What is told of a wrong mapping is not told of the right one beside it, and neither is anything else."""
    assert [] == [str(one) for one in compile_provider(fragment(name, "right", merged), load())[1]]


@pytest.mark.parametrize("name", cases_with("exchanges"))
async def test_works(name, merged, tmp_path):
    """A call sends exactly these requests, and their answers become exactly this reply or error."""
    document, index = CASES[name]
    case = document.data[index]
    made = fragment(name, "mapping", merged)
    plan, findings = compile_provider(replace(made, path=str(tmp_path / "example.yaml")), load())
    assert [] == [str(one) for one in findings if one.level == "error"]
    (tmp_path / "examples").mkdir()
    example = {key: value for key, value in case.items() if key != "mapping"}
    text = {"provider": "example", "settings": SETTINGS, "now": "2026-03-01T09:00:00+01:00", "examples": [example]}
    (tmp_path / "examples" / "example.yaml").write_text(json.dumps(text), encoding="utf-8")  # JSON is YAML
    examples, findings = load_examples(plan)
    assert [] == [str(one) for one in findings if one.level == "error"]
    assert () == (await run_example(examples, examples.examples[0], load())).differences


def test_every_code_has_a_case():
    """Every finding a compilation can report is shown by a case, beside the mapping that it does not concern."""
    folder = Path(mapping.__file__).parent
    trees = [ast.parse(path.read_text(encoding="utf-8")) for path in folder.glob("*.py")]
    calls = [node for tree in trees for node in ast.walk(tree) if isinstance(node, ast.Call)]
    reported = {call.args[1].value for call in calls if getattr(call.func, "attr", "") == "report"}
    assert set() == reported - {code for name in cases_with("right") for *_, code, _ in expected(name)}
