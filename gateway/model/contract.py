"""The contract as values: resources, operations, events, requests and error codes. Nothing here decides."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from gateway.model.filters import Filter
from gateway.model.types.types import NO_RULES, Field, Rules, Type
from gateway.values.messages import Effect, Json


@dataclass(frozen=True, slots=True)
class Resource:
    """A thing of the contract that has fields: one of its resources or an object inside one."""

    name: str
    meaning: str
    type: Type

    @property
    def fields(self) -> Mapping[str, Field]:
        """The fields by name, in the order of the contract."""
        return self.type.fields

    def field(self, dotted: str) -> Field | None:
        """Find a field by its dotted name: `price.amount`, `customer.name`, `items.start`."""
        return self.type.field(dotted)


@dataclass(frozen=True, slots=True)
class Argument(Field):
    """One argument of an operation: a field that callers give. `where` is `path`, `query` or `body`."""

    where: str = "body"
    default: Json = None
    """What holds when it is not given; None for nothing."""
    filter: Filter | None = None
    """How rows are chosen by it when the provider did not."""

    def schema(self) -> dict[str, Json]:
        """JSON Schema 2020-12 of the argument; what stands in a URL has no null."""
        inner = Field.schema(self) if self.where == "body" else {"description": self.meaning} | self.type.schema()
        return inner if self.default is None else inner | {"default": self.default}


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation of the contract."""

    name: str
    summary: str
    effect: Effect
    scope: str
    """What a caller's key must allow: `read` or `write`."""
    method: str
    path: str
    """Below `/v1/{connection}`, with `{id}` where the argument stands."""
    gives: str
    """`one`, `list` or `none`."""
    resource: Resource | None
    """What it gives, one or many of it."""
    status: int
    """HTTP status of success."""
    args: Mapping[str, Argument]
    common: Mapping[str, Argument] = field(default_factory=dict)
    """Arguments the gateway handles before a mapping is asked: `include`, `limit`, `cursor`, `sort`, `time_zone`."""
    not_found: str | None = None
    """The error code when the provider says that the thing does not exist."""
    reconcile: str | None = None
    """The operation that shows whether a write with an unknown outcome was done."""
    window: tuple[str, str] | None = None
    """The arguments that bound a list in time: not before, and before."""
    order: tuple[str, ...] = ()
    """Fields a list is sorted by."""
    sort: str | None = None
    """The common argument that replaces the first of `order`."""
    rules: Rules = NO_RULES
    partial: bool = False
    """Whether a caller is given the list without rows that do not fit, and warnings: nothing follows from absence."""
    patch: bool = False
    """Whether null in the body clears a field (RFC 7396); else null is the same as nothing."""
    refused: Mapping[str, str] = field(default_factory=dict)
    """Names that are no arguments here, with what to do instead."""

    def describes(self, dotted: str) -> bool:
        """Tell whether an argument, or a member of one (`customer.phone`), only describes: see Field.descriptive."""
        first, *rest = dotted.split(".")
        found: Field | None = self.args.get(first)
        for name in rest:
            if found is None or found.descriptive:
                break
            found = found.type.field(name)
        return found is not None and found.descriptive

    @property
    def filters(self) -> Mapping[str, Filter]:
        """The filters by argument."""
        return {name: argument.filter for name, argument in self.args.items() if argument.filter is not None}


@dataclass(frozen=True, slots=True)
class ErrorCode:
    """One stable error code: its HTTP status, a title for people, and whether the same call may succeed later."""

    code: str
    status: int
    title: str
    retryable: bool
    meaning: str
    form_of: str | None = None
    """The general code this one is a form of."""


@dataclass(frozen=True, slots=True)
class EventType:
    """One kind of webhook event and what its `data` is."""

    name: str
    data: Resource
    meaning: str
    by: tuple[str, ...] = ()
    """Operations of callers that are told as this event; those of bookings stand in `Changes`."""
    once: bool = False
    """Whether it happens to a thing once, whoever tells it again."""
    tracked: tuple[str, ...] = ()
    """Fields whose changes count; all that are told when empty."""


@dataclass(frozen=True, slots=True)
class Request:
    """One kind of request that a marketplace makes of the gateway, in canonical terms."""

    name: str
    resource: Resource
    """What the marketplace says with it; records of hooks are `of` this."""
    meaning: str
    gives: tuple[str, ...]
    """Names of what it is answered with, as the templates of its reply see them."""


@dataclass(frozen=True, slots=True)
class Changes:
    """Which difference between two states of a thing is which event."""

    resource: str
    status: str
    """The field that says where it stands."""
    span: tuple[str, str]
    """The fields that say when it takes place."""
    first: str
    """The event of a thing that is seen for the first time and is not over."""
    becomes: Mapping[str, str]
    """Status that a thing comes to have → event."""
    moved: tuple[frozenset[str], str]
    """Fields that say when and where, and the event when one of them changes."""
    otherwise: str
    """The event when another tracked field changes."""
    vanished: str
    """The status of a thing still to come that is listed no more, where a mapping says that this means so."""
    removed: str
    """The event of a thing that is deleted for good."""
    replaces: str
    """The field by which a new thing names the one that it takes the place of."""
    channel: str
    """The field that says how a thing came in: what was known of it first stays."""
    tracked: tuple[str, ...]
    """Fields whose changes are told, where a mapping does not say its own; dotted for embedded ones."""
    operations: Mapping[str, str]
    """Operation that callers make → event."""
    also: Mapping[str, tuple[str, ...]]
    """Fields that the data of an event has besides: `copy` or `utc` and a field, or `minutes` and two."""
    final: frozenset[str]
    """Statuses that nothing becomes of."""
    later: Mapping[str, frozenset[str]]
    """Status → all that may still follow it, at once or by way of others."""


@dataclass(frozen=True, slots=True)
class Model:
    """The whole contract, by name."""

    types: Mapping[str, Type]
    """Every named type, resources included."""
    resources: Mapping[str, Resource]
    shapes: Mapping[str, Resource]
    """Resources and the named objects inside them: whatever has fields."""
    operations: Mapping[str, Operation]
    errors: Mapping[str, ErrorCode]
    events: Mapping[str, EventType]
    requests: Mapping[str, Request]
    """What a marketplace asks of the gateway."""
    lifecycle: Mapping[str, frozenset[str]]
    """Status of a booking → what it may become; empty for a final one."""
    changes: Changes
    """Which change of a booking is which event."""

    def shape(self, name: str) -> Resource | None:
        """Find a resource or a named object."""
        return self.shapes.get(name)

    def is_written(self, operation: str) -> bool:
        """Tell whether a write through a connection may change what an operation gives there, by its name.

        Of the contract's own it may not where nothing of the kind is written or bound in time: places, services,
        resources. Of a native one nobody knows.
        """
        kind = operation.partition(".")[0]
        alike = [one for one in self.operations.values() if one.name.partition(".")[0] == kind]
        return not alike or any(one.effect is not Effect.SAFE or one.window is not None for one in alike)

    def schemas(self) -> dict[str, Json]:
        """JSON Schema 2020-12 of every named type that callers meet, for the components of an OpenAPI 3.1 document.

        What marketplaces ask stays out: they ask in their own words, which no caller sees.
        """
        asked = {request.resource.name for request in self.requests.values()}
        schemas = {name: type_.definition() for name, type_ in self.types.items() if name not in asked}
        for name in self.resources:
            schemas[name]["properties"]["provider_data"] = dict(_PROVIDER_DATA)
        for operation in self.operations.values():
            if operation.resource is not None and operation.gives == "one" and operation.effect is not Effect.SAFE:
                schemas[operation.resource.name]["properties"]["warnings"] = dict(WARNINGS)
        return schemas


WARNINGS: Mapping[str, Json] = {
    "type": "array",
    "items": {"$ref": "#/components/schemas/Warning"},
    "description": "What the answer lacks, or what was given and not kept. Missing when there is nothing to tell.",
}
"""JSON Schema of what an answer says beside its data."""
_PROVIDER_DATA = {"description": "What the provider itself gave, mostly an object, with `include=provider_data`."}
