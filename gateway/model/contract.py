"""The contract as values: resources, operations, events, requests and error codes. Nothing here decides."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

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


class Access(StrEnum):
    """Who is let in to an operation."""

    CALLER = "caller"
    """Whoever has a caller's key."""
    ADMIN = "admin"
    """The operator, by the admin token."""
    TOKEN = "token"  # noqa: S105 - a kind of access
    """Whoever proves what they send, by a token or a signature of its own, which the handler checks."""
    PUBLIC = "public"
    """Anybody."""


ANY_METHOD = "ANY"
"""Stands for every HTTP method."""


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation of the contract."""

    name: str
    summary: str
    effect: Effect
    scopes: tuple[str, ...]
    """What a caller's key must allow: `read`, `write`; empty where none is asked for, or the mapping decides."""
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
    access: Access = Access.CALLER
    """Who is let in: of the contract's own, whoever has a caller's key that allows the scope."""

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


@dataclass(frozen=True, slots=True, kw_only=True)
class GatewayOperation(Operation):
    """One operation of the gateway's own, which no mapping answers. Its path is the whole one.

    What is read as the contract's are (arguments, lists) is described as theirs; `gives` is `none` where `content` says
    what is answered.
    """

    any_body: bool
    """Whether the body is any JSON object."""
    content: tuple[str, Json] | None
    """Media type and JSON Schema of an answer that is no resource."""
    answer: str
    """What the answer is, where its resource does not say it."""
    answers: Mapping[int, str]
    """Further statuses that have the same content, with what they mean."""
    empty: Mapping[int, str]
    """Further statuses without a body, with what they mean."""
    headers: tuple[str, ...]
    """Headers that an answer has besides those of every one."""
    request_headers: Mapping[str, str]
    """Headers that a request may have, with what they mean."""
    uses: frozenset[str]
    """`store`, `provider`: whose failures it can be answered with."""
    errors: frozenset[str]
    """Codes that it can be answered with besides."""
    idempotency_key: bool
    """Whether a repeat with the same Idempotency-Key is answered as the first request was."""
    openapi: str
    """Which documents tell of it: `all`, `whole` or `none`."""
    tag: str
    """What it is listed under there."""

    @property
    def is_documented(self) -> bool:
        """Whether documents for callers tell of it: what is the operator's is for nobody else."""
        return self.openapi != "none" and self.access is not Access.ADMIN


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
class GatewayModel:
    """The gateway's own side, by name: what it tells and does that no mapping answers."""

    types: Mapping[str, Type] = field(default_factory=dict)
    """Every named type of its own, resources included."""
    resources: Mapping[str, Resource] = field(default_factory=dict)
    operations: Mapping[str, GatewayOperation] = field(default_factory=dict)

    def schemas(self) -> dict[str, Json]:
        """JSON Schema 2020-12 of every named type of its own, the operator's among them."""
        return {name: type_.definition() for name, type_ in self.types.items()}

    def documented(self) -> dict[str, Json]:
        """JSON Schema 2020-12 of the named types that callers meet."""
        told = [one.resource.type for one in self.operations.values() if one.is_documented and one.resource is not None]
        met = {name for type_ in told for name in type_.names()}
        return {name: schema for name, schema in self.schemas().items() if name in met}


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
    gateway: GatewayModel = field(default_factory=GatewayModel)
    """The gateway's own side, which stands on the contract."""

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
        for name in {one.resource.name for one in self.operations.values() if one.resource is not None}:
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
