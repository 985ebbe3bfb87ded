"""What we send is signed as Standard Webhooks has it (version 1.0.0, symmetric): no clock, no randomness, no I/O.

A secret has one form, so that a consumer gives any library of theirs the very text that is configured here: `whsec_`
and 24 to 64 bytes in base64. Other texts are refused rather than taken as bytes, for the libraries would decode them.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Iterable
from typing import Final

from gateway.values.secrets import Secret

PREFIX: Final = "whsec_"
FEWEST: Final = 24
MOST: Final = 64
"""Bytes of a key (Standard Webhooks, "Signature scheme")."""


def new_secret(random: bytes) -> Secret:
    """Write a new secret; `random` is its key, 24 to 64 bytes from a cryptographic source. ValueError for others."""
    if not FEWEST <= len(random) <= MOST:
        raise ValueError(f"the key of a secret has {FEWEST} to {MOST} bytes")
    return Secret(PREFIX + base64.b64encode(random).decode())


def key_of(secret: Secret) -> bytes:
    """Read the key of a secret. Raises ValueError, which does not repeat it, when it has not the one form."""
    text = secret.reveal()
    wrong = f"a secret that signs is {PREFIX!r} and {FEWEST} to {MOST} bytes in base64"
    try:
        key = base64.b64decode(text.removeprefix(PREFIX).encode("ascii"), validate=True)
    except (UnicodeEncodeError, binascii.Error):
        raise ValueError(wrong) from None
    if not text.startswith(PREFIX) or not FEWEST <= len(key) <= MOST:
        raise ValueError(wrong)
    return key


def signature_headers(event: str, at: int, body: bytes, keys: Iterable[bytes]) -> tuple[tuple[str, str], ...]:
    """Give the headers of one attempt: the event's id, the attempt's seconds since 1970, a signature for each key.

    While a secret is being replaced the keys are the current one and the one before: a consumer knows one of them.
    """
    content = f"{event}.{at}.".encode() + body
    signatures = (base64.b64encode(hmac.digest(key, content, hashlib.sha256)).decode() for key in keys)
    return (
        ("webhook-id", event),
        ("webhook-timestamp", str(at)),
        ("webhook-signature", " ".join(f"v1,{signature}" for signature in signatures)),
    )
