"""What playing the examples of a mapping finds in it. The cases are data: see `conftest.py`."""

import json
from dataclasses import replace

from gateway.examples.coverage import unseen
from gateway.mapping.compile import compile_provider
from gateway.model.model import load
from tests.examples.playing import play_examples

SETTINGS = {"time_zone": "Europe/Berlin", "currency": "EUR", "key": "s3cret"}


async def test_played(played, merged, tmp_path):
    """Paths and rules that no recorded answer fits are told at their places, and no others."""
    part = played.fragment("played")
    document = replace(merged(part.data, part.path, part.values, part.keys), path=str(tmp_path / "example.yaml"))
    examples = [{"name": f"the {at + 1}th", **one} for at, one in enumerate(played.data["examples"])]
    (tmp_path / "examples").mkdir()
    text = {"provider": "example", "settings": SETTINGS, "now": "2026-03-01T09:00:00+01:00", "examples": examples}
    (tmp_path / "examples" / "example.yaml").write_text(json.dumps(text), encoding="utf-8")  # JSON is YAML
    result = await play_examples(document)
    found = [*compile_provider(document, load())[1], *unseen(result)]
    told = sorted((one.line, one.column, one.level, one.code, one.message) for one in found)
    marks = sorted(played.marks())
    assert [mark[:4] for mark in marks] == [one[:4] for one in told], told
    assert [] == [mark for mark, one in zip(marks, told, strict=True) if mark[4] not in one[4]]


async def test_an_example_that_differs(merged, tmp_path):
    """An example that does not give what it says is told where it stands: what it shows is not to be relied on."""
    data = {"native": {"a": {"safe": True, "call": {"get": "/a"}}}}
    document = merged(data, str(tmp_path / "example.yaml"), {(): (1, 1)}, {})
    (tmp_path / "examples").mkdir()
    exchange = {"request": {"get": "https://api.example/a"}, "answer": {"json": {"b": 1}}}
    examples = [{"name": n, "operation": "native.a", "exchanges": [exchange], "gives": {"b": n}} for n in (1, 2)]
    text = {"provider": "example", "settings": SETTINGS, "now": "2026-03-01T09:00:00+01:00", "examples": examples}
    (tmp_path / "examples" / "example.yaml").write_text(json.dumps(text, indent=1), encoding="utf-8")
    found = list(unseen(await play_examples(document)))
    assert ["example-differs"] == [one.code for one in found]
    assert (str(tmp_path / "examples" / "example.yaml"), 29) == (found[0].file, found[0].line)
