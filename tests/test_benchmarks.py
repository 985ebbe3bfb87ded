"""`make bench`: that it measures what it says, on the same answers, and tells what changed from what scatters.

No test holds anything to a time: how fast this machine is, at this moment, says nothing of the gateway.
"""

import base64
import json
import sys
from xml.etree import ElementTree as ET

import pytest

pytest.importorskip("orjson", reason="the hand-written side of the benchmarks needs it, and only that")
pytest.importorskip("uvloop", reason="the hand-written side of the benchmarks needs it, and only that")
if sys.platform != "linux":
    pytest.skip("the benchmarks read the CPU time of other processes", allow_module_level=True)

from benchmarks import inprocess, report, sockets
from benchmarks.__main__ import GROUPS, main

SIDES = {
    **{key: {"gateway", "bare", "dutiful"} for key in ("calls", "connections")},
    **{key: {"gateway", "by hand"} for key in ("in process", "rows")},
    "libraries": {"gateway", "by hand", "jmespath + jinja2", "glom", "JSONata"},
    **{key: {"gateway"} for key in ("subscribers", "backlog", "stores", "memory")},
    "shipped": {"gateway", "decode+encode"},
    "start": {"gateway", "bare"},
}


@pytest.mark.timeout(400)
def test_everything_is_measured_on_equal_answers(tmp_path, capsys):
    """Each benchmark runs, once and small, its sides give the same bytes, and table, JSON and page tell of all."""
    written, page = tmp_path / "found.json", tmp_path / "performance.md"
    assert main(["--rounds", "1", "--json", str(written), "--docs", str(page)]) == 0
    found = json.loads(written.read_text(encoding="utf-8"))["rows"]
    assert set(GROUPS) == {row["group"] for row in found}
    assert {"S", "M", "L", "W", "H"} == {row["name"] for row in found if row["group"] == "calls"}
    for row in found:
        assert SIDES[row["group"]] == set(row["sides"])
        assert all(side["median"] > 0 for side in row["sides"].values())
    shown = capsys.readouterr().out
    for row in found:
        assert row["about"] in shown
        assert row["about"] in page.read_text(encoding="utf-8")
    drawn = ET.fromstring(page.with_suffix(".svg").read_text(encoding="utf-8"))
    assert 3 == len(drawn.findall("{http://www.w3.org/2000/svg}polyline"))
    assert f"({page.stem}.svg)" in page.read_text(encoding="utf-8")


class Fixed:
    """A worker that gives these bytes."""

    def __init__(self, given):
        self.given = given

    def ask(self, task, given, times, *, show):
        return {"bytes": base64.b64encode(self.given).decode()}


def test_unequal_answers_are_not_measured():
    """Sides whose answers differ in one byte are refused, with the place and what each has there."""
    sides = {"gateway": Fixed(b'[{"id":"1"}]'), "by hand": Fixed(b'[{"id":"2"}]')}
    with pytest.raises(RuntimeError, match=r"differ at byte 8: gateway has .*1.*, by hand has .*2"):
        inprocess.equal("one", [], sides)


def cursor(*parts):
    text = base64.urlsafe_b64encode(json.dumps(parts).encode()).decode().rstrip("=")
    return 200, {}, json.dumps({"page": {"next_cursor": text}}, separators=(",", ":")).encode()


def test_cursors_are_compared_by_where_they_lead():
    """Of two cursors the query and the reading may differ, and the place may not: a caller gets no more of them."""
    one = sockets.comparable(cursor("query", "token", 200, "2031-01-01T00:00:00Z", "c1"))
    assert one == sockets.comparable(cursor("other", "", 200, "2031-01-01T00:00:00Z", "c1"))
    assert one != sockets.comparable(cursor("query", "token", 200, "2031-01-01T00:00:00Z", "c2"))


def run(gateway, by_hand, spread):
    sides = {"gateway": {"median": gateway, "spread": spread}, "by hand": {"median": by_hand, "spread": spread}}
    ratios = {"by hand": {"median": gateway / by_hand, "spread": spread}}
    return {"rows": [{"group": "calls", "name": "S", "sides": sides, "ratios": ratios}]}


@pytest.mark.parametrize(
    ("after", "change", "fair"),
    [
        pytest.param(run(50, 10, 0.1), "-50%", "-50%", id="faster than both runs scatter"),
        pytest.param(run(95, 10, 0.1), "(-5%)", "-5%", id="less than they scatter"),
        pytest.param(run(50, 5, 0.1), "-50%", "+0%", id="the machine was faster, the gateway was not"),
    ],
)
def test_two_runs_are_compared(tmp_path, capsys, after, change, fair):
    """A change counts where it is more than both runs scatter, and is told without what the machine did."""
    files = [tmp_path / "before.json", tmp_path / "after.json"]
    for file, told in zip(files, (run(100, 10, 0.1), after), strict=True):
        file.write_text(json.dumps(told), encoding="utf-8")
    assert main(["--compare", *map(str, files)]) == 0
    line = capsys.readouterr().out.splitlines()[1].split()
    assert [change, fair] == [line[4], line[6]]


def test_help_shows_examples(capsys):
    """`--help` shows how the benchmarks are run, each of their options in an example."""
    with pytest.raises(SystemExit):
        main(["--help"])
    shown = capsys.readouterr().out.partition("examples:")[2]
    assert [] == [
        word for word in ("--quick", "--only", "--json", "--against", "--compare", "--docs") if word not in shown
    ]


def test_figures_are_short():
    """A figure has three digits that count: more would tell of the machine's mood."""
    assert ["12,346", "123", "12.3", "1.23"] == [report.number(one) for one in (12345.6, 123.4, 12.34, 1.234)]
