"""The loss report: what recorded answers hold that nothing reads, and what of the contract no example fills."""

import json

import pytest

from gateway.documents.yaml import parse
from gateway.examples.loss_report import loss
from gateway.model.model import load
from tests.examples.playing import play_examples

SETTINGS = {"time_zone": "Europe/Berlin", "currency": "EUR", "key": "s3cret"}
MAPPING = """
records:
  place:
    of: Location
    fields:
      id: id
      name: {compute: "{{ row.names.short }}"}
      phone: contact.tel
      resource_ids: {at: rooms, as: keys}
      address.city: town
      time_zone: {compute: "{{ settings.time_zone }}"}
operations:
  locations.list:
    steps:
      - {name: all, call: {jsonrpc: {method: getAll, params: []}}, keep: "values(result)"}
      - {name: extras, call: {get: /extras}}
      - {name: every, for_each: {in: [{name: one, at: all}]}, call: {get: "/open/{{ one.id }}"}}
    result: {rows: "all[?active]", record: place}
native:
  raw: {safe: true, call: {get: /raw}, result: {at: "@"}}
"""
ANSWERS = {
    "getAll": {
        "result": {
            "7": {
                "id": 7,
                "active": True,
                "names": {"short": "A", "long": "Aa"},
                "contact": {"tel": "1", "fax": "2"},
                "rooms": {"1": {"size": 3}},
                "town": None,
                "hours": {"2026-03-19": [{"from": "08:30"}]},
                "colour": "red",
            }
        }
    },
    "/extras": [{"a": 1, "b": [{"c": 2}]}],
    "/open/7": {"open": {"from": 1}},
}


@pytest.fixture
async def report(merged, tmp_path):
    """Give the loss report of the mapping."""
    document, findings = parse(MAPPING.encode(), str(tmp_path / "example.yaml"))
    assert [] == findings
    (tmp_path / "examples").mkdir()
    exchanges = [
        {
            "request": {"post": "https://api.example", "jsonrpc": {"method": "getAll", "params": []}},
            "answer": ANSWERS["getAll"],
        },
        {"request": {"get": "https://api.example/extras"}, "answer": {"json": ANSWERS["/extras"]}},
        {"request": {"get": "https://api.example/open/7"}, "answer": {"json": ANSWERS["/open/7"]}},
    ]
    gives = {"id": "7", "name": "A", "phone": "1", "resource_ids": ["1"], "address": {"city": None}}
    examples = [
        {
            "name": "all",
            "operation": "locations.list",
            "exchanges": exchanges,
            "gives": [gives | {"time_zone": "Europe/Berlin"}],
        },
        {
            "name": "raw",
            "operation": "native.raw",
            "exchanges": [{"request": {"get": "https://api.example/raw"}, "answer": {"json": {"x": 1}}}],
            "gives": {"x": 1},
        },
    ]
    text = {"provider": "example", "settings": SETTINGS, "now": "2026-03-01T09:00:00+01:00", "examples": examples}
    (tmp_path / "examples" / "example.yaml").write_text(json.dumps(text), encoding="utf-8")  # JSON is YAML
    merged_document = merged(document.data, document.path, document.values, document.keys)
    played = await play_examples(merged_document)
    assert [()] * 2 == [outcome.differences for outcome in played.outcomes]
    return loss(played, load())


def test_unread(report):
    """Fields that no path and no template reads are told by call; what a native operation hands on is not."""
    assert {
        "GET /extras": ("[].a", "[].b"),
        "GET /open/{{ one.id }}": ("open",),
        "POST the base URL getAll": tuple(
            f"result.*.{name}" for name in ("colour", "contact.fax", "hours", "names.long")
        ),
    } == report.unread


def test_unfilled(report):
    """Fields of the contract that no example fills are told, with the line that could have filled them."""
    assert ["Location"] == list(report.unfilled)
    told = report.unfilled["Location"]
    assert {"description", "email", "address.street", "address.city", "geo", "opening_hours"} <= told.keys()
    assert told.keys().isdisjoint({"id", "name", "phone", "resource_ids", "time_zone", "address"})
    assert told["email"] is None
    assert told["address.city"].endswith("example.yaml:10")


def test_forms(report):
    """The report is text for people and data for programs, and both say the same."""
    lines = list(report.lines())
    assert "example: never read" == lines[0]
    assert "    result.*.names.long" in lines
    assert any(line.startswith("    address.city ") and line.endswith(":10") for line in lines)
    assert any(line.startswith("    email ") and line.endswith(" has no source") for line in lines)
    data = json.loads(json.dumps(report.data()))
    assert {"provider", "unread", "unfilled"} == data.keys()
    assert ["[].a", "[].b"] == data["unread"]["GET /extras"]
    assert {"field": "email", "line": None} in data["unfilled"]["Location"]
