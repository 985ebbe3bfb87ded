"""Proofs of recorded messages: one that is left out is taken as right, one that is there must hold, wherever it is."""

import base64
import json
from dataclasses import replace

import pytest

from gateway.webhooks.inbound.verify import verify
from tests.webhooks.inbound.proofs import BODY, KEYS, NOW, SECRET, URL, plans, received, sign

CONTENT = b'{"id": 7}'
ACCOUNT = base64.b64encode(f"club:{SECRET}".encode()).decode()
IN_BODY = BODY | {"signature": {"path": "sig"}, "signed": [{"path": "id"}]}
PLACES = {
    "the path": ({"token": "path", "keys": KEYS}, received(CONTENT, token=SECRET)),
    "a token in a header": ({"token": {"header": "X-Token"}, "keys": KEYS}, received(CONTENT, {"X-Token": SECRET})),
    "a token in the query": (
        {"token": {"query": "t"}, "keys": KEYS},
        received(CONTENT, query=[("t", SECRET)]),
    ),
    "a token in the body": (
        {"token": {"path": "t"}, "keys": KEYS},
        received(json.dumps({"id": 7, "t": SECRET}).encode()),
    ),
    "an account": (
        {"basic": {"user": "club", "password": "{{ settings.secret }}"}},
        received(CONTENT, {"Authorization": f"Basic {ACCOUNT}"}),
    ),
    "a signature in a header": (BODY, received(CONTENT, {"X-Signature": sign(CONTENT)})),
    "a signature in the body": (IN_BODY, received(json.dumps({"id": 7, "sig": sign(b"7")}).encode())),
    "a signature of each": (
        IN_BODY | {"each": "all"},
        received(json.dumps({"all": [{"id": 7, "sig": sign(b"7")}]}).encode()),
    ),
}


def holds(node, message, *, recorded=True, secret=SECRET):
    """Say whether a message is accepted."""
    return verify(plans(node), message, {"settings": {"secret": secret}}, NOW, URL, recorded=recorded).accepted


@pytest.mark.parametrize("place", PLACES)
def test_what_a_recording_carries(place):
    """With its proof a message is accepted, with that of another key refused; without one only as a recording."""
    node, message = PLACES[place]
    without = replace(message, token=None, headers=(), query=(), body=b'{"id": 7, "all": [{"id": 7}]}')
    for recorded in (True, False):
        assert holds(node, message, recorded=recorded)
        assert not holds(node, message, recorded=recorded, secret="another-secret-of-it")
        assert recorded == holds(node, without, recorded=recorded)
    assert holds(node, replace(without, body=b"{"))  # whoever reads it says what is wrong
