"""What vendors publish of their own signatures is accepted, and nothing beside it. Sources stand with the vectors."""

import json
from pathlib import Path

import pytest

from gateway.documents.yaml import parse
from gateway.webhooks.inbound.verify import verify
from tests.docs_lint import blocks, read
from tests.webhooks.inbound.proofs import BODY, plans, received

DOCUMENT = Path(__file__).parents[3] / "docs" / "verify.md"
VECTORS = {one["name"]: one for one in json.loads((Path(__file__).parent / "vectors.json").read_text("utf-8"))}


def judged(vector, body=None, now=None):
    """Verify a vector, perhaps with another body or at another time."""
    block = vector["verify"] if isinstance(vector["verify"], dict) else VECTORS[vector["verify"]]["verify"]
    message = received(vector["body"].encode() if body is None else body, vector["headers"])
    scope = {"settings": {"secret": vector["secret"]}}
    return verify(plans(block), message, scope, vector["now"] if now is None else now, vector.get("url", ""))


@pytest.mark.parametrize("name", VECTORS)
def test_vector(name):
    """A published message is accepted or refused as its publisher says."""
    assert VECTORS[name]["ok"] == judged(VECTORS[name]).accepted


@pytest.mark.parametrize("name", [name for name, one in VECTORS.items() if one["ok"]])
def test_altered(name):
    """The same message with another body is refused."""
    body = VECTORS[name]["body"].encode()
    altered = body.replace(b"1130", b"1131") if b"1130" in body else body + b"&x=1"
    assert not judged(VECTORS[name], altered).accepted


@pytest.mark.parametrize("name", [name for name, one in VECTORS.items() if one["ok"] and one["now"]])
@pytest.mark.parametrize(("seconds", "accepted"), [(-300, True), (300, True), (-301, False), (301, False)])
def test_time(name, seconds, accepted):
    """A message with a time is accepted for five minutes, and as far in the future."""
    assert accepted == judged(VECTORS[name], now=VECTORS[name]["now"] + seconds).accepted


def documented():
    """Give every block of `verify` that the documentation shows, some of them one of several or a challenge alone."""
    for block in blocks(read(DOCUMENT)):
        data = parse("\n".join(line.text for line in block).encode(), "verify.md")[0].data
        if "hooks" in data:
            yield data["hooks"]["changed"]["verify"]
        elif "challenge" in data:
            yield BODY | data
        else:
            yield from [data["verify"]] if "verify" in data else data.values()


@pytest.mark.parametrize(
    "block", list(documented()), ids=lambda block: ", ".join(block) if isinstance(block, dict) else "list"
)
def test_documentation(block):
    """Every block that the documentation shows compiles, with the settings that it names."""
    assert plans(block)
