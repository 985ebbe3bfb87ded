"""What we sign, checked with the library that consumers would use."""

import base64
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from gateway.values.secrets import Secret
from gateway.webhooks.outbound.signing import key_of, new_secret, signature_headers

KEY, FORMER = bytes(range(24)), bytes(range(64))
BODY = '{"id":"evt_1","name":"Zoë"}'.encode()


def headers(*keys, body=BODY, at=None):
    return dict(signature_headers("evt_1", int(time.time()) if at is None else at, body, keys))


def test_the_public_vector():
    """The specification's own example gives its own signature."""
    key = key_of(Secret("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"))
    found = dict(signature_headers("msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, b'{"test": 2432232314}', [key]))
    assert {
        "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "webhook-timestamp": "1614265330",
        "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    } == found


@given(key=st.binary(min_size=24, max_size=64), text=st.text(max_size=200))
@settings(max_examples=50)
def test_a_consumer_verifies_with_the_text_of_the_secret(key, text):
    """The public library, given the secret as it is written, takes what is signed with it, whatever the body."""
    secret = new_secret(key)
    told = headers(key_of(secret), body=text.encode())
    Webhook(secret.reveal()).verify(text.encode(), told, json_parse=False)


@pytest.mark.parametrize("known", [KEY, FORMER])
def test_while_a_secret_is_replaced_both_verify(known):
    """A message is signed with every key that holds: whichever the consumer knows is enough."""
    Webhook(new_secret(known).reveal()).verify(BODY, headers(KEY, FORMER))


@pytest.mark.parametrize(
    ("body", "changed"),
    [
        (BODY + b" ", {}),
        (BODY, {"webhook-id": "evt_2"}),
        (BODY, {"webhook-timestamp": str(int(time.time()) + 9)}),
        (BODY, dict(signature_headers("evt_1", 1, BODY, [FORMER]))),
    ],
)
def test_what_was_changed_does_not_verify(body, changed):
    """Body, id and timestamp are signed, each with its place."""
    with pytest.raises(WebhookVerificationError):
        Webhook(new_secret(KEY).reveal()).verify(body, headers(KEY) | changed)


@pytest.mark.parametrize("size", [0, 23, 65])
def test_the_size_of_a_new_key(size):
    """A key that is too short or too long makes no secret."""
    with pytest.raises(ValueError, match="24 to 64"):
        new_secret(bytes(size))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "whsec_",
        "a plain password of some length",
        "whsec_a plain password of some length",
        "whsec_" + base64.b64encode(bytes(23)).decode(),
        "whsec_" + base64.b64encode(bytes(65)).decode(),
        "whsec_" + base64.urlsafe_b64encode(b"\xff" * 24).decode(),
        "whsec_" + base64.b64encode(bytes(25)).decode().rstrip("="),
        base64.b64encode(bytes(24)).decode(),
        "whsec_" + "ü" * 32,
    ],
)
def test_no_secret(text):
    """A secret has one form, so that the same text works in every library; the refusal does not repeat it."""
    with pytest.raises(ValueError, match="24 to 64 bytes in base64") as caught:
        key_of(Secret(text))
    assert len(text) < 7 or text not in f"{caught.value}"
