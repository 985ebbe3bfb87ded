"""What the demo prints of a marketplace: the requests that it would make, of a slot that is really free.

Knows no marketplace: a request is one of its golden examples, with court and times written by its own record.
"""

from __future__ import annotations

import asyncio
import json
import shlex
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from urllib.parse import urlencode

from gateway.config import FacilitySettings, LinkSettings, Settings
from gateway.engine.catalog import Connection
from gateway.engine.engine import Engine
from gateway.examples.files import HookExample, load_examples
from gateway.links.slots.payloads import slot_id
from gateway.mapping.nodes.hooks import Hook, RequestHook
from gateway.mapping.runtime.writing import write_record
from gateway.model.model import arguments
from gateway.model.types.times import start_of_day, to_zone, zone_of
from gateway.values.errors import GatewayError
from gateway.values.messages import Call, Json
from gateway.values.secrets import Secret
from gateway.values.strictjson import decode_json

_SHOWN = {
    "availability.requested": "it asks what is free",
    "booking.requested": "a player books",
    "cancellation.requested": "and cancels",
}
_PLAYER = "Jane Doe"
_PATIENCE = 20.0
"""Seconds that the club has to show its free slots."""


async def to_sell(settings: Settings, engine: Engine, peer: Connection, url: str) -> str:
    """Give the `curl` lines of a marketplace: it asks, books and cancels, as its examples do."""
    link = next((one for one in settings.links if one.peer == peer.name), None)
    if link is None:
        return f"{peer.name} ({peer.provider.title}): a marketplace on which no link sells\n"
    data = await _free(engine, link, peer)
    lines = list(_lines(peer, link, data, url))
    shown = "\n".join(lines) or "  its requests are signed, which no line could show"
    return f"{peer.name} ({peer.provider.title}), where {link.club} sells its slots:\n{shown}\n"


def token_of(connection: Connection, hook: Hook) -> str | None:
    """Give the token that ends a hook's address and proves its sender; None for a hook that is not proved so."""
    keys = [key.setting for plan in hook.verify if plan.scheme == "token" and not plan.token for key in plan.keys]
    secret = connection.scope["settings"].get(keys[0]) if keys else None
    return secret.reveal() if isinstance(secret, Secret) else None


def _lines(peer: Connection, link: LinkSettings, data: Mapping[str, Json] | None, url: str) -> Iterator[str]:
    examples, _ = load_examples(peer.provider.compiled)
    for request, meaning in _SHOWN.items():
        asked = [one for one in examples.hooks if (one.gives or {}).get("request") == request] if examples else []
        for example in asked:
            hook = peer.provider.hooks.get(example.hook)
            if not isinstance(hook, RequestHook) or example.answers is None:
                continue
            token, body = token_of(peer, hook), _body(example, hook, peer, data)
            if token is None or body is None:
                continue
            center = example.gives["data"].get("center_id")
            query = urlencode(
                [(key, link.center_id if text == center else text) for key, text in example.received.query]
            )
            address = f"{url}/hooks/{peer.name}/{hook.name}/{token}{query and '?'}{query}"
            sent = f" -H 'Content-Type: application/json' -d {shlex.quote(body)}" if body else ""
            yield f"  {meaning}:\n  curl -si {shlex.quote(address)}{sent}"
            break


def _body(example: HookExample, hook: RequestHook, peer: Connection, data: Mapping[str, Json] | None) -> str | None:
    """The body of an example with the slot written over it; empty where it has none, None where there is no slot."""
    if not example.received.body:
        return ""
    records = [ask.record for ask in hook.requests if ask.request == example.gives["request"] and ask.record]
    if not records or data is None:
        return None
    written = write_record(peer.provider.records[records[0]], data, peer.scope)
    return json.dumps(decode_json(example.received.body) | written, ensure_ascii=False)


async def _free(engine: Engine, link: LinkSettings, peer: Connection) -> dict[str, Json] | None:
    """A slot of the link that is free tomorrow, as a canonical request names it; None when there is none."""
    zone = link.time_zone or peer.zone
    day = datetime.now(zone_of(zone)).date() + timedelta(days=1)
    window = {"from": start_of_day(day, zone), "to": start_of_day(day + timedelta(days=1), zone)}
    club = engine.connection(link.club)
    deadline = asyncio.get_running_loop().time() + _PATIENCE
    for court in link.facilities:
        given: dict[str, Json] = window | {"resource_id": [court.resource_id]}
        given |= {} if court.service_id is None else {"service_id": court.service_id}
        given |= {} if link.slot_duration is None else {"duration": link.slot_duration}
        try:
            wanted = arguments(engine.model.operations["slots.list"], given, club.zone)
            reply = await engine.run(Call(club.name, "slots.list", wanted, "demo", deadline))
        except GatewayError:
            continue
        free = sorted(
            (to_zone(slot["start"], zone), to_zone(slot["end"], zone)) for slot in reply.data if slot["available"]
        )
        if free:
            return _request(court, *free[len(free) // 2], zone)
    return None


def _request(court: FacilitySettings, start: str, end: str, zone: str) -> dict[str, Json]:
    return {
        "resource_id": court.facility_id,
        "start": start,
        "end": end,
        "slot_id": slot_id(court.facility_id, start, zone),
        "customer": {"name": _PLAYER},
    }
