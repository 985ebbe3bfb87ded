"""What became of a write whose outcome was unknown: asked for by its id, and looked up at the provider.

Every time it is asked the provider is read anew, and nothing is ever sent again from here. Whoever has to ask again is
told when (RFC 9110, section 10.2.3).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from http import HTTPStatus

from aiohttp import web
from aiohttp.typedefs import Handler

from gateway.engine.catalog import Connection
from gateway.engine.compensation import look_with
from gateway.model.types.times import from_epoch
from gateway.store import keys
from gateway.store.database import Database
from gateway.store.keys import KeyRecord
from gateway.surface.http.authentication import caller_of
from gateway.surface.http.requests import path_parts, query_pairs
from gateway.surface.http.responses import Answer, to_bytes, to_response
from gateway.surface.idempotency.idempotency import hold_of
from gateway.surface.idempotency.reconciliation import PENDING, STATES, WriteState, state_of
from gateway.surface.operations.calls import Calls
from gateway.values.errors import CallInvalid, NotMapped
from gateway.values.messages import Json

UNKNOWN = "There is no write of this id, or it is no longer kept."
_UNDER_WAY_SECONDS = 1
_LOOK_SECONDS = 5
"""How soon to ask again what is pending: each look costs a call, of which a provider may allow few in an hour."""


@dataclass(frozen=True, slots=True)
class Outcomes:
    """The handler of `/v1/{connection}/operations/{id}`. `now` gives milliseconds since 1970."""

    calls: Calls
    database: Database
    now: Callable[[], int]

    def handlers(self) -> dict[str, Handler]:
        """Give the handler by its operation."""
        return {"operations.get": self.get}

    async def get(self, request: web.Request) -> web.Response:
        """Answer with the state of a write that the caller made.

        Raises NotMapped for one that is not known, or no longer; CallInvalid, CallerRefused, StoreUnavailable, and what
        the provider's own failure raises while it is read.
        """
        connection = self.calls.enter(request, self.calls.own("operations.get"))
        for name, _ in query_pairs(request):
            problem = {"field": name, "problem": "is not known here"}
            raise CallInvalid(f"`{name}` is not known here", details={"fields": [problem]})
        owner, id_ = caller_of(request).name, path_parts(request)["id"]
        kept = await self.database.read(lambda store: keys.of(store, connection.name, owner, id_))
        if kept is None:
            raise NotMapped(UNKNOWN)
        return to_response(await self.answered(request, connection, kept, {}))

    async def answered(
        self, request: web.Request, connection: Connection, kept: KeyRecord, more: Mapping[str, Json]
    ) -> Answer:
        """Write what became of a write as the contract has it, with `more` behind it.

        Raises what the provider's own failure raises while it is read.
        """
        under_way = kept.under_way(self.now())
        found = WriteState(PENDING) if under_way else await self._looked_up(request, connection, kept)
        again = _UNDER_WAY_SECONDS if under_way else _LOOK_SECONDS
        told = {
            "id": kept.id,
            "operation": kept.asked.operation,
            "state": found.state,
            "detail": STATES[found.state],
            "began_at": from_epoch(kept.began_at // 1000, connection.zone),
            **look_with(self.calls.engine.model, connection, kept.asked.operation),
            **({"request": json.loads(kept.asked.request)} if kept.asked.request else {}),
            **found.more,
            **more,
        }
        headers = {"Retry-After": str(again)} if found.state == PENDING else {}
        return Answer(HTTPStatus.OK, to_bytes(told), headers)

    async def _looked_up(self, request: web.Request, connection: Connection, kept: KeyRecord) -> WriteState:
        left = kept.began_at + hold_of(self.calls.settings.timeout) - self.now()
        run = partial(self.calls.run, request, connection)
        return await state_of(self.calls.engine.model, connection, kept, run, left)
