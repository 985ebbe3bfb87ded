"""Bodies as they were before they were compressed (RFC 9110 §8.4.1), and whether they came whole.

A body that ends before its compression does was cut off, whatever Content-Length says: aiohttp takes it as whole. What
is decompressed comes in bounded pieces, so that the reader stops a bomb after one of them.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from typing import Final

_PIECE: Final = 65_536
"""Most bytes of a piece."""
_GZIP: Final = 16 + zlib.MAX_WBITS
_ZLIB: Final = zlib.MAX_WBITS
_RAW: Final = -zlib.MAX_WBITS
_PLAIN: Final = frozenset({"", "identity"})
_MAGIC: Final = b"\x1f"


class CodingBroken(Exception):
    """A body is not in the coding that its header names, ends before it does, or the coding is not known."""


class Decoder:
    """Takes a body up piece by piece. `coding` is the value of Content-Encoding: gzip, deflate, or none."""

    __slots__ = ("_coding", "_stream")

    def __init__(self, coding: str) -> None:
        self._coding = coding.strip().lower().removeprefix("x-")
        self._stream: zlib._Decompress | None = None

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Give what these bytes mean, in pieces. Raises CodingBroken."""
        if self._coding in _PLAIN:
            yield data
            return
        while data:
            stream = self._stream
            if stream is None or (stream.eof and self._coding == "gzip" and data.startswith(_MAGIC)):
                stream = self._stream = self._begin(data)  # of gzip also the next member (RFC 1952 §2.2)
            elif stream.eof:
                return  # what else stands behind is nothing
            yield from _pieces(stream, data)
            data = stream.unused_data

    def end(self) -> None:
        """Hold that the body is whole; one without a byte is. Raises CodingBroken."""
        if self._stream is not None and not self._stream.eof:
            raise CodingBroken

    def _begin(self, data: bytes) -> zlib._Decompress:
        if self._coding == "gzip":
            return zlib.decompressobj(_GZIP)
        if self._coding == "deflate":  # RFC 9110 §8.4.1.2: some send it without the zlib format around it
            return zlib.decompressobj(_ZLIB if data[0] & 0xF == zlib.DEFLATED else _RAW)
        raise CodingBroken


def _pieces(stream: zlib._Decompress, data: bytes) -> Iterator[bytes]:
    """Decompress up to the end of these bytes, or of the stream."""
    while True:
        try:
            piece = stream.decompress(data, _PIECE)
        except zlib.error:
            raise CodingBroken from None
        if piece:
            yield piece
        data = stream.unconsumed_tail
        if stream.eof or (not data and len(piece) < _PIECE):  # a full piece: there may be more that was taken in
            return
