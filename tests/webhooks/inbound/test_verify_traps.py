"""Each trap that verifiers have fallen into, and each attack on a hook that a verifier answers for."""

import base64
import json

import pytest

from gateway.mapping.compiler.hooks.verify_keys import weak_keys
from tests.webhooks.inbound.proofs import (
    BODY,
    KEYS,
    NOW,
    SECRET,
    STANDARD,
    TIMED,
    URL,
    accepted,
    compiled,
    judged,
    plans,
    received,
    sign,
)

CONTENT = b'{"id": 7}'
GOOD = sign(CONTENT)
STAMP = sign(f"{NOW}.".encode() + CONTENT)
JSON_SIGNATURE = BODY | {"signature": {"path": "sig"}, "signed": [{"path": "token"}]}


def standard(text=None, *, id_="msg_1", stamp=str(NOW), body=CONTENT):
    """Make the headers of Standard Webhooks, signed unless a signature is given."""
    signed = sign(f"{id_}.{stamp}.".encode() + body, encoding="base64")
    return {"webhook-id": id_, "webhook-timestamp": stamp, "webhook-signature": text or f"v1,{signed}"}


def under(node, message, **more):
    """Verify with a key in base64, as Standard Webhooks has it."""
    return accepted(node, message, secret="whsec_" + base64.b64encode(SECRET.encode()).decode(), **more)


def test_right():
    """The messages that the traps are laid for are accepted as they are."""
    assert accepted(BODY, received(CONTENT, {"X-Signature": GOOD}))
    assert accepted(BODY, received(CONTENT, {"X-Signature": GOOD.upper()}))
    assert accepted(TIMED, received(CONTENT, {"X-Signature": f"t={NOW}, v1={STAMP}"}))
    assert under(STANDARD, received(CONTENT, standard()))


@pytest.mark.parametrize(
    "signature",
    [
        *("", " ", "sha256=", "é" * 64, "\udcff\udc80", "\ud800", GOOD[:-2], GOOD[:16], GOOD + "00", GOOD[:-1] + "g"),
        *(" ".join(GOOD[at : at + 2] for at in range(0, 64, 2)), f" {GOOD[1:]}", "0x" + GOOD, GOOD + "\n"),
        *("\u0663" * 64, "0" * 64, GOOD * 200),
    ],
)
def test_malformed_hex(signature):
    """A1: a signature that is empty, not ASCII, with blanks, cut off, too long or of other digits is refused."""
    assert not accepted(BODY, received(CONTENT, {"X-Signature": signature}))


@pytest.mark.parametrize("encoding", ["base64", "base64url"])
@pytest.mark.parametrize("junk", ["!!{}", "{}!!", "{}\n", " {}", "{}=", "{}é", "{}\udcff", "="])
def test_base64_with_junk(encoding, junk):
    """Base64 is read strictly: Python's own way skips what is none of it."""
    right = sign(CONTENT, encoding="base64")
    right = right if encoding == "base64" else right.translate(str.maketrans("+/", "-_")).rstrip("=")
    node = BODY | {"signature": {"header": "x-signature", "as": encoding}}
    assert accepted(node, received(CONTENT, {"X-Signature": right}))
    assert not accepted(node, received(CONTENT, {"X-Signature": junk.format(right)}))


def test_base64_has_one_form():
    """Of the texts that decode to the same bytes only the proper one is taken."""
    right = sign(CONTENT, encoding="base64")
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    other = right[:-2] + alphabet[alphabet.index(right[-2]) + 1] + "="
    node = BODY | {"signature": {"header": "x-signature", "as": "base64"}}
    assert base64.b64decode(other) == base64.b64decode(right)
    assert not accepted(node, received(CONTENT, {"X-Signature": other}))


@pytest.mark.parametrize(
    "stamp",
    [
        *("", "nan", "inf", "-1", ".9", "1_700_000_000", " 1700000000", "1700000000 ", "+1700000000", "1.7e9"),
        *(
            "\u0661\u0667" + "\u0660" * 8,
            "1700000000.0",
            str(NOW * 1000),
            str(NOW - 301),
            str(NOW + 301),
            "0" + str(NOW),
            "9" * 5000,
        ),
    ],
)
def test_timestamps(stamp):
    """A2: a time that is old, future, of another unit or no plain number is refused, however well it is signed."""
    signature = sign(stamp.encode() + b"." + CONTENT)
    assert not accepted(TIMED, received(CONTENT, {"X-Signature": f"t={stamp},v1={signature}"}))


@pytest.mark.parametrize("header", ["webhook-id", "webhook-timestamp", "webhook-signature"])
def test_duplicated_headers(header):
    """A header that came twice is refused, since each side could read another one; so is one that is missing."""
    headers = standard()
    pairs = [*headers.items(), (header, headers[header])]
    assert not under(STANDARD, received(CONTENT, pairs))
    assert not under(STANDARD, received(CONTENT, {name: one for name, one in headers.items() if name != header}))


def test_many_candidates():
    """Sixteen signatures are looked at, and more are refused before any is compared; other versions do not count."""
    wrong = "v1," + base64.b64encode(b"0" * 32).decode()
    right = standard()["webhook-signature"]
    assert under(STANDARD, received(CONTENT, standard(" ".join([wrong] * 15 + [right]))))
    assert not under(STANDARD, received(CONTENT, standard(" ".join([wrong] * 16 + [right]))))
    assert not under(STANDARD, received(CONTENT, standard(" ".join([wrong] * 10_000))))
    assert under(STANDARD, received(CONTENT, standard(" ".join(["v2,x"] * 100 + [right]))))
    assert not under(STANDARD, received(CONTENT, standard(right.replace("v1", "v2"))))


@pytest.mark.parametrize("id_", ["a.b", ".", f"msg.{NOW}"])
def test_separator_in_an_id(id_):
    """An id that holds the separator is refused: its end could be moved into what stands behind it."""
    assert not under(STANDARD, received(CONTENT, standard(id_=id_)))


@pytest.mark.parametrize(
    "body", [CONTENT + b" ", CONTENT[1:], b"\xef\xbb\xbf" + CONTENT, CONTENT.decode().encode("utf-16")]
)
def test_other_bytes(body):
    """A8: the bytes as they came are verified: one more, a byte order mark or another charset is refused."""
    assert not accepted(BODY, received(body, {"X-Signature": GOOD}))


@pytest.mark.parametrize("body", [b"\xff\xfe\x00", b"", b"\x00" * 9])
def test_any_bytes(body):
    """A body that is no text is verified like any other."""
    assert accepted(BODY, received(body, {"X-Signature": sign(body)}))
    assert not accepted(BODY, received(body + b"\x00", {"X-Signature": sign(body)}))


@pytest.mark.parametrize(
    "body", [b"\xff", b"[" * 100_000, b'{"sig": 1e999}', b'{"sig": "a", "sig": "b"}', b"null", b"[]", b'{"token": {}}']
)
def test_bodies_that_hold_their_signature(body):
    """What is no JSON, or has nothing where the signature should be, is refused without a fuss."""
    assert not accepted(JSON_SIGNATURE, received(body))


def test_repeated_fields():
    """A body that gives a field twice is refused: the signature could be of one and the reader see the other."""
    body = json.dumps({"token": "a", "sig": sign(b"a")})
    assert accepted(JSON_SIGNATURE, received(body.encode()))
    assert not accepted(JSON_SIGNATURE, received(body.replace("{", '{"token": "b", ').encode()))


def test_sources_are_not_confused():
    """A5: what is signed with the secret of one connection is refused by another."""
    message = received(CONTENT, {"X-Signature": GOOD})
    assert not accepted(BODY, message, secret="another secret")


def test_empty_secret():
    """An empty, missing or unreadable key verifies nothing, not even what was signed with an empty one."""
    message = received(CONTENT, {"X-Signature": sign(CONTENT, key=b"")})
    assert [False] * 3 == [accepted(BODY, message, secret=one) for one in ("", None, 7)]
    assert not accepted(BODY | {"key": {"as": "base64"}}, message, secret="!")


@pytest.mark.parametrize("forged", ["Host", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Original-URL"])
def test_url_is_configured(forged):
    """A14: the URL that is signed is the configured one, whatever a header says."""
    node = BODY | {"signed": ["url", "body"]}
    assert accepted(node, received(CONTENT, {"X-Signature": sign(URL.encode() + CONTENT)}))
    other = "https://evil.example/hooks/club/changed"
    signature = sign(other.encode() + CONTENT)
    assert not accepted(node, received(CONTENT, {"X-Signature": signature, forged: "evil.example"}))


@pytest.mark.parametrize(
    ("block", "headers"),
    [
        (BODY, {}),
        (BODY, {"X-Signature": "0" * 64}),
        (TIMED, {"X-Signature": f"t=1,v1={STAMP}"}),
        (BODY | {"keys": ["{{ settings.old }}"]}, {"X-Signature": GOOD}),
    ],
)
def test_nothing_is_told(block, headers):
    """A13: a refusal tells no secret, no signature that would be right and nothing that was sent."""
    verdict = judged(block, received(CONTENT, headers))
    assert (False, None) == (verdict.accepted, verdict.answer)
    for told in (SECRET, GOOD, STAMP, sign(CONTENT, encoding="base64"), "0" * 8, "id"):
        assert told not in verdict.reason.replace("signed", "").replace("did", "").replace("header", "")


def test_none_is_explicit():
    """A7: nothing is verified where the mapping says so, with a warning, and only there."""
    assert ((), ["open-hook"]) == compiled("none")
    assert accepted("none", received(CONTENT))
    assert (None, ["not-one-scheme"]) == compiled({"challenge": {"when": "a", "json": 1}})


@pytest.mark.parametrize(
    ("block", "secret", "problem"),
    [
        (BODY, "", "the key is shorter than 8 bytes"),
        (BODY, "1234567", "the key is shorter than 8 bytes"),
        (BODY, None, "none of the keys is given, so that no message could be verified"),
        (BODY | {"key": {"as": "base64"}}, "AAAAAAAAA", "the key is not base64"),
        (BODY | {"key": {"as": "base64"}}, "QUJDREVG", "the key is shorter than 8 bytes"),
        (BODY | {"key": {"as": "hex"}}, "0x0011", "the key is not hex"),
        (BODY | {"asymmetric": "ed25519", "hmac": None, "key": {"as": "hex"}}, "00" * 31, "the key is no public key"),
        ({"token": "path", "keys": KEYS}, "abc", "the key is shorter than 8 bytes"),
        (
            {"jwt": {"algorithms": ["HS256"]}, "keys": KEYS, "signature": {"header": "j"}},
            SECRET,
            "shorter than 32 bytes",
        ),
    ],
)
def test_weak_keys(block, secret, problem):
    """An empty, short or unreadable key is found when a connection is bound, and the key is not told."""
    found = weak_keys(plans({key: one for key, one in block.items() if one}), {"settings": {"secret": secret}})
    assert ["secret"] == [setting for setting, _ in found]
    assert problem in found[0][1]
    assert not secret or secret not in found[0][1]


def test_strong_keys():
    """A key that is long enough is not found, nor is one that an optional block would need."""
    assert [] == weak_keys(plans(BODY), {"settings": {"secret": "12345678"}})
    optional = [
        {"token": "path", "keys": ["{{ settings.old }}"]},
        BODY | {"needs": {"secret": "not every account has one"}},
    ]
    assert [] == weak_keys(plans(optional), {"settings": {"old": "a long token", "secret": None}})
