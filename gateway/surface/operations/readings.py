"""Lists kept for a short while, so that all pages of one come from one reading of the provider.

A reading belongs to a caller, a connection as it is configured and was last written to, a query and what is shown of
it: nobody else is ever given it, and nobody after a write. It is found by the token in a cursor; once it has gone, the
list is read again. Nothing here asks a provider.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from secrets import token_urlsafe
from typing import Final, TypeAlias

KEEP_SECONDS: Final = 60.0
"""Seconds after which a reading has gone."""
MOST_BYTES: Final = 64 * 1024 * 1024
"""Bytes of rows that are kept in all."""
CALLER_BYTES: Final = 16 * 1024 * 1024
"""Bytes of rows that are kept for one caller."""
_BYTES_A_ROW: Final = 64
"""What Python needs for a row besides its bytes, about."""

Owner: TypeAlias = tuple[str, str, str, str]
"""Caller, connection with its digest and number of writes, query, and what is preferred and shown of it."""


@dataclass(frozen=True, slots=True)
class Reading:
    """A whole list, sorted, each row as it is sent. `told` is what stands beside the data on every page, as JSON.

    `read_at` is the clock's reading when the provider said it, in seconds.
    """

    rows: Sequence[bytes]
    told: bytes
    headers: Mapping[str, str]
    read_at: float

    @property
    def size(self) -> int:
        """About how many bytes of memory it takes."""
        return sum(map(len, self.rows)) + _BYTES_A_ROW * len(self.rows)


class Readings:
    """The readings of all callers. The oldest leave when there is no room: of the same caller, then of all."""

    def __init__(self, *, most: int = MOST_BYTES, share: int = CALLER_BYTES) -> None:
        self._most = most
        self._share = share
        self._kept: OrderedDict[str, tuple[Owner, Reading, int, float]] = OrderedDict()

    def keep(self, owner: Owner, reading: Reading, now: float) -> str:
        """Keep a reading from `now` on, and give its token. One that is larger than a share is not kept: no token."""
        size = reading.size
        if size > self._share:
            return ""
        for token, (_, _, _, until) in list(self._kept.items()):
            if now >= until:
                del self._kept[token]
        self._make_room(self._share - size, owner[0])
        self._make_room(self._most - size, None)
        token = token_urlsafe(12)
        self._kept[token] = (owner, reading, size, now + KEEP_SECONDS)
        return token

    def find(self, owner: Owner, token: str, now: float) -> Reading | None:
        """Give the reading of this token, if it is this owner's and has not gone."""
        kept = self._kept.get(token)
        return kept[1] if kept is not None and kept[0] == owner and now < kept[3] else None

    def _make_room(self, most: int, caller: str | None) -> None:
        """Let the oldest leave, of one caller or of all, until no more than so many bytes are kept."""
        sizes = {token: kept[2] for token, kept in self._kept.items() if caller in (None, kept[0][0])}
        total = sum(sizes.values())
        for token, size in sizes.items():
            if total <= most:
                return
            total -= size
            del self._kept[token]
