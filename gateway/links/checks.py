"""What can be known of a link before anything runs: whether its peer and its club can do what links need.

Nothing is sent. The peer's mapping is given a slot of each court, and every request of its a made-up answer: what fails
after the first one says nothing of the peer and is not told. Findings stand in the configuration file.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from types import MappingProxyType
from typing import Final, TypeAlias

from gateway.config import FacilitySettings, Settings
from gateway.documents.yaml import Finding, Place
from gateway.engine.catalog import Catalog, Connection
from gateway.engine.engine import Engine
from gateway.links.inventory import not_there
from gateway.links.link import Link, can, slot_arguments
from gateway.links.slots.payloads import resource, slot
from gateway.links.slots.slot_grid import days
from gateway.links.slots.slots import Cell
from gateway.mapping.nodes.calls import OperationPlan
from gateway.mapping.nodes.hooks import Hook, RequestHook
from gateway.mapping.runtime.steps import accept
from gateway.model.model import Model, arguments
from gateway.model.types.times import ZONE, epoch, from_epoch, start_of_day, zone_names, zone_of
from gateway.values.errors import CallInvalid, GatewayError, Unsupported
from gateway.values.messages import Call, Json, Request, Response

MARKETPLACE: Final = "marketplace"
"""The kind of a provider that calls us."""
_BOOKED: Final = "booking.requested"
_NEEDED: Final = ("slots.list", "bookings.create", "bookings.cancel")
_HELPFUL: Final = MappingProxyType(
    {
        "bookings.list": "a booking whose answer was lost is not found again, and has to be looked for by hand",
        "bookings.get": "the link does not see that the club has moved or cancelled a booking",
        "bookings.confirm": "a booking that waits for the club's word is cancelled, and the player refused",
    }
)
_PLAYER: Final = "Jane Doe"
_KEY: Final = "0123456789ab"
_HOUR: Final = 3600
_Told: TypeAlias = tuple[Place, str, str]
"""Where inside of a link something is wrong, the finding's code, and its message."""


@dataclass(slots=True)
class _Nobody:
    """A way out that leads nowhere: every request has an empty success for an answer. `asked` once there was one."""

    asked: bool = False

    async def send(self, _: Request) -> Response:
        self.asked = True
        return Response(200, {}, b"")


async def check_links(settings: Settings, catalog: Catalog, model: Model, now: datetime) -> list[Finding]:
    """Find what keeps links from working. `now` is aware of its zone; the catalog is that of `settings`."""
    findings = []
    for index, one in enumerate(settings.links):
        link = Link(one, catalog.connections[one.peer], catalog.connections[one.club])
        told = [*_zone(link)]
        if not told:
            told += [*_peer(link), *_club(link), *_prices(link), *_customer(link, model), *_told_apart(link)]
            told += _ask(link, model, now)
            told += [one async for one in _push(link, model, now)]
            told += await _find(link, model, now)
        for place, code, message in dict.fromkeys(told):
            findings.append(settings.document.finding(("links", index, *place), code, message))
    return findings


def _zone(link: Link) -> Iterator[_Told]:
    if link.zone not in zone_names():
        yield ("time_zone",), "wrong-value", f"`time_zone` must be {ZONE}"


def _peer(link: Link) -> Iterator[_Told]:
    """The peer is a marketplace that can be told of slots and that asks for bookings."""
    provider = link.peer.provider
    if provider.kind != MARKETPLACE:
        message = f"{provider.title} is no marketplace: its mapping does not say `kind: {MARKETPLACE}`"
        yield ("peer",), "not-a-marketplace", message
        return
    if "slots.push" not in provider.operations:
        yield ("peer",), "link-impossible", f"cannot be told of slots: {_reason(link.peer, 'slots.push')}"
    if not _that_ask(provider.hooks.values()):
        lacking = [reason for hook in _that_ask(provider.compiled.hooks.values()) for reason in hook.needs.values()]
        why = lacking[0] if lacking else "its mapping has no hook that asks for bookings"
        yield ("peer",), "link-impossible", f"cannot send its bookings: {why}"


def _that_ask(hooks: Iterable[Hook]) -> list[RequestHook]:
    asking = [hook for hook in hooks if isinstance(hook, RequestHook)]
    return [hook for hook in asking if any(ask.request == _BOOKED for ask in hook.requests)]


def _club(link: Link) -> Iterator[_Told]:
    """The club can do what links need; where it lacks what only helps, it is said what is lost."""
    for name in _NEEDED:
        if name not in link.club.provider.operations:
            yield ("club",), "link-impossible", f"cannot do {name}: {_reason(link.club, name)}"
    for name, lost in _HELPFUL.items():
        if name not in link.club.provider.operations:
            yield ("club",), "link-limited", f"cannot do {name}: {lost}"
    listed = link.club.provider.operations.get("bookings.list")
    if listed is not None and not _names_customers(listed):
        lost = "one whose answer was lost is neither found again nor cancelled, and has to be looked for by hand"
        yield ("club",), "link-limited", f"does not tell whose the bookings are that it lists: {lost}"


def _names_customers(plan: OperationPlan) -> bool:
    """Tell whether the bookings of a list have a customer, as far as its records say."""
    rows = [one for variant in plan.variants for one in variant.rows]
    return not rows or any(field.name.startswith("customer") for one in rows for field in one.record.fields)


def _reason(connection: Connection, operation: str) -> str:
    return connection.provider.unsupported.get(operation, "the provider does not offer it")


def _prices(link: Link) -> Iterator[_Told]:
    for number, court in enumerate(link.settings.facilities):
        if court.price is not None and court.price.currency != link.peer.currency:
            message = f"the peer's currency is {link.peer.currency}, and a price in another is not told"
            yield ("facilities", number, "price", "currency"), "price-untold", message


def _customer(link: Link, model: Model) -> Iterator[_Told]:
    """What the club is told of a customer is well-formed once it is filled in, and the club takes it."""
    plan = link.club.provider.operations.get("bookings.create")
    if plan is None:
        return
    customer = link.customer({"name": _PLAYER}, _KEY)
    try:
        arguments(model.operations[plan.name], {"slot_id": "1", "customer": customer}, link.club.zone)
    except CallInvalid as error:
        for one in error.details["fields"]:
            yield tuple(one["field"].split(".")), "customer-refused", f"{one['problem']}, once it is filled in"
    for name in customer:
        reason = plan.unsupported.get(f"customer.{name}")
        if reason is not None:
            yield ("customer", name), "customer-refused", f"the club does not take it: {reason}"
        lost = plan.partial.get(f"customer.{name}")
        if lost is not None:
            yield ("customer", name), "link-limited", f"the club does not keep it: {lost}"
    for name, reason in plan.requires.items():
        part = name.removeprefix("customer.")
        if part != name and part not in customer:
            yield ("customer",), "customer-refused", f"the club needs `{part}`: {reason}"


def _ask(link: Link, model: Model, now: datetime) -> Iterator[_Told]:
    """The club can be asked for the slots of each court, as the link asks it."""
    plan = link.club.provider.operations.get("slots.list")
    if plan is None:
        return
    operation, club = model.operations[plan.name], link.club
    tomorrow = days(_tomorrow(link, now), 1, link.zone)
    for number, court in enumerate(link.settings.facilities):
        given = slot_arguments(link, [court], tomorrow)
        try:
            accept(plan, arguments(operation, given, club.zone), operation, club.provider.title, club.scope)
        except Unsupported as error:
            name = error.details["capability"].removeprefix(f"{plan.name}.")
            yield _blame(number, name), "facility-refused", error.detail
        except CallInvalid as error:
            for one in error.details["fields"]:
                name = one["field"].partition(".")[0]
                yield _blame(number, name), "facility-refused", f"`{name}` {one['problem']}"


def _told_apart(link: Link) -> Iterator[_Told]:
    """Where the club knows no resources, its services are all that tells the courts apart."""
    if "slots.list" not in link.club.provider.operations or can(link.club, "slots.list", "resource_id"):
        return
    sold: dict[str | None, int] = {}
    for number, court in enumerate(link.settings.facilities):
        twin = sold.setdefault(court.service_id, number)
        if court.service_id is None:
            message = "the club has services and no resources: say which one it is, as `service_id`"
            yield ("facilities", number), "facility-refused", message
        elif twin != number:
            message = f"the club has no resources, and facility number {twin + 1} is this service already"
            yield ("facilities", number, "service_id"), "facility-refused", message


def _blame(number: int, argument: str) -> Place:
    """Give where an argument of the club's slots comes from."""
    return ("slot_duration",) if argument == "duration" else ("facilities", number, argument)


async def _push(link: Link, model: Model, now: datetime) -> AsyncIterator[_Told]:
    """The peer takes a slot of each court."""
    if "slots.push" not in link.peer.provider.operations:
        return
    for number, court in enumerate(link.settings.facilities):
        reason = await _refusal(link, court, model, now)
        if reason:
            message = f"the peer takes no slots of this facility: {reason}"
            yield ("facilities", number), "facility-refused", message


async def _refusal(link: Link, court: FacilitySettings, model: Model, now: datetime) -> str:
    """Why the peer's mapping takes no slot of a court; empty when it does, or when only the peer could say."""
    start, end = _sample(link, now)
    price = None
    if court.price is not None and court.price.currency == link.peer.currency:
        price = {"amount": court.price.amount, "currency": court.price.currency, "type": "flat"}
    cell = Cell(court.facility_id, start, end, available=True, price=price)
    told: dict[str, Json] = {"slots": [slot(cell, link.zone)]}
    if "resources" not in link.peer.provider.operations["slots.push"].unsupported:
        told["resources"] = [resource(court, link.zone)]
    asked, answer = await _run(link.peer, "slots.push", told, model, now)
    if not isinstance(answer, GatewayError):
        return " ".join(one["reason"] for one in answer["rejected"])
    return "" if asked else _say(answer, model)


async def _find(link: Link, model: Model, now: datetime) -> list[_Told]:
    """The ids that the club's own settings already tell to be wrong: of what it lists without asking its provider."""
    listed: dict[str, list[Json] | None] = {}
    for name in ("resources.list", "services.list"):
        listed[name] = None
        if name in link.club.provider.operations:
            asked, answer = await _run(link.club, name, {}, model, now)
            if not asked and not isinstance(answer, GatewayError):
                listed[name] = answer
    return [*not_there(link.settings, *listed.values())]


async def _run(
    connection: Connection, operation: str, given: dict[str, Json], model: Model, now: datetime
) -> tuple[bool, Json | GatewayError]:
    """Run an operation where nothing can be sent: whether something was to be, and the result or what it failed with.

    The engine is made anew each time, so that no rate holds a call back.
    """
    nobody = _Nobody()
    alone = Catalog("links", {}, {connection.name: connection})
    engine = Engine(alone, model, nobody.send, clock=lambda: 0.0, now=lambda: now)
    try:
        checked = arguments(model.operations[operation], given, connection.zone)
        reply = await engine.run(Call(connection.name, operation, checked, "check", deadline=_HOUR))
    except GatewayError as error:
        return nobody.asked, error
    return nobody.asked, reply.data


def _say(error: GatewayError, model: Model) -> str:
    """What an error says, with the arguments that it is about."""
    fields = "; ".join(f"`{one['field']}` {one['problem']}" for one in error.details.get("fields", ()))
    return " ".join(filter(None, (error.detail or model.errors[error.code].meaning, fields)))


def _sample(link: Link, now: datetime) -> tuple[str, str]:
    """Give a slot of tomorrow, twelve hours after the day begins in the link's zone: no clocks change then."""
    begin = epoch(start_of_day(_tomorrow(link, now), link.zone)) + 12 * _HOUR
    length = 60 * (link.settings.slot_duration or 60)
    return from_epoch(begin, link.zone), from_epoch(begin + length, link.zone)


def _tomorrow(link: Link, now: datetime) -> date:
    return now.astimezone(zone_of(link.zone)).date() + timedelta(days=1)
