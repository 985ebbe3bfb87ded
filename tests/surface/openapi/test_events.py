"""The OpenAPI of what listens to events is valid, and says which key, media type and codes there are."""

import pytest
from openapi_spec_validator import validate

from gateway.model.model import load
from gateway.surface.openapi.document import _document, _Paths


@pytest.fixture(scope="module")
def document():
    """Give a document of nothing but the listeners of one connection."""
    paths = _Paths(load())
    for name, operation in load().gateway.operations.items():
        if name.startswith(("changes.", "calendar.", "operations.")):
            paths.add_own(operation.path.replace("{connection}", "club-a"), operation)
    return _document(load(), "Listeners", paths)


def test_the_document_is_valid_openapi(document):
    """Every reference leads somewhere and every path parameter is described."""
    validate(document)


def test_every_route_is_told(document):
    """Paths and methods are those of the handlers."""
    found = [(path.removeprefix("/v1/club-a"), method) for path, told in document["paths"].items() for method in told]
    assert [
        ("/changes", "get"),
        ("/calendar/feeds", "get"),
        ("/calendar/feeds", "post"),
        ("/calendar/feeds/{id}", "delete"),
        ("/operations/{id}", "get"),
        ("/events/stream", "get"),
        ("/calendar/feed/{token}.ics", "get"),
    ] == found


def test_media_types_and_keys_are_those_of_the_answers(document):
    """The stream and the calendar are no JSON, and only the calendar needs no key."""
    paths = document["paths"]
    stream, calendar = paths["/v1/club-a/events/stream"]["get"], paths["/v1/club-a/calendar/feed/{token}.ics"]["get"]
    assert ["text/event-stream"] == list(stream["responses"]["200"]["content"])
    assert ["text/calendar"] == list(calendar["responses"]["200"]["content"])
    assert [[], None] == [one.get("security") for one in (calendar, stream)]
    assert {"200", "400", "401", "403", "429", "500", "503", "default"} == set(stream["responses"])
    assert not {"401", "403"} & set(calendar["responses"])


def test_no_key_is_promised_to_make_a_repeat_safe(document):
    """The answer that holds a token is not kept: the document names no Idempotency-Key."""
    made = document["paths"]["/v1/club-a/calendar/feeds"]["post"]
    assert [] == made["parameters"]
    assert {"name"} == set(made["requestBody"]["content"]["application/json"]["schema"]["required"])
