"""What the tests of the verifier share: a block of `verify` compiled as in a mapping, and messages to try it on."""

import base64
import hashlib
import hmac
from dataclasses import replace
from urllib.parse import quote, urlencode

from gateway.documents.yaml import parse
from gateway.mapping.compiler.context import Context
from gateway.mapping.compiler.hooks.verification import compile_verify
from gateway.mapping.nodes.given import Setting
from gateway.model.model import load
from gateway.values.messages import Received
from gateway.webhooks.inbound.verify import glance, verify
from tests.markdown import flow

NOW = 1_700_000_000
URL = "https://gateway.example/hooks/club/changed"
SECRET = "0123456789abcdef"
SETTINGS = {"secret": "secret", "old": "secret", "user": "string"}
SETTINGS |= dict.fromkeys(("hook_secret", "hook_token", "verify_token", "public_key"), "secret")  # of the documentation
ORIGIN = "example.yaml:1"


def compiled(node):
    """Compile a block, or several, and give the plans (None when it is wrong) with the codes of the findings."""
    document, findings = parse(f"verify: {flow(node)}\n".encode(), "example.yaml")
    assert [] == findings
    context = Context(document, load())
    context.settings = {name: Setting(name, kind, False, None, (), "") for name, kind in SETTINGS.items()}
    plans = compile_verify(context, document.data["verify"], ("verify",))
    return plans, [finding.code for finding in context.findings]


def plans(node):
    """Compile a block that is right."""
    found, codes = compiled(node)
    assert [] == [code for code in codes if code != "open-hook"]
    return found


def received(body=b"", headers=(), *, query=(), token=None, method="POST"):
    """Make a message; headers are an object or pairs."""
    pairs = headers.items() if isinstance(headers, dict) else headers
    return Received(method, token, tuple(query), tuple((name.lower(), value) for name, value in pairs), body)


def judged(node, message, *, now=NOW, **settings):
    """Verify a message; without settings, those of `SECRET`. What is seen of it before its body never contradicts."""
    texts = [text.encode("utf-8", "surrogatepass") for pair in message.query for text in pair]
    query = urlencode(list(zip(texts[::2], texts[1::2], strict=True)), quote_via=quote)
    about = {"settings": settings or {"secret": SECRET}}, now, URL + (f"?{query}" if query else "")
    found = plans(node)
    verdict = verify(found, message, *about)
    agrees(verdict, glance(found, replace(message, body=b""), *about))
    return verdict


def agrees(verdict, seen):
    """Hold that a glance refuses nothing that is accepted, and takes nothing for proved that is refused."""
    assert not (seen.proved and seen.reason)
    assert not (verdict.accepted and seen.reason)
    assert verdict.accepted or not seen.proved


def accepted(node, message, **more):
    """Say whether a message is accepted; a refused one has a reason and no answer."""
    verdict = judged(node, message, **more)
    assert verdict.accepted or (verdict.reason and verdict.answer is None)
    return verdict.accepted


def sign(content, *, key=SECRET, algorithm="sha256", encoding="hex"):
    """Write an HMAC."""
    digest = hmac.new(key.encode() if isinstance(key, str) else key, content, getattr(hashlib, algorithm)).digest()
    return digest.hex() if encoding == "hex" else base64.b64encode(digest).decode()


KEYS = ["{{ settings.secret }}"]
BODY = {
    "hmac": "sha256",
    "keys": KEYS,
    "signature": {"header": "x-signature"},
    "signed": ["body"],
}
"""The body signed and nothing else."""
TIMED = {
    "hmac": "sha256",
    "keys": KEYS,
    "signature": {"header": "x-signature", "split": ",", "pair": "=", "pick": "v1"},
    "timestamp": {"header": "x-signature", "split": ",", "pair": "=", "pick": "t"},
    "signed": ["timestamp", ".", "body"],
}
"""Time and body signed, both in one header."""
STANDARD = {
    "hmac": "sha256",
    "keys": KEYS,
    "key": {"strip_prefix": "whsec_", "as": "base64"},
    "signature": {"header": "webhook-signature", "split": " ", "pair": ",", "pick": "v1", "as": "base64"},
    "timestamp": {"header": "webhook-timestamp"},
    "signed": [{"header": "webhook-id"}, ".", "timestamp", ".", "body"],
}
"""Standard Webhooks 1.0."""
