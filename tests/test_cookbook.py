"""The recipes of the cookbook: each is checked and its examples are played, in a mapping of its own."""

import json
import re
from pathlib import Path

import pytest

from gateway.cli import main
from gateway.documents.yaml import parse

PAGE = Path(__file__).parents[1] / "docs" / "cookbook.md"
FENCE = re.compile(r"^```yaml (mapping|examples)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
SETTINGS = {"time_zone": "Europe/Berlin", "currency": "EUR", "key": "s3cret"}
NOW = "2026-03-01T09:00:00+01:00"


def recipes():
    """Give the recipes of the page, each as its mapping and its examples, by its heading."""
    for part in re.split(r"^#{2,3} ", PAGE.read_text(encoding="utf-8"), flags=re.MULTILINE)[1:]:
        blocks = FENCE.findall(part)
        if blocks:
            assert ["mapping", "examples"] == [kind for kind, _ in blocks], part
            yield pytest.param(*(text for _, text in blocks), id=part.partition("\n")[0])


def read(text):
    """Read a block as strictly as a mapping."""
    document, findings = parse(text.encode(), "cookbook.md")
    assert [] == [str(finding) for finding in findings]
    return document


@pytest.mark.parametrize(("mapping", "examples"), list(recipes()))
def test_recipe(mapping, examples, merged, tmp_path, capsys, log_as_it_was):
    """A recipe has no finding, not even a warning, and its examples give what they say."""
    part = read(mapping)
    file = tmp_path / "mappings" / "example.yaml"
    (file.parent / "examples").mkdir(parents=True)
    file.write_text(json.dumps(merged(part.data, "", part.values, part.keys).data), encoding="utf-8")  # JSON is YAML
    shown = {"provider": "example", "settings": SETTINGS, "now": NOW, "examples": []}
    for number, example in enumerate(read(examples).data, 1):
        shown["examples"].append({"name": f"example {number}", **example})
    (file.parent / "examples" / file.name).write_text(json.dumps(shown), encoding="utf-8")
    checked = main(["check", "--strict", str(file)])
    assert 0 == checked, capsys.readouterr().out
    tested = main(["test", "--mappings", str(file.parent)])
    assert 0 == tested, capsys.readouterr().out


def test_every_block_is_run():
    """No block of the page stands outside of a recipe."""
    page = PAGE.read_text(encoding="utf-8")
    assert len(re.findall(r"^ *(?:```|~~~)", page, re.MULTILINE)) == 2 * len(FENCE.findall(page))
