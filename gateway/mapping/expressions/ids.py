"""Ids that are made of other texts. Nothing here is random: what is, the engine is handed."""

from __future__ import annotations

import hashlib
import json


def uuid_of(*parts: str | float) -> str:
    """Give the UUID that these parts make, always the same: of 122 bits of their SHA-256 (RFC 9562, section 5.8).

    Its version is 4, since providers refuse others, and nobody can tell it from a random one.
    """
    held = bytearray(hashlib.sha256(json.dumps(parts).encode()).digest()[:16])
    held[6] = held[6] & 0x0F | 0x40
    held[8] = held[8] & 0x3F | 0x80
    text = held.hex()
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"
