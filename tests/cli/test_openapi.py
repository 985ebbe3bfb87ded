"""`gateway openapi`: the documents are valid OpenAPI 3.1."""

import json

import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator


@pytest.mark.parametrize("words", [[], ["club"]], ids=["whole", "connection"])
def test_valid(gateway, house, words):
    """The whole document and a connection's are valid, and their operations have names of their own."""
    code, out, err = gateway("openapi", *words)
    assert (0, "") == (code, err)
    document = json.loads(out)
    OpenAPIV31SpecValidator(document).validate()
    names = [one["operationId"] for path in document["paths"].values() for one in path.values() if "operationId" in one]
    assert len(names) == len(set(names))
    assert ("native.greet" in names) is (words == ["club"])
    assert "bookings.create" in names
    assert ("bookings.reschedule" in names) is (words == [])


def test_unknown_connection(gateway, house):
    """A connection that is not configured is wrong usage, and the configured ones are named."""
    code, out, err = gateway("openapi", "clubb")
    assert (2, "") == (code, out)
    assert "club" in err
    assert 1 == len(err.splitlines())
