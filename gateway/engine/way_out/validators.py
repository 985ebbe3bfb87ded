"""Answers that a provider says have not changed (RFC 9110, section 13): asked for by their tag or date, given again.

What is kept is the answer as it came, for one connection and one request, so that whatever reads answers knows nothing
of it. It is bounded, and lost with the way out of its connection.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field, replace
from typing import Final, TypeAlias

from gateway.engine.way_out.exchange import Dispatch, Exchange
from gateway.values.messages import Request, Response

NOT_MODIFIED: Final = 304
MOST_BYTES: Final = 8_000_000
"""Bytes of all bodies that are kept of one connection."""
LARGEST: Final = 2_000_000
"""Bytes of a body that is kept."""
_OWN: Final = frozenset({"if-none-match", "if-modified-since"})
_Key: TypeAlias = tuple[object, ...]


@dataclass(slots=True)
class KeptAnswers:
    """The answers that are kept of one connection, the one that was not used for the longest time first."""

    _by_key: OrderedDict[_Key, Response] = field(default_factory=OrderedDict)
    _bytes: int = 0

    def of(self, key: _Key) -> Response | None:
        """Give the answer that is kept for a request."""
        if key in self._by_key:
            self._by_key.move_to_end(key)
        return self._by_key.get(key)

    def keep(self, key: _Key, response: Response) -> None:
        """Keep an answer, if it is one that can be asked for again; what it stands for is kept no more."""
        before = self._by_key.pop(key, None)
        self._bytes -= len(before.body) if before is not None else 0
        if response.status != 200 or not validators(response) or len(response.body) > LARGEST:  # noqa: PLR2004
            return
        self._by_key[key] = response
        self._bytes += len(response.body)
        while self._bytes > MOST_BYTES:
            self._bytes -= len(self._by_key.popitem(last=False)[1].body)


def validators(response: Response) -> list[tuple[str, str]]:
    """Give the headers that ask whether an answer has changed; none where it has neither tag nor date."""
    tag, date = response.headers.get("etag"), response.headers.get("last-modified")
    told = [("If-None-Match", tag)] if tag else []
    return [*told, ("If-Modified-Since", date)] if date else told


def revalidating(send: Dispatch, kept: KeptAnswers) -> Dispatch:
    """Wrap `send` so that an answer which has not changed is given again as it was."""

    async def sending(exchange: Exchange) -> Response:
        asked: list[tuple[_Key, Response | None]] = []

        def make() -> Request:
            request = exchange.make()
            key = (request.method, request.url, request.query, request.headers, request.body)
            own = any(name.lower() in _OWN for name, _ in request.headers)
            held = kept.of(key) if not own else None
            asked.append((key, held))
            return request if held is None else replace(request, headers=(*request.headers, *validators(held)))

        response = await send(exchange.making(make))
        key, held = asked[-1]
        if response.status == NOT_MODIFIED and held is not None:
            return replace(held, elapsed=response.elapsed)
        kept.keep(key, response)
        return response

    return sending
