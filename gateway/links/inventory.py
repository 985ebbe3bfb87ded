"""The ids of a link held against what the club lists: whether there are such things there, and what was meant.

Names of the club stand in these findings: they are for the operator, who knows them.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final, TypeAlias

from gateway.config import FacilitySettings, LinkSettings, Settings
from gateway.documents.yaml import Finding, Place
from gateway.engine.engine import Engine
from gateway.model.model import arguments
from gateway.values.errors import GatewayError
from gateway.values.messages import Call, Json

_SHOWN: Final = 5
_NEAR: Final = 3
_LONGEST: Final = 100
_Told: TypeAlias = tuple[Place, str, str]
_LISTS: Final = ("resources.list", "services.list")


async def check_inventory(
    settings: Settings, engine: Engine, clock: Callable[[], float], tell: Callable[[str], None]
) -> list[Finding]:
    """Ask every linked club once what it has, and find the facilities that it does not have.

    `clock` is the engine's, in seconds; `tell` is given a line of progress. A club that does not answer is a finding.
    """
    findings = []
    said: dict[str, dict[str, list[Json] | GatewayError | None]] = {}
    for index, link in enumerate(settings.links):
        if link.club not in said:
            said[link.club] = {name: await _list(engine, link.club, name, settings, clock, tell) for name in _LISTS}
        lists: list[list[Json] | None] = []
        for name, answer in said[link.club].items():
            if isinstance(answer, GatewayError):
                meaning = answer.detail or engine.model.errors[answer.code].meaning
                message = f"{name} failed, so that its ids are not checked: {answer.code}: {meaning}"
                findings.append(settings.document.finding(("links", index, "club"), "club-not-asked", message))
            lists.append(None if isinstance(answer, GatewayError) else answer)
        for place, code, message in not_there(link, *lists):
            findings.append(settings.document.finding(("links", index, *place), code, message))
    return findings


async def _list(
    engine: Engine, club: str, name: str, settings: Settings, clock: Callable[[], float], tell: Callable[[str], None]
) -> list[Json] | GatewayError | None:
    """Everything that an operation lists, or what it failed with; None where the club has no such operation."""
    connection = engine.connection(club)
    if name not in connection.provider.operations:
        return None
    given = arguments(engine.model.operations[name], {}, connection.zone)
    try:
        reply = await engine.run(Call(club, name, given, "check", deadline=clock() + settings.timeout))
    except GatewayError as error:
        tell(f"{club}: {name} failed")
        return error
    tell(f"{club}: {name} has {len(reply.data)}")
    return list(reply.data)


def not_there(link: LinkSettings, resources: Sequence[Json] | None, services: Sequence[Json] | None) -> Iterator[_Told]:
    """Tell which facilities of a link are not among what its club lists; None is a list that is not known."""
    things = {one["id"]: one for one in resources or ()}
    offers = {one["id"]: one for one in services or ()}
    for number, court in enumerate(link.facilities):
        place: Place = ("facilities", number)
        if resources is not None and court.resource_id not in things:
            meant = _interpret(court.resource_id, court, things)
            yield (*place, "resource_id"), "not-at-club", f"the club has no such resource{meant}"
        elif resources is not None and not things[court.resource_id]["bookable"]:
            message = "the resource only groups its parts and cannot be booked: take one of them"
            yield (*place, "resource_id"), "not-at-club", message
        if court.service_id is None or services is None:
            continue
        if court.service_id not in offers:
            meant = _interpret(court.service_id, court, offers)
            yield (*place, "service_id"), "not-at-club", f"the club has no such service{meant}"
        elif court.resource_id not in (offers[court.service_id].get("resource_ids") or [court.resource_id]):
            message = "the club does not offer this service with the facility's resource"
            yield (*place, "service_id"), "not-at-club", message


def _interpret(wanted: str, court: FacilitySettings, there: Mapping[str, Json]) -> str:
    """What the id was perhaps meant to be: what is written like it, or called like the facility; else what there is."""
    names = {one["name"].casefold(): key for key, one in there.items()}
    near = difflib.get_close_matches(wanted[:_LONGEST], there, _NEAR)
    for text in (wanted, court.name):
        near += [names[name] for name in difflib.get_close_matches(text.casefold()[:_LONGEST], names, _NEAR)]
    if near:
        return f"; did you mean {' or '.join(_show(there, list(dict.fromkeys(near))[:_NEAR]))}?"
    if not there:
        return ": it lists none"
    more = ", …" if len(there) > _SHOWN else ""
    return f"; there are {', '.join(_show(there, list(there)[:_SHOWN]))}{more}"


def _show(there: Mapping[str, Json], keys: Sequence[str]) -> list[str]:
    return [f"{key} ({there[key]['name'][:_LONGEST]})" for key in keys]
