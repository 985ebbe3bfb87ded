"""`gateway check`: every finding of every file at once, with its place and the fix; `serve` says the same."""

import json
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
WRONG = {
    # file: (old, new, what stands at the finding's place, code, words)
    "a": ("  services.get: ", "  servces.get: ", "servces.get", "unknown-operation", "did you mean `services.get`?"),
    "b": ("      name: name\n", "      nmae: name\n", "nmae", "unknown-field", "did you mean `name`?"),
    "c": ("{rows: rooms, ", '{rows: "lenght(rooms)", ', '"lenght(rooms)"', "bad-path", "did you mean `length`?"),
    "d": ("record: slot}", "record: slott}", "slott", "unknown-record", "did you mean `slot`?"),
    "e": ("title: Desk\n", 'title: "Desk\n', None, "syntax", "quote"),
    "f": ("  timeout: 5s\n", "  timeoutt: 5s\n", "timeoutt", "unknown-key", "did you mean `timeout`?"),
}


@pytest.fixture
def broken(house):
    """Break one thing in each of six mapping files; give what must be found: `(place, code, words)`."""
    text = (house / "mappings" / "desk.yaml").read_text(encoding="utf-8")
    expected = []
    for name, (old, new, at, code, words) in WRONG.items():
        assert 1 <= text.count(old)
        lines = text.replace(old, new, 1).replace("provider: desk", f"provider: {name}")
        (house / "mappings" / f"{name}.yaml").write_text(lines, encoding="utf-8")
        where = next(((row, line.index(at)) for row, line in enumerate(lines.splitlines()) if at and at in line), None)
        place = f"mappings/{name}.yaml:" + (f"{where[0] + 1}:{where[1] + 1}: " if where else "")
        expected.append((place, code, words))
    return expected


def missing(expected, text):
    """Give what should have been found and was not."""
    lines = text.splitlines()
    return [
        (place, code, words)
        for place, code, words in expected
        if not any(place in line and f"error {code}: " in line and words in line for line in lines)
    ]


def test_everything_at_once(gateway, broken):
    """One run tells what is wrong in all files: file:line:column, what it is and what was meant; the exit code is 1."""
    code, out, err = gateway("check")
    assert (1, "") == (code, err)
    assert [] == missing(broken, out), out
    *findings, last = out.splitlines()
    following = [line for line in findings if " more that may follow from these errors (" in line]
    findings = [line for line in findings if line not in following]
    assert {"mappings/c.yaml: 2 more that may follow"} < {line.partition(" from")[0] for line in following}
    assert [] == [
        line for line in findings if not re.match(r"mappings/\w+\.yaml:\d+:\d+: (error|warning) [a-z-]+: ", line)
    ]
    assert last.startswith("7 mappings checked: ")


def test_variables_too(gateway, broken, monkeypatch):
    """Variables that are not set are told in the same run as broken mappings."""
    monkeypatch.delenv("WEB_KEY")
    monkeypatch.delenv("DESK_KEY")
    code, out, _ = gateway("check", "--config", "config.yaml")
    assert 1 == code
    more = [("config.yaml:1:22: ", "bad-variable", "WEB_KEY is not set; set it, or set WEB_KEY_FILE")]
    more += [("config.yaml:8:53: ", "bad-variable", "DESK_KEY is not set")]
    assert [] == missing(broken + more, out), out


def test_refused_with_the_same_words(gateway, broken, monkeypatch):
    """What runs on a configuration does not start on a broken one, and says what `check` says, on standard error."""
    monkeypatch.delenv("WEB_KEY")
    _, told, _ = gateway("check", "--config", "config.yaml")
    expected = [line for line in told.splitlines()[:-1] if " error " in line]
    for words in (["serve"], ["call", "club", "resources.list"]):
        code, out, err = gateway(*words)
        assert (1, "") == (code, out)
        assert [] == [line for line in expected if line not in err.splitlines()]


def test_nothing_wrong(gateway, house):
    """A clean house is told in one line."""
    assert (0, "1 mappings checked: 0 errors, 0 warnings\n", "") == gateway("check", "--strict")
    assert (0, "1 mappings checked: 0 errors, 0 warnings\n", "") == gateway("check", "--config", "config.yaml")
    assert (0, "[]\n", "") == gateway("check", "--format", "json")
    assert (0, "", "") == gateway("check", "--format", "github")


@pytest.mark.parametrize("path", sorted((ROOT / "mappings").glob("*.yaml")), ids=lambda path: path.stem)
def test_shipped(gateway, path):
    """The mappings that are shipped have not even a warning."""
    code, out, err = gateway("check", "--strict", path)
    assert (0, "") == (code, err), out


def test_each_file_once(gateway, house):
    """A file that is named twice, or is in a folder that is named too, is one file."""
    assert (0, "1 mappings checked: 0 errors, 0 warnings\n", "") == gateway(
        "check", "mappings/desk.yaml", "mappings", house / "mappings" / "desk.yaml", "--config", "config.yaml"
    )


def test_strict(gateway, edit):
    """A warning is told; only with --strict it fails."""
    edit(
        "mappings/desk.yaml",
        "  user: {type: string, default: ada}\n",
        "  user: {type: string, default: ada}\n  x: {type: string}\n",
    )
    for words, expected in ((["check"], 0), (["check", "--strict"], 1)):
        code, out, _ = gateway(*words)
        assert expected == code
        assert re.match(r"mappings/desk\.yaml:10:3: warning unused-setting: .*\n1 mappings checked: 0 errors, 1 w", out)


def test_json(gateway, broken):
    """As JSON there is one object for each finding, and nothing else."""
    code, out, err = gateway("check", "--format", "json")
    assert (1, "") == (code, err)
    found = json.loads(out)
    assert {"file", "line", "column", "level", "code", "message"} == set(found[0])
    text = "\n".join("{file}:{line}:{column}: {level} {code}: {message}".format(**one) for one in found)
    assert [] == missing(broken, text)
    assert sorted((one["file"], one["line"], one["column"]) for one in found) == [
        (one["file"], one["line"], one["column"]) for one in found
    ]


def test_github(gateway, broken):
    """For GitHub every finding is one workflow command in one line."""
    code, out, _ = gateway("check", "--format", "github")
    assert 1 == code
    assert [] == [
        line
        for line in out.splitlines()
        if not re.match(r"::(error|warning) file=[^,:]+,line=\d+,col=\d+,title=[a-z-]+::", line)
    ]
    for place, name, words in broken:
        file, _, rest = place.partition(":")
        line = f"line={rest.partition(':')[0]}" if rest.strip(": ") else ""
        assert any(file in one and line in one and name in one and words in one for one in out.splitlines())


EXAMPLES = "mappings/examples/desk.yaml"


@pytest.mark.parametrize(
    ("old", "new", "found"),
    [
        ("    operation: resources.list\n", "    operation: resources.lst\n", "unknown-operation"),
        ("expects: {day: date}", "expects: {day: dat}", "unknown-format"),
        ("simulator:\n", "simulatr:\n", "unknown-key"),
        ('now: "2026-03-01T09:00:00+01:00"', 'now: "2026-03-01T09:00:00"', "wrong-form"),
        ("    gives: Hello Bo\n", "", "missing-key"),
        ("provider: desk", "provider: dask", "wrong-provider"),
        ("provider: desk", "provider: [", "syntax"),
    ],
)
def test_examples(gateway, edit, old, new, found):
    """Golden examples and the simulator's script are checked with the mapping they belong to."""
    edit(EXAMPLES, old, new)
    code, out, _ = gateway("check")
    assert 1 == code
    assert re.search(rf"^{EXAMPLES}:\d+:\d+: error {found}: ", out, re.MULTILINE), out


def test_no_examples(gateway, house):
    """A mapping without examples is a warning, as is an operation without one."""
    (house / EXAMPLES).unlink()
    code, out, _ = gateway("check")
    assert 0 == code
    assert "warning no-examples: there are no examples for desk" in out


@pytest.mark.parametrize(
    ("content", "found"),
    [
        (b"", "empty"),
        (b"\xff\xfe", "byte-order-mark"),
        (b"[1, 2]", "wrong-type"),
        (b"a: 1\na: 2\n", "duplicate-key"),
        (b"x: &a 1\ny: *a\n", "alias"),
        (b"x: " + b"[" * 100, "deep"),
    ],
)
def test_unfit_files(gateway, house, content, found):
    """Whatever a file holds, it is a finding and never a trace."""
    (house / "mappings" / "zzz.yaml").write_bytes(content)
    code, out, err = gateway("check")
    assert (1, "") == (code, err)
    lines = [line for line in out.splitlines() if line.startswith("mappings/zzz.yaml:")]
    assert lines
    assert any(found in line for line in lines), lines


def test_missing_files(gateway, house):
    """A path that leads nowhere is a finding."""
    code, out, _ = gateway("check", "nosuch", "mappings")
    assert (1, "nosuch:1:1: error no-such-file: there is no such file or folder") == (code, out.splitlines()[0])
    code, out, _ = gateway("check", "--config", "nosuch.yaml")
    assert 1 == code
    assert out.startswith("nosuch.yaml:1:1: error unreadable: ")


def test_connections(gateway, edit):
    """What a connection lacks, or has too much, is found in the configuration, and no value is told."""
    edit("config.yaml", "time_zone: Europe/Berlin", "time_zon: Europe/Berlin, currrency: s3cret-in-the-wrong-place")
    code, out, _ = gateway("check", "--config", "config.yaml")
    assert 1 == code
    assert "error missing-setting: `time_zone` is missing" in out
    assert "did you mean `time_zone`?" in out
    assert "did you mean `currency`?" in out
    assert "s3cret" not in out
    edit("config.yaml", "provider: desk", "provider: dask")
    assert (
        "no mapping describes the provider `dask`; did you mean `desk`?"
        in gateway("check", "--config", "config.yaml")[1]
    )


def test_loss(gateway, house):
    """What the mapping does not read and does not fill is told after the findings, and fails nothing."""
    code, out, err = gateway("check", "--loss", "--strict")
    assert (0, "") == (code, err)
    lines = out.splitlines()
    assert ["desk: never read", "desk: never filled"] == [line for line in lines if line.startswith("desk: ")]
    assert any(re.fullmatch(r"    next_action +has no source", line) for line in lines)
    assert "1 mappings checked: 0 errors, 0 warnings" == lines[-1]


def test_loss_as_json(gateway, broken):
    """As JSON the findings and the losses are one object; a mapping with errors has no losses."""
    code, out, err = gateway("check", "--loss", "--format", "json")
    assert (1, "") == (code, err)
    told = json.loads(out)
    assert {"findings", "loss"} == told.keys()
    assert told["findings"]
    assert ["desk"] == [one["provider"] for one in told["loss"]]
    assert {"field": "next_action", "line": None} in told["loss"][0]["unfilled"]["Booking"]


def test_loss_is_no_annotation(gateway, house):
    """A loss report has no places to annotate."""
    assert (2, "", "a loss report is text or json\n") == gateway("check", "--loss", "--format", "github")


def test_an_example_that_fails_is_an_error(gateway, house):
    """A mapping whose examples do not hold does not pass the check."""
    path = house / "mappings" / "examples" / "desk.yaml"
    path.write_text(path.read_text(encoding="utf-8").replace("name: Attic", "name: Cellar", 1), encoding="utf-8")
    code, out, _ = gateway("check")
    assert (1, 1) == (code, out.count("error example-differs: ")), out


def test_what_is_left_is_told_by_check_alone(gateway, house):
    """A mapping in the making says so where it is checked, not in front of whatever else is done with it."""
    path = house / "mappings" / "desk.yaml"
    text = path.read_text(encoding="utf-8")
    path.write_text(text[: text.index("\nunsupported:")] + '\nunsupported: {"*": later}\n', encoding="utf-8")
    assert "warning operations-left: " in gateway("check")[1]
    assert "operations-left" not in "".join(map(str, gateway("explain", "desk")))
