"""Whatever comes in there is a verdict, and a message is accepted only as it was signed."""

import base64
import json
from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.values.messages import Received
from gateway.webhooks.inbound.verify import Verdict, glance, verify
from tests.webhooks.inbound.proofs import BODY, KEYS, NOW, SECRET, STANDARD, TIMED, URL, agrees, plans, received, sign

ASCII = st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7F), min_size=1, max_size=8)
ANY = st.text(max_size=40) | st.text(st.characters(categories=["Cs", "Nd", "P", "Lu"]), max_size=20)
NAMES = st.sampled_from(["x-signature", "x-time", "webhook-id", "authorization", "x-jwt", "q"])
BLOCKS = {
    "body": BODY,
    "timed": TIMED,
    "standard": STANDARD,
    "token": {"token": {"header": "x-signature", "prefix": "B"}, "keys": KEYS},
    "basic": {"basic": {"user": "club", "password": KEYS[0]}},
    "jwt": {"jwt": {"algorithms": ["HS256", "HS512"]}, "keys": KEYS, "signature": {"header": "x-jwt"}},
    "asymmetric": {
        "asymmetric": "ed25519",
        "keys": ["00" * 32],
        "key": {"as": "hex"},
        "signature": {"header": "x-signature"},
        "signed": ["body"],
    },
    "form": BODY | {"signed": ["url", "query", "method", "form"]},
    "each": BODY | {"each": "@", "signature": {"path": "s"}, "signed": [{"join": "", "paths": ["@", "a"]}]},
    "fields": BODY | {"signature": {"path": "s"}, "timestamp": {"path": "t", "unit": "iso"}, "signed": ["timestamp"]},
    "digest": BODY | {"digest": {"query": "q"}, "signed": [{"query": "q"}, "secret"]},
    "challenge": BODY
    | {
        "challenge": [
            {"unproved": True, "value": {"query": "q"}, "json": {"a": "{{ signature }}"}},
            {"unproved": True, "value": {"header": "x-time"}, "header": "X-Time"},
            {"when": "@", "value": {"path": "s"}},
        ]
    },
}
PLANS = {name: plans(block) for name, block in BLOCKS.items()}
SCOPE = {"settings": {"secret": SECRET}}
PARSED = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["s", "t", "a"]), inner, max_size=3),
)
BODIES = st.binary(max_size=60) | PARSED.map(lambda value: json.dumps(value).encode())
MESSAGES = st.builds(
    Received,
    st.sampled_from(["GET", "POST", "\ud800"]),
    st.none() | ANY,
    st.lists(st.tuples(NAMES, ANY), max_size=3).map(tuple),
    st.lists(st.tuples(NAMES, ANY), max_size=6).map(tuple),
    BODIES,
)


@settings(max_examples=100)
@given(MESSAGES)
def test_always_a_verdict(message):
    """Any headers, query and body give a verdict of each scheme, and none that is accepted without being answered."""
    for found in PLANS.values():
        verdict = verify(found, message, SCOPE, NOW, URL)
        assert isinstance(verdict, Verdict)
        assert not verdict.accepted or verdict.answer is not None
        assert verdict.accepted != bool(verdict.reason)
        agrees(verdict, glance(found, replace(message, body=b""), SCOPE, NOW, URL))


@settings(max_examples=60)
@given(st.binary(max_size=80), st.integers(0, 255), st.integers(0, 79), st.integers(-300, 300))
def test_only_what_was_signed(body, bit, at, late):
    """A signed message is accepted; with any one bit of its body, time or signature flipped it is refused."""
    stamp = NOW + late
    digest = bytes.fromhex(sign(f"{stamp}.".encode() + body))

    def accepted(content, time, signature):
        message = received(content, {"X-Signature": f"t={time},v1={signature.hex()}"})
        return verify(PLANS["timed"], message, SCOPE, NOW, URL).accepted

    assert accepted(body, stamp, digest)
    flipped = bytearray(digest)
    flipped[bit // 8] ^= 1 << bit % 8
    assert not accepted(body, stamp, bytes(flipped))
    assert not accepted(body, stamp ^ 1, digest)
    if body:
        other = bytearray(body)
        other[at % len(body)] ^= 1 << bit % 8
        assert not accepted(bytes(other), stamp, digest)


@settings(max_examples=60)
@given(
    st.binary(max_size=40),
    st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7F), min_size=1, max_size=8),
    st.integers(0, 43),
)
def test_one_signature_text(body, junk, at):
    """Of all the texts that could stand for the bytes of a signature in base64 only one is accepted."""
    block = PLANS["standard"]
    text = sign(f"m.{NOW}.".encode() + body, encoding="base64")
    key = {"settings": {"secret": base64.b64encode(SECRET.encode()).decode()}}

    def accepted(signature):
        headers = {"webhook-id": "m", "webhook-timestamp": str(NOW), "webhook-signature": f"v1,{signature}"}
        return verify(block, received(body, headers), key, NOW, URL).accepted

    assert accepted(text)
    changed = text[:at] + junk + text[at + len(junk) :]
    assert (changed == text) == accepted(changed)
