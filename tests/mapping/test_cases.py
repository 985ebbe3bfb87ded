"""What is wrong with a mapping is told, and what is right with it works. The cases are data: see `conftest.py`."""

import ast
import json
import re
from dataclasses import replace
from pathlib import Path

from gateway import mapping as language
from gateway.documents.finding_kinds import KINDS
from gateway.examples.files import load_examples
from gateway.examples.playback import run_example
from gateway.mapping.compile import compile_provider
from gateway.model.model import load

SETTINGS = {"time_zone": "Europe/Berlin", "currency": "EUR", "key": "s3cret"}


def compiled(merged, one, path=None):
    """Compile a fragment laid over the base, as a file of this path."""
    document = merged(one.data, one.path, one.values, one.keys)
    return compile_provider(replace(document, path=path or one.path), load())


def test_wrong(wrong, merged):
    """Everything wrong with a mapping is told at its place, and nothing else."""
    found, marks = compiled(merged, wrong.fragment("wrong"))[1], list(wrong.marks())
    for one in list(found):
        place = (one.line, one.column, one.level, one.code)
        mark = next((mark for mark in marks if mark[:4] == place and mark[4] in one.message), None)
        if mark is not None:
            marks.remove(mark)
            found.remove(one)
    assert ([], []) == (marks, [str(one) for one in found])


def test_right(right, merged):
    """What is told of a wrong mapping is not told of the right one beside it, and neither is anything else."""
    assert [] == [str(one) for one in compiled(merged, right.fragment("right"))[1]]


async def test_works(mapping, merged, tmp_path):
    """A call sends exactly these requests, and their answers become exactly this reply or error."""
    plan, findings = compiled(merged, mapping.fragment("mapping"), str(tmp_path / "example.yaml"))
    assert [] == [str(one) for one in findings if one.level == "error"]
    (tmp_path / "examples").mkdir()
    example = {key: value for key, value in mapping.data.items() if key != "mapping"}
    text = {"provider": "example", "settings": SETTINGS, "now": "2026-03-01T09:00:00+01:00", "examples": [example]}
    (tmp_path / "examples" / "example.yaml").write_text(json.dumps(text), encoding="utf-8")  # JSON is YAML
    examples, findings = load_examples(plan)
    assert [] == [str(one) for one in findings if one.level == "error"]
    assert () == (await run_example(examples, examples.examples[0], load())).differences


def test_every_code_has_a_case(every_case):
    """Every finding a compilation can report is shown by a case, beside the mapping that it does not concern."""
    files = [*(folder := Path(language.__file__).parent).glob("*.py"), *(folder / "language").glob("*.py")]
    trees = [ast.parse(file.read_text(encoding="utf-8")) for file in files]
    calls = [node for tree in trees for node in ast.walk(tree) if isinstance(node, ast.Call)]
    codes = [ast.unparse(call.args[1]) for call in calls if getattr(call.func, "attr", "") == "report"]
    told = [word.value for call in calls for word in call.keywords if word.arg == "code"]
    codes += [ast.unparse(one) for one in told if isinstance(one, ast.Constant)]
    patterns = {re.sub(r"\{.*?\}", ".*", code.removeprefix("f").strip("'")) for code in codes}
    reported = {kind for kind in KINDS for pattern in patterns if re.fullmatch(pattern, kind)}
    assert len(reported) >= len(patterns)
    assert set() == reported - {
        code for one in every_case.values() if "right" in one.data for *_, code, _ in one.marks()
    }
