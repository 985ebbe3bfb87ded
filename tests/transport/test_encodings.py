"""Compressed bodies: whole or refused, whatever the bytes and however they arrive."""

import gzip
import itertools
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.transport.encodings import CodingBroken, Decoder

CODED = {
    "gzip": gzip.compress,
    "x-gzip": gzip.compress,
    "deflate": zlib.compress,
    "Deflate ": lambda data: (one := zlib.compressobj(wbits=-15)).compress(data) + one.flush(),
}
CONTENT = st.binary(max_size=300) | st.integers(0, 200_000).map(bytes)


def read(coding, body, cut=()):
    """Decode a body that arrives in pieces that end at these places."""
    decoder, ends = Decoder(coding), [0, *sorted(cut), len(body)]
    found = b"".join(piece for begin, end in itertools.pairwise(ends) for piece in decoder.feed(body[begin:end]))
    decoder.end()
    return found


@pytest.mark.parametrize("coding", CODED)
@given(CONTENT, st.lists(st.integers(0, 400), max_size=4))
def test_whole(coding, content, cut):
    """What was compressed comes back, in whatever pieces it arrives; no piece is large."""
    body = CODED[coding](content)
    assert content == read(coding, body, [min(at, len(body)) for at in cut])
    assert all(len(piece) <= 65_536 for piece in Decoder(coding).feed(body))


@pytest.mark.parametrize("coding", CODED)
@given(CONTENT, st.integers(1, 10**9))
def test_cut_off(coding, content, at):
    """A body that was cut off anywhere is refused; one of which nothing came is empty, as that of a HEAD."""
    body = CODED[coding](content)
    with pytest.raises(CodingBroken):
        read(coding, body[: 1 + at % (len(body) - 1)])
    assert b"" == read(coding, b"")


@given(CONTENT, CONTENT, st.integers(0, 400), st.sampled_from([b"", bytes(9), b"x"]))
def test_members(one, another, at, behind):
    """A gzip body may have several members (RFC 1952 §2.2); what else stands behind them is left."""
    body = gzip.compress(one) + gzip.compress(another)
    assert one + another == read("gzip", body + behind, [min(at, len(body))])


@given(st.sampled_from(["gzip", "deflate", "br", "gzip, gzip", "\xe9"]), st.binary(min_size=1, max_size=99))
def test_anything(coding, body):
    """Any bytes in any coding are read, or refused by the one error; without a coding they are what they are."""
    assert body == read("", body) == read("Identity", body)
    try:
        read(coding, body)
    except CodingBroken:
        return
    assert coding in {"gzip", "deflate"}
