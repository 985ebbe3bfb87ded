"""Parts of the language: what is declared once is seen everywhere, and the JSON Schema says what the checker says."""

import json
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from gateway.cli.explain import keys_of
from gateway.documents.json_schema import schema_of_part
from gateway.documents.parts import Node, key, part, parts_in
from gateway.documents.schema_check import check
from gateway.documents.yaml import Document, parse, read
from gateway.examples import parts, simulator_parts
from gateway.examples.parts import ExamplesFile
from gateway.examples.simulator_parts import Simulator
from gateway.mapping.language import PARTS
from gateway.mapping.language.file import File
from gateway.mapping.language.http import Call
from tests.generate_docs import reference

ROOT = Path(__file__).parents[2]
FILES = [(File, path) for path in sorted((ROOT / "mappings").glob("*.yaml"))]
FILES += [(ExamplesFile, path) for path in sorted((ROOT / "mappings" / "examples").glob("*.yaml"))]
SCHEMAS = {kind: schema_of_part(kind.part, "a file", {}) for kind in (File, ExamplesFile)}


@part("call", "`call`")
class Retried(Call):
    """A call with a key that no call has."""

    attempts: int | None = key("how often it is sent at most", min=1, example=3)


def found(node, data):
    """Give what the checker says of data that is written as one part."""
    findings = []
    check(node.part.shape, data, Document("x.yaml", data, {(): (1, 1)}, {}), (), findings)
    return [one.code for one in findings]


def schema_errors(kind, data):
    """Give where a file does not fit its schema."""
    return [list(error.absolute_path) for error in Draft202012Validator(SCHEMAS[kind]).iter_errors(data)]


def test_a_key_is_declared_once():
    """A key that a part declares is taken by the checker, and told by the reference, explain and the JSON Schema."""
    data = {"get": "/a", "attempts": 3}
    assert (["unknown-key"], []) == (found(Call, data), found(Retried, data))
    assert ["wrong-value"] == found(Retried, {"get": "/a", "attempts": 0})
    parts = {**PARTS, "call": Retried.part}
    assert any(line.startswith("| `attempts` | whole number, at least 1") for line in reference(parts))
    assert any("attempts" in line and "how often it is sent at most" in line for line in keys_of(parts, "call"))
    schema = schema_of_part(Retried.part, "a call", {})
    told = schema["$defs"]["call"]["properties"]["attempts"]
    assert {"description": "how often it is sent at most", "type": "integer", "minimum": 1, "examples": [3]} == told


def test_every_part_is_in_the_reference():
    """Each part that a file can hold is declared under a name of its own, and all of them are in the reference."""
    inside = set(SCHEMAS[File]["$defs"])
    assert set(PARTS) == inside


@pytest.mark.parametrize("kind", SCHEMAS)
def test_schemas(kind):
    """A schema is one of its dialect, and can be written as JSON."""
    Draft202012Validator.check_schema(SCHEMAS[kind])
    assert json.dumps(SCHEMAS[kind])


@pytest.mark.parametrize(("kind", "path"), FILES, ids=lambda one: getattr(one, "stem", ""))
def test_shipped_files_fit(kind, path):
    """Every shipped mapping, and its examples, fit their schema."""
    document, _ = read(path)
    assert [] == schema_errors(kind, document.data)


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("http: {base: 'https://a.example', timout: 1s}", ["http"]),
        ("http: {base: 'https://a.example', timeout: 1}", ["http", "timeout"]),
        ("http: {base: 'https://a.example', timeout: 1 s}", ["http", "timeout"]),
        ("kind: shop", ["kind"]),
        ("records: {a: {of: Service, fields: {name: {mode: both, whom: x}}}}", ["records", "a", "fields", "name"]),
        ("operations: {services.list: {steps: []}}", ["operations", "services.list"]),
        ("hooks: {Events: {type: changed, dedupe: [id], verify: none}}", ["hooks"]),
        ("native: {a: {safe: 1, call: {get: /a}}}", ["native", "a", "safe"]),
    ],
)
def test_what_does_not_fit(text, place):
    """A key that is unknown, a value of a wrong kind or form, and an empty list do not fit, at their place."""
    base, _ = read(ROOT / "tests" / "mapping" / "base.yaml")
    assert [] == schema_errors(File, base.data)
    document, _ = parse(text.encode(), "x.yaml")
    assert place in schema_errors(File, base.data | document.data)


@pytest.mark.parametrize("module", [parts, simulator_parts], ids=["examples", "simulator"])
def test_examples_of_keys(module):
    """Every key of an examples file has a meaning, and an example that fits it."""
    for one in parts_in(module):
        for name, rules in one.keys.items():
            assert rules["meta"]["meaning"]
            document, findings = parse(json.dumps({name: rules["meta"]["example"]}).encode(), "x.yaml")
            check({name: rules}, document.data, document, (), findings)
            assert [] == [str(one) for one in findings]


def test_nodes_are_read_only():
    """What stands in a file is read, and never written."""
    node = Simulator()
    with pytest.raises(AttributeError):
        node.state = {}
    assert isinstance(node, Node)
