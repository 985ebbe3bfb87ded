"""Challenges: who asks whether we are here is answered what the provider wants, and nothing that helps anyone else."""

import json

import pytest

from tests.webhooks.inbound.proofs import BODY, SECRET, compiled, judged, received, sign

SUBSCRIBE = {
    "method": "GET",
    "query": {"hub.mode": "subscribe"},
    "unproved": True,
    "token": {"query": "hub.verify_token"},
    "keys": ["{{ settings.old }}"],
    "value": {"query": "hub.challenge"},
}
"""A GET with a token, of which a text is wanted back."""
CRC = {
    "method": "GET",
    "unproved": True,
    "value": {"query": "crc_token"},
    "json": {"response_token": "sha256={{ signature }}"},
    "as": "base64",
}
"""A GET of which an HMAC is wanted back."""
VALIDATION = {
    "when": "event == 'endpoint.url_validation'",
    "value": {"path": "payload.plainToken"},
    "json": {"plainToken": "{{ value }}", "encryptedToken": "{{ signature }}"},
}
"""A signed message of which text and HMAC are wanted back."""


def answered(challenge, message, **settings):
    """Give the verdict of a hook that has this challenge."""
    return judged(BODY | {"challenge": challenge}, message, **(settings or {"secret": SECRET, "old": "verify me"}))


def signed(body):
    """Make a signed message of JSON."""
    content = json.dumps(body).encode()
    return received(content, {"X-Signature": sign(content)})


def asked(*query, body=b""):
    """Make a GET."""
    return received(body, query=query, method="GET")


def subscribe(value="1158201444", token="verify me"):
    """Make a GET with a token."""
    return asked(("hub.mode", "subscribe"), ("hub.verify_token", token), ("hub.challenge", value))


def test_echo():
    """The text is sent back as plain text that no browser takes for a page."""
    verdict = answered(SUBSCRIBE, subscribe("<script>"))
    assert verdict.accepted
    assert (200, b"<script>") == (verdict.answer.status, verdict.answer.body)
    assert {"Content-Type": "text/plain; charset=utf-8", "X-Content-Type-Options": "nosniff"} == dict(
        verdict.answer.headers
    )


@pytest.mark.parametrize(
    "message",
    [
        subscribe(token="another"),
        subscribe(token=""),
        subscribe(token="é\ud800"),
        subscribe("x" * 1025),
        subscribe("a\r\nSet-Cookie: b"),
        subscribe("\ud800"),
        asked(("hub.mode", "subscribe"), ("hub.challenge", "1")),
        asked(("hub.mode", "unsubscribe"), ("hub.verify_token", "verify me"), ("hub.challenge", "1")),
        asked(("hub.mode", "subscribe"), ("hub.verify_token", "verify me")),
        asked(("hub.mode", "subscribe"), *[("hub.verify_token", "verify me")] * 2, ("hub.challenge", "1")),
    ],
)
def test_not_echoed(message):
    """A10: without the right token, or with a text that is too long or no line, nothing is sent back."""
    verdict = answered(SUBSCRIBE, message)
    assert (False, None) == (verdict.accepted, verdict.answer)


def test_other_method():
    """What looks like a challenge but comes with another method is an unsigned message."""
    message = received(b"", query=subscribe().query)
    assert not answered(SUBSCRIBE, message).accepted


def test_hmac():
    """The HMAC of a text is sent back, of one that cannot be a message."""
    verdict = answered(CRC, asked(("crc_token", "abc-123")))
    assert {"response_token": f"sha256={sign(b'abc-123', encoding='base64')}"} == json.loads(verdict.answer.body)
    assert ("Content-Type", "application/json") in verdict.answer.headers


@pytest.mark.parametrize("text", ['{"event": "forged"}', "msg.1700000000.x", "v0:1700000000:x", "a" * 257, "a b", "é"])
def test_no_oracle(text):
    """What could be the signed bytes of a message is not signed for whoever asks."""
    verdict = answered(CRC, asked(("crc_token", text)))
    assert (False, None) == (verdict.accepted, verdict.answer)


def test_signed_challenge():
    """A challenge that the provider signs is answered once it is verified, and only then."""
    body = {"event": "endpoint.url_validation", "payload": {"plainToken": "qgg8vlvZRS6UYooatFL8Aw"}}
    message = signed(body)
    verdict = answered(VALIDATION, message)
    assert {"plainToken": "qgg8vlvZRS6UYooatFL8Aw", "encryptedToken": sign(b"qgg8vlvZRS6UYooatFL8Aw")} == json.loads(
        verdict.answer.body
    )
    forged = answered(VALIDATION, received(message.body, {"X-Signature": "0" * 64}))
    assert (False, None) == (forged.accepted, forged.answer)


def test_constant_answers():
    """A ping is answered a constant, a question whether signatures are checked an empty 200; messages are neither."""
    pong = [{"when": "type == `1`", "json": {"type": 1}}, {"when": "events == `[]`"}]
    assert b'{"type": 1}' == answered(pong, signed({"type": 1})).answer.body
    empty = answered(pong, signed({"events": []})).answer
    assert (200, b"") == (empty.status, empty.body)
    for body in ({"type": 2}, {"events": [1]}, [], "text"):
        verdict = answered(pong, signed(body))
        assert (True, None) == (verdict.accepted, verdict.answer)


@pytest.mark.parametrize("when", ["type == `1` && kind == 'a'", "{{ body.type == 1 and body.kind == 'a' }}"])
def test_what_decides(when):
    """Whether a message is a challenge is told by a path on its body or by a template; one that fails says no."""
    pong = {"when": when, "json": {"type": 1}}
    assert b'{"type": 1}' == answered(pong, signed({"type": 1, "kind": "a"})).answer.body
    for body in ({"type": 1, "kind": "b"}, {"type": 1}, [], "text"):
        assert (True, None) == (answered(pong, signed(body)).accepted, answered(pong, signed(body)).answer)


def test_names_that_decide():
    """A template that says whether a message is a challenge sees how it was sent, and needs no body for that."""
    pong = {"when": "{{ method == 'POST' and headers['x-kind'] == settings.user }}", "json": {"type": 1}}
    message = received(b"", {"X-Signature": sign(b""), "X-Kind": "club"})
    settings = {"secret": SECRET, "user": "club"}
    assert b'{"type": 1}' == answered(pong, message, **settings).answer.body
    assert answered(pong, message, **settings | {"user": "other"}).answer is None


def test_header():
    """A handshake is answered in the header it came in, and never with what cannot stand in one."""
    challenge = {"unproved": True, "value": {"header": "X-Hook-Secret"}, "header": "X-Hook-Secret"}
    verdict = answered(challenge, received(b"", {"X-Hook-Secret": "b537207f20cbfa02357cf448134da559"}))
    assert ("X-Hook-Secret", "b537207f20cbfa02357cf448134da559") in verdict.answer.headers
    assert b"" == verdict.answer.body
    for text in ("a b", "é", "a\nb", "\udcff", "a" * 1025):
        assert not answered(challenge, received(b"", {"X-Hook-Secret": text})).accepted


@pytest.mark.parametrize(
    "challenge",
    [
        {"json": {"a": 1}},
        SUBSCRIBE | {"unproved": False},
        {name: one for name, one in SUBSCRIBE.items() if name != "keys"},
        {"when": "a", "header": "X-A"},
        {"when": "a", "json": {"a": "{{ signature }}"}},
        {"value": {"query": "a", "header": "b"}},
    ],
)
def test_contradictions(challenge):
    """A challenge that is known by nothing, or whose parts do not fit, is a finding."""
    found, codes = compiled(BODY | {"challenge": challenge})
    assert found is None
    assert set(codes) == {"wrong-form"}
