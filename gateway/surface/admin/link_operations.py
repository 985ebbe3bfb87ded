"""The operator's side of marketplace links as data: what is told of a link, and the operations that tell it.

They belong to no connection and no mapping answers them: their paths are whole ones. Nothing here reads a store.
"""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus

from gateway import config
from gateway.model.model import Argument, Field, Model, Operation, Resource, Type
from gateway.model.types.types import enum, list_of, map_of, named, number, object_of, scalar
from gateway.values.errors import NotMapped
from gateway.values.messages import Effect

PATH = "/admin/links"
_COUNT = number("integer", 0)
_ID, _INSTANT, _TEXT = (scalar(kind) for kind in ("id", "instant", "text"))
_STANDING = enum(("free", "busy", "nothing"))


def _field(name: str, type_: Type, meaning: str, *, nullable: bool = False) -> Field:
    """Describe a field that is always told."""
    return Field(name, type_, required=True, meaning=meaning, nullable=nullable)


def _last(name: str, meaning: str, type_: Type = _INSTANT) -> Field:
    """Describe a field that is null or missing while there is nothing to tell."""
    return Field(name, type_, required=False, meaning=meaning)


FACILITY = named(
    object_of(
        (
            _field("facility_id", _ID, "The marketplace's name of it."),
            _field("name", _TEXT, "What players read.", nullable=True),
            _field("resource_id", _ID, "The resource at the club."),
            _last("problem", "What is wrong with it, in a sentence: it is not sold, or not as it was meant.", _TEXT),
        )
    ),
    "LinkFacility",
    "One thing that a link sells.",
)
ENTRY = named(
    object_of(
        (
            _field("id", _ID, "The entry."),
            _field("facility_id", _ID, "What was booked."),
            _field("start", _INSTANT, "From then."),
            _field("end", _INSTANT, "Until then."),
            _last("slot_id", "The slot as the marketplace named it.", _TEXT),
            _last("reference", "The booking as the marketplace named it.", _ID),
            _last("player", "Who plays, as the marketplace said.", _TEXT),
            _last("booking_id", "The club's booking, as far as it is known.", _ID),
            _field("state", _TEXT, "Where it stands."),
            _field("created_at", _INSTANT, "When it was asked for."),
            _field("updated_at", _INSTANT, "When it came to stand there."),
            _last("reason", "Why, where there is more to say.", _TEXT),
        )
    ),
    "LinkBooking",
    "One booking that a marketplace asked for, as the link's ledger has it.",
)
_OUTBOX = object_of(
    (
        _field("waiting", _COUNT, "Slots whose newest state is not told yet."),
        _field("parked", _COUNT, "Slots that the marketplace will not take as they are."),
        _last("oldest_at", "Since when the one that waits longest does."),
    )
)
_LEDGER = object_of(
    (
        _field("counts", map_of(_COUNT), "How many bookings there are of each state."),
        _field("entries", list_of(ENTRY), "The newest 50."),
    )
)
STATUS = named(
    object_of(
        (
            _field("name", _ID, "The link's name in the configuration."),
            _field("peer", _ID, "The marketplace's connection."),
            _field("club", _ID, "The club's connection."),
            _field("center_id", _ID, "The club as the marketplace names it."),
            _last("time_zone", "The zone in which it is sold.", scalar("time_zone")),
            _field("facilities", list_of(FACILITY), "What is sold."),
            _last("last_pull_at", "When the marketplace last asked for everything."),
            _last("last_pull_error", "Why it got nothing then.", _TEXT),
            _last("last_read_at", "When the club was last read."),
            _last("last_read_error", "Why it could not be.", _TEXT),
            _last("last_push_at", "When the marketplace was last told something."),
            _last("last_push_error", "Why it could not be.", _TEXT),
            _last("next_push_at", "When it is told more, at the earliest."),
            _field("outbox", _OUTBOX, "What the marketplace is still to be told."),
            _field("ledger", _LEDGER, "What the marketplace has booked."),
            _field("attention", list_of(_TEXT), "What somebody must look at, in sentences; empty when all is well."),
        )
    ),
    "LinkStatus",
    "How a marketplace link fares.",
)
DIFFERENCE = named(
    object_of(
        (
            _field("facility_id", _ID, "What it is about."),
            _field("start", _INSTANT, "From then."),
            _field("end", _INSTANT, "Until then."),
            _field("told", _STANDING, "What the marketplace was told last; `nothing` if it never was."),
            _field("club", _STANDING, "What the club says now; `nothing` if it offers no such time."),
            _field("waiting", scalar("boolean"), "Whether it is about to be told."),
            _last("parked", "Why the marketplace will not take it.", _TEXT),
        )
    ),
    "LinkDifference",
    "A time of which the marketplace was told something else than the club says.",
)
DIFF = named(
    object_of(
        (
            _field("name", _ID, "The link."),
            _field("checked_at", _INSTANT, "When the club was asked."),
            _field("differences", list_of(DIFFERENCE), "By facility and time."),
            _field("in_step", scalar("boolean"), "Whether there are none."),
        )
    ),
    "LinkDiff",
    "What a marketplace was told, held against what the club says.",
)
NAMED = (FACILITY, ENTRY, STATUS, DIFFERENCE, DIFF)
"""Every named type, for the components of a document."""


def of_links(model: Model) -> Mapping[str, Operation]:
    """Give the operations by name."""
    one, common = f"{PATH}/{{name}}", next(one.common for one in model.operations.values() if one.gives == "list")
    listed = {name: common[name] for name in ("limit", "cursor")}
    made = (
        _operation("list", "List the marketplace links and how they fare", "GET", PATH, STATUS, common=listed),
        _operation("get", "Read how a marketplace link fares", "GET", one, STATUS),
        _operation("diff", "Compare what a marketplace was told with what the club says", "GET", f"{one}/diff", DIFF),
        _operation("resync", "Read the club and tell the marketplace, all anew", "POST", f"{one}/resync", STATUS),
    )
    return {operation.name: operation for operation in made}


def _operation(
    name: str, summary: str, method: str, path: str, gives: Type, common: Mapping[str, Argument] | None = None
) -> Operation:
    of_one = "{name}" in path
    key = Argument("name", _ID, required=True, meaning="The link's name in the configuration.", where="path")
    return Operation(
        name=f"admin.links.{name}",
        summary=summary,
        effect=Effect.SAFE if method == "GET" else Effect.IDEMPOTENT,
        scope=config.ADMIN,
        method=method,
        path=path,
        gives="one" if of_one else "list",
        resource=Resource(gives.name, gives.meaning, gives),
        status=HTTPStatus.OK if method == "GET" else HTTPStatus.ACCEPTED,
        args={"name": key} if of_one else {},
        common=common or {},
        not_found=NotMapped.CODE if of_one else None,
        order=() if of_one else ("name",),
    )
