"""Keys in the configuration file: what opens the gateway is known to nobody who must not open it."""

import pytest

from gateway.config import load


@pytest.fixture
def told(tmp_path):
    """Give a function that loads a text and returns its findings as `line:column code message`."""

    def of(text):
        path = tmp_path / "gateway.yaml"
        path.write_text(text, encoding="utf-8")
        _, findings = load(path, {})
        return [f"{one.line}:{one.column} {one.code} {one.message}" for one in findings]

    return of


@pytest.mark.parametrize("owner", ["admin.token", "web"])
@pytest.mark.parametrize("kind", ["provider", "consumer"])
def test_no_key_opens_two_kinds_of_doors(told, owner, kind):
    """Neither a provider nor a consumer of events has a secret with which it could call or administer the gateway."""
    keys = {name: f"whsec_{number}{'A' * 31}" for number, name in enumerate(("admin.token", "web", "nobody"))}

    def findings(key):
        settings = f", settings: {{n: 1, token: {key}}}" if kind == "provider" else ""
        consumer = f"webhooks: [{{url: 'https://a.example', events: ['*'], secret: {key}}}]"
        return told(
            f"admin: {{token: {keys['admin.token']}}}\n"
            f"callers: {{web: {{key: {keys['web']}, may: [read]}}}}\n"
            f"connections: {{club: {{provider: example{settings}}}}}\n{consumer if kind == 'consumer' else ''}"
        )

    (found,) = findings(keys[owner])
    place = "3:65" if kind == "provider" else "4:62"
    assert found.startswith(f"{place} shared-key is also the key of `{owner}`; whoever knows this value could call")
    assert [] == findings(keys["nobody"])
