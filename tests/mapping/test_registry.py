"""A codec or a function is one declaration in one file: everything that tells of them finds it there."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]

CODEC = '''
"""A codec that nothing else knows of."""

from gateway.mapping.codecs.kind import ISO, Codec, CodecKind, CodecRefused


def _mirror(spec):
    def turn(value, scope):
        if not isinstance(value, str):
            raise CodecRefused("a text")
        return value[::-1]

    return Codec("mirrored", ISO, "text", turn, turn)


SAMPLE = ("mirrored", "ab", "ba")
KINDS = (CodecKind("mirrored", "", (), ISO, "text", "text", "text, back to front", (SAMPLE,), _mirror),)
'''
FUNCTION = '''
"""A function that nothing else knows of."""

from gateway.mapping.expressions.functions.kind import function


@function("value: text, times: integer?", "text", "echoed('ab', 2)", "abab")
def echoed(value, times=1):
    """The text so many times."""
    return value * times
'''
ASK = """
import json
from gateway.mapping.codecs import CodecInvalid, compile_codec
from gateway.mapping.expressions import ExpressionFailed, ExpressionInvalid, compile_path, compile_template
from tests.generate_docs import words

def refused(act):
    try:
        act()
    except (CodecInvalid, ExpressionFailed, ExpressionInvalid) as found:
        return str(found)

mirrored = compile_codec("mirrored", {}, compile_template)
print(json.dumps({
    "codec": [mirrored.decode("ab", {}), mirrored.encode("ba", {})],
    "codec meant": refused(lambda: compile_codec("mirored", {}, compile_template)),
    "template": compile_template("{{ 'ab' | echoed(2) }}").render({}),
    "path": compile_path("echoed(a, `2`)").read({"a": "ab"}),
    "template meant": refused(lambda: compile_template("{{ echoe('a') }}")),
    "path meant": refused(lambda: compile_path("echoe(a)")),
    "kind": refused(lambda: compile_template("{{ echoed(1) }}").render({})),
    "count": refused(lambda: compile_path("echoed(a, b, c)")),
    "page": [line for line in words() if "mirrored" in line or "echoed" in line],
}))
"""


def run(house, *arguments):
    """Run Python on the copied package, with the tests of this one."""
    done = subprocess.run(
        [sys.executable, *arguments],
        cwd=ROOT,
        env={"PYTHONPATH": f"{house}:{ROOT}", "PATH": ""},
        capture_output=True,
        text=True,
        check=False,
    )
    assert 0 == done.returncode, done.stderr
    return done.stdout


def test_a_file_in_the_room_is_all_that_is_added(tmp_path):
    """A codec and a function in files of their own are read, explained, documented, checked and proposed for typos."""
    shutil.copytree(ROOT / "gateway", tmp_path / "gateway", ignore=shutil.ignore_patterns("__pycache__"))
    mapping = tmp_path / "gateway" / "mapping"
    (mapping / "codecs" / "mirrors.py").write_text(CODEC, encoding="utf-8")
    (mapping / "expressions" / "functions" / "echoes.py").write_text(FUNCTION, encoding="utf-8")
    told = json.loads(run(tmp_path, "-P", "-c", ASK))
    assert {
        "codec": ["ba", "ab"],
        "codec meant": "there is no codec `mirored`; did you mean `mirrored`?",
        "template": "abab",
        "path": "abab",
        "template meant": "`echoe` is no word of the language; did you mean `echoed`?",
        "path meant": "`echoe` is no function of paths; did you mean `echoed`?",
        "kind": "`echoed` takes a text as `value`, not a number",
        "count": "`echoed` takes 1 to 2, 3 given",
    } == {name: said for name, said in told.items() if name != "page"}
    assert ["echoed(value: text, times: integer?) → text", "mirrored"] == [line.split("`")[1] for line in told["page"]]
    assert "text, back to front" in run(tmp_path, "-P", "-m", "gateway", "explain", "codecs", "mirrored")
    assert "The text so many times." in run(tmp_path, "-P", "-m", "gateway", "explain", "functions", "echoed")
