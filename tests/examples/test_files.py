"""Golden examples read from their file: whose connection each uses, and what has none."""

import json

import pytest

from gateway.examples.files import load_examples
from gateway.mapping.compile import compile_provider
from gateway.model.model import load
from gateway.values.messages import Received

MAPPING = {
    "settings": {"user": {"type": "string"}, "word": {"type": "secret"}},
    "auth_schemes": {"own": {"headers": {"X-User": "{{ settings.user }}", "X-Word": "{{ settings.word }}"}}},
    "operations": {
        "bookings.delete": [
            {"needs": {"user": "users delete"}, "call": {"delete": "/own/{{ args.id }}", "auth": "own"}},
            {"call": {"delete": "/any/{{ args.id }}"}},
        ]
    },
    "native": {"open": {"needs": {"user": "users open"}, "call": {"post": "/open", "auth": "own"}}},
}
SETTINGS = {"time_zone": "UTC", "currency": "EUR", "key": "s3cret"}
DELETE = {"name": "a", "operation": "bookings.delete", "args": {"id": "7"}, "exchanges": [], "gives": None}
OPEN = {"name": "b", "operation": "native.open", "exchanges": [], "gives": None}
ADA = {"settings": {"user": "ada", "word": "pa55word"}}


@pytest.fixture
def loaded(tmp_path, merged):
    """Give a function that reads these examples of the mapping above: the examples, and findings as texts."""
    (tmp_path / "examples").mkdir()

    def of(*examples, mapping=MAPPING, **more):
        plan, findings = compile_provider(merged(mapping, str(tmp_path / "example.yaml"), {(): (1, 1)}, {}), load())
        assert [] == [str(one) for one in findings if one.level == "error"]
        text = {"provider": "example", "settings": SETTINGS, "now": "2026-03-01T09:00:00Z", "examples": list(examples)}
        (tmp_path / "examples" / "example.yaml").write_text(json.dumps(text | more), encoding="utf-8")  # JSON is YAML
        found, findings = load_examples(plan)
        return found, [f"{one.level} {one.code} {one.message}" for one in findings]

    return of


def test_each_way_is_wanted(loaded):
    """Every way of an operation wants an example of its own; one that is refused for what it lacks shows none."""
    own, opened = (
        "warning no-example bookings.delete has no golden example of this way",
        "warning no-example native.open has no golden example",
    )
    assert [own, opened] == loaded(DELETE, OPEN)[1]
    assert [own, opened] == loaded(DELETE | ADA, OPEN)[1]
    assert [] == loaded(DELETE, DELETE | ADA, OPEN | ADA)[1]


def test_own_settings(loaded):
    """An example's own settings are laid over the file's for it alone, and secrets among them are secrets."""
    found, _ = loaded(DELETE, DELETE | ADA)
    first, second = (example.connection for example in found.examples)
    assert (None, "ada") == (first.scope["settings"]["user"], second.scope["settings"]["user"])
    assert ("pa55word", "UTC") == (second.revealed["settings"]["word"], second.zone)
    assert "pa55word" not in str(second.scope["settings"])
    assert "word" not in second.public


def test_played_settings(loaded):
    """The simulator plays the connection of the examples, with settings of its own laid over it."""
    found, _ = loaded(DELETE)
    assert found.connection is found.played
    found, _ = loaded(DELETE, simulator={"settings": ADA["settings"]})
    assert (None, "ada") == (found.connection.scope["settings"]["user"], found.played.scope["settings"]["user"])
    assert (False, True) == tuple("open" in one.provider.native for one in (found.connection, found.played))


HOOKS = {
    "records": {"customer": {"of": "Customer", "fields": {"id": "id", "name": "name"}}},
    "hooks": {
        "people": {
            "needs": {"word": "known by it"},
            "verify": {"token": "path", "keys": ["{{ settings.word }}"]},
            "dedupe": ["id"],
            "type": "customer.created",
            "record": "customer",
        }
    },
}
SENT = {"name": "c", "hook": "people", "received": {"json": {"id": 1, "name": "Ada"}}, "messages": []}


@pytest.mark.parametrize(
    ("example", "told"),
    [
        (SENT | ADA, []),
        (SENT, ["warning no-example hooks.people has no golden example"]),  # of a connection that does not have it
        (
            SENT | ADA | {"hook": "poeple"},
            ["error unknown-hook an example is of the hook `poeple`, which is not mapped"],
        ),
        (SENT | ADA | {"each": []}, ["error unknown-key `each` is not known here"]),
        (SENT | ADA | {"received": {"xml": ""}}, ["error unknown-key `xml` is not known here"]),
        (SENT | ADA | {"fails": {}}, ["error missing-key an example of a hook has"]),
        ({"name": "d", "hook": "people"}, ["error missing-key an example of a hook has"]),
    ],
)
def test_examples_of_hooks(loaded, example, told):
    """An example of a hook says what is received and what comes of it, and every hook wants one that has it."""
    found, findings = loaded(example, DELETE, DELETE | ADA, OPEN | ADA, mapping=MAPPING | HOOKS)
    assert [] == [one for one in told if not any(finding.startswith(one) for finding in findings)]
    assert bool(told) == bool(findings)
    assert found is None or ["people"] == [one.hook for one in found.hooks]


def test_received(loaded):
    """What is received is a request as it would come: names of headers in lower case, a body of bytes."""
    form = {"method": "put", "token": "t", "query": {"a": 1}, "headers": {"X-A": "b"}, "form": {"c": ["d e"]}}
    examples = (SENT | ADA | {"received": one} for one in (form, {"json": None}, {"text": "ä"}, {}))
    found, _ = loaded(*examples, mapping=MAPPING | HOOKS)
    first, *others = (one.received for one in found.hooks)
    assert Received("PUT", "t", (("a", "1"),), (("x-a", "b"),), b"c%5B0%5D=d+e") == first
    assert [b"null", "ä".encode(), b""] == [one.body for one in others]
    assert {("POST", None)} == {(one.method, one.token) for one in others}


@pytest.mark.parametrize("place", ["settings", "example", "simulator"])
def test_unknown_settings(loaded, place):
    """A setting that the mapping does not declare is a finding, wherever it is given."""
    wrong = {"usre": "ada"}
    found, findings = {
        "settings": lambda: loaded(DELETE, settings=SETTINGS | wrong),
        "example": lambda: loaded(DELETE | {"settings": wrong}),
        "simulator": lambda: loaded(DELETE, simulator={"settings": wrong}),
    }[place]()
    assert found is None
    assert "error unknown-setting example has no setting `usre`" in findings


@pytest.mark.parametrize("key", ["k-1", 7, ""])
def test_a_key_that_no_mapping_sees(loaded, key):
    """The key of an example is a UUID, as what mappings see of a caller's key."""
    found, findings = loaded(DELETE | {"idempotency_key": key})
    assert found is None
    assert any(one.startswith("error wrong-form the key of an example is") for one in findings)
