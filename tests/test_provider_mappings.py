"""The mappings that are shipped: nothing is wrong with them, every example holds, and no failure tells a secret."""

import json

import pytest

from gateway.examples.playback import run_example
from gateway.model.model import load
from gateway.values.errors import GatewayError
from gateway.values.messages import Response
from gateway.values.secrets import SHORTEST, Secret
from tests import shipped


@pytest.mark.parametrize("name", shipped.FILES)
def test_check(name):
    """Nothing is wrong or doubtful in the file, and it is named for its provider."""
    plan, findings = shipped.compiled(name)
    assert [] == [str(finding) for finding in findings]
    assert name == plan.name


@pytest.mark.parametrize("name", shipped.FILES)
def test_every_operation_has_an_example(name):
    """Every operation, canonical or the vendor's own, has a golden example, and every example is of one."""
    assert [] == [str(finding) for finding in shipped.played(name)[1]]
    written = {key for key in (*shipped.EXAMPLES, *shipped.HOOKS) if key.startswith(f"{name}:")}
    assert written == set(shipped.examples_of(name))


@pytest.mark.parametrize("name", shipped.EXAMPLES)
async def test_example(name):
    """The requests are exactly as recorded, and their answers come to exactly what is written."""
    examples, example = shipped.example(name)
    assert () == (await run_example(examples, example, load())).differences


def secrets_of(examples, example):
    """Give the credentials of an example that are looked for in texts: those configured, and the token."""
    settings = example.connection.scope["settings"].values()
    held = [one.reveal() for one in settings if isinstance(one, Secret)] + [examples.token] * bool(examples.token)
    return [one for one in held if len(one) >= SHORTEST]


def echoing(answer, secrets):
    """Put the secrets into every text of a recorded answer."""
    if isinstance(answer, dict):
        return {key: echoing(value, secrets) for key, value in answer.items()} | {"message": " ".join(secrets)}
    if isinstance(answer, list):
        return [echoing(value, secrets) for value in answer]
    return f"{answer} {' '.join(secrets)}" if isinstance(answer, str) else answer


@pytest.mark.parametrize("name", shipped.CALLS)
async def test_no_secret_in_a_failure(name, replayed):
    """Whatever a provider repeats of our credentials, no error tells them."""
    examples, example = shipped.example(shipped.CALLS[name])
    secrets = secrets_of(examples, example)
    for status in (200, 400, 500):
        recorded = list(example.exchanges)

        async def send(request, status=status, recorded=recorded):
            answer = recorded.pop(0).answer if recorded else b"{}"
            return Response(status, {}, json.dumps(echoing(_decoded(answer), secrets)).encode())

        try:
            await replayed(examples, example, send)
        except GatewayError as error:
            told = f"{error!r} {error.detail} {json.dumps(error.details)} {error.provider} {error.origin}"
            assert not [secret for secret in secrets if secret in told]


def _decoded(answer):
    try:
        return json.loads(answer)
    except ValueError:
        return {"text": answer.decode(errors="replace")}
