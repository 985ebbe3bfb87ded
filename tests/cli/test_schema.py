"""`gateway schema`: what editors are given."""

import json

import pytest
from jsonschema import Draft202012Validator

from gateway.documents.yaml import read
from gateway.model.model import load


@pytest.mark.parametrize("subject", ["mapping", "examples", "configuration"])
def test_printed(gateway, subject):
    """Each schema is printed as JSON of its dialect, with a title."""
    code, out, err = gateway("schema", subject)
    assert (0, "") == (code, err)
    schema = json.loads(out)
    Draft202012Validator.check_schema(schema)
    assert "booking gateway" in schema["title"]


def test_names_of_the_contract(gateway):
    """An editor is offered every operation and every error code of the contract."""
    schema = json.loads(gateway("schema", "mapping")[1])
    assert set(load().operations) == set(schema["$defs"]["file"]["properties"]["operations"]["properties"])
    rule = schema["$defs"]["rule"]["properties"]["is"]
    assert sorted(load().errors) == rule["anyOf"][0]["enum"]


def test_configuration(gateway, pytestconfig):
    """The example configuration fits its schema; one with a key that is unknown does not."""
    validator = Draft202012Validator(json.loads(gateway("schema", "configuration")[1]))
    document, _ = read(pytestconfig.rootpath / "config.example.yaml")
    assert validator.is_valid(document.data)
    assert not validator.is_valid(document.data | {"listn": {}})


def test_wrong_subject(gateway):
    """Another subject is wrong usage, and those there are are named."""
    code, _, err = gateway("schema", "mappings")
    assert 2 == code
    assert "'configuration', 'examples', 'mapping'" in err
