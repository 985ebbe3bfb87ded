"""The contract as it is published: what frontends and mappings rely on must not change unnoticed."""

from __future__ import annotations

import re

import pytest

from gateway.model.model import load
from gateway.values.messages import Effect

MODEL = load()

OPERATIONS = """
locations.list     GET    /locations                   200 read  safe       -
locations.get      GET    /locations/{id}              200 read  safe       INVALID_LOCATION
services.list      GET    /services                    200 read  safe       -
services.get       GET    /services/{id}               200 read  safe       INVALID_SERVICE
resources.list     GET    /resources                   200 read  safe       -
resources.get      GET    /resources/{id}              200 read  safe       INVALID_RESOURCE
slots.list         GET    /slots                       200 read  safe       -
slots.push         PUT    /slots                       200 write idempotent -
bookings.list      GET    /bookings                    200 read  safe       -
bookings.create    POST   /bookings                    201 write unsafe     SLOT_NOT_FOUND
bookings.get       GET    /bookings/{id}               200 read  safe       BOOKING_NOT_FOUND
bookings.update    PATCH  /bookings/{id}               200 write idempotent BOOKING_NOT_FOUND
bookings.confirm   POST   /bookings/{id}/confirm       200 write unsafe     BOOKING_NOT_FOUND
bookings.reject    POST   /bookings/{id}/reject        200 write unsafe     BOOKING_NOT_FOUND
bookings.reschedule POST  /bookings/{id}/reschedule    200 write unsafe     BOOKING_NOT_FOUND
bookings.cancel    POST   /bookings/{id}/cancel        200 write idempotent BOOKING_NOT_FOUND
bookings.delete    DELETE /bookings/{id}               204 write idempotent BOOKING_NOT_FOUND
bookings.complete  POST   /bookings/{id}/complete      200 write unsafe     BOOKING_NOT_FOUND
bookings.no_show   POST   /bookings/{id}/no_show       200 write unsafe     BOOKING_NOT_FOUND
customers.list     GET    /customers                   200 read  safe       -
customers.get      GET    /customers/{id}              200 read  safe       CUSTOMER_NOT_FOUND
customers.create   POST   /customers                   201 write unsafe     -
customers.update   PATCH  /customers/{id}              200 write idempotent CUSTOMER_NOT_FOUND
events.list        GET    /events                      200 read  safe       -
events.get         GET    /events/{id}                 200 read  safe       NOT_FOUND
"""

REQUIRED = {
    "Connection": "id provider name time_zone currency status capabilities",
    "Location": "id name time_zone",
    "Service": "id name type active",
    "Resource": "id name type bookable time_zone",
    "Slot": "id start end time_zone status available",
    "SlotPush": "accepted rejected",
    "Booking": "id status start end time_zone all_day quantity items",
    "Customer": "name",
    "Event": "id title start time_zone",
    "WriteOutcome": "id operation state detail began_at",
    "WebhookSubscription": "id url events active format created_at",
    "WebhookDelivery": "id event type trigger state created_at attempts",
    "ChangeEvent": "id event created_at connection provider origin sequence data",
    "CalendarFeed": "id name created_at",
}

ERRORS = {
    400: "VALIDATION_ERROR",
    401: "UNAUTHORIZED",
    402: "PAYMENT_REQUIRED PAYMENT_FAILED",
    403: "FORBIDDEN",
    404: "NOT_FOUND INVALID_SERVICE INVALID_RESOURCE INVALID_LOCATION SLOT_NOT_FOUND BOOKING_NOT_FOUND "
    "CUSTOMER_NOT_FOUND CONNECTION_NOT_FOUND",
    409: "BOOKING_CONFLICT INSUFFICIENT_CAPACITY DUPLICATE_BOOKING INVALID_STATE IDEMPOTENCY_IN_PROGRESS",
    412: "VERSION_CONFLICT",
    422: "INVALID_TIME WINDOW_TOO_LARGE IDEMPOTENCY_KEY_REUSED BOOKING_NOT_ALLOWED CANCELLATION_NOT_PERMITTED "
    "LIMIT_EXCEEDED CUSTOMER_INVALID PROMO_INVALID",
    429: "RATE_LIMITED",
    500: "MAPPING_ERROR INTERNAL_ERROR",
    501: "UNSUPPORTED_OPERATION",
    502: "PROVIDER_ERROR PROVIDER_AUTH_FAILED",
    503: "PROVIDER_UNAVAILABLE STORE_UNAVAILABLE",
    504: "PROVIDER_TIMEOUT OUTCOME_UNKNOWN",
}


def test_the_operations_are_those_of_the_contract():
    """Names, methods, paths, statuses, scopes, effects and not-found codes are published."""
    rows = [tuple(line.split()) for line in OPERATIONS.split("\n") if line]
    found = [
        (one.name, one.method, one.path, str(one.status), one.scopes[0], one.effect.value, one.not_found or "-")
        for one in MODEL.operations.values()
    ]
    assert rows == found


@pytest.mark.parametrize("name", REQUIRED)
def test_required_fields_are_those_of_the_contract(name):
    """What a frontend may rely on in each resource is published, and only there null is ruled out."""
    fields = (MODEL.resources | MODEL.gateway.resources)[name].fields.values()
    assert set(REQUIRED[name].split()) == {one.name for one in fields if one.required}
    unscheduled = {"start", "end"} if name == "Booking" else set()
    assert unscheduled == {one.name for one in fields if one.required and one.nullable}


def test_the_resources_are_those_of_the_contract():
    """No resource is missing and none was made up."""
    own = [name for name in MODEL.gateway.resources if name in MODEL.gateway.documented()]
    assert list(REQUIRED) == [*MODEL.resources, *own]


def test_the_error_codes_are_those_of_the_contract():
    """Each code has its status, and the specific forms of a general code share it."""
    found: dict[int, set[str]] = {}
    for one in MODEL.errors.values():
        found.setdefault(one.status, set()).add(one.code)
        if one.form_of is not None:
            assert MODEL.errors[one.form_of].status == one.status
    assert {status: set(codes.split()) for status, codes in ERRORS.items()} == found


def test_only_what_may_pass_is_called_retryable():
    """A lost write is not among them: it must be looked for first."""
    retryable = "IDEMPOTENCY_IN_PROGRESS RATE_LIMITED PROVIDER_UNAVAILABLE PROVIDER_TIMEOUT STORE_UNAVAILABLE"
    assert set(retryable.split()) == {one.code for one in MODEL.errors.values() if one.retryable}


def test_the_lifecycle_names_every_status_and_ends():
    """Every status says what it may become; five are final, and cancelling is possible from the three others."""
    states = set(MODEL.types["BookingStatus"].allowed)
    assert states == set(MODEL.lifecycle)
    final = {name for name, following in MODEL.lifecycle.items() if not following}
    assert final == {"rejected", "cancelled", "expired", "completed", "no_show"}
    assert states - final == {name for name, following in MODEL.lifecycle.items() if "cancelled" in following}


def test_the_events_are_those_of_the_contract():
    """Webhook consumers rely on these names and on what `data` is."""
    bookings = "created confirmed cancelled completed rescheduled updated rejected expired no_show deleted"
    expected = {f"booking.{name}": "Booking" for name in bookings.split()} | {
        "slot.updated": "Slot",
        "customer.created": "Customer",
        "customer.updated": "Customer",
        "connection.status_changed": "Connection",
    }
    assert expected == {one.name: one.data.name for one in MODEL.events.values()}


def test_the_requests_are_those_of_the_contract():
    """Mappings of marketplaces are written against what they may ask, and against what they are answered with."""
    found = {one.name: (one.resource.name, one.gives) for one in MODEL.requests.values()}
    assert {
        "availability.requested": ("AvailabilityRequest", ("slots", "resources")),
        "booking.requested": ("BookingRequest", ("booking",)),
        "cancellation.requested": ("CancellationRequest", ("booking",)),
    } == found
    required = {
        one.name: {part.name for part in one.resource.fields.values() if part.required}
        for one in MODEL.requests.values()
    }
    exact = {"resource_id", "start", "end"}
    assert {
        "availability.requested": set(),
        "booking.requested": exact,
        "cancellation.requested": exact,
    } == required


@pytest.mark.parametrize("operation", MODEL.operations.values(), ids=lambda one: one.name)
def test_operations_follow_their_conventions(operation):
    """Reading is safe and a GET, lists have pages and an order, one object has a not-found code, a path its id."""
    assert (operation.effect is Effect.SAFE) == (operation.method == "GET") == (operation.scopes == ("read",))
    assert (operation.gives == "list") == bool(operation.order) == ("cursor" in operation.common)
    assert set(re.findall(r"{(\w+)}", operation.path)) == {
        n for n, one in operation.args.items() if one.where == "path"
    }
    assert not operation.args.keys() & operation.common.keys()
    if "id" in operation.args:
        assert operation.not_found in MODEL.errors
    if operation.window:
        assert [operation.args[name].type.kind for name in operation.window] == ["instant", "instant"]
        assert "time_zone" in operation.common


def test_everything_says_what_it_means():
    """Each field, argument, type, error and event has a meaning: the reference is made from them."""
    fields = [one for shape in MODEL.shapes.values() for one in shape.fields.values()]
    args = [one for operation in MODEL.operations.values() for one in {**operation.args, **operation.common}.values()]
    everything = [*fields, *args, *MODEL.types.values(), *MODEL.errors.values(), *MODEL.events.values()]
    everything += MODEL.requests.values()
    assert [] == [one for one in everything if not one.meaning]
    assert [] == [one.name for one in MODEL.operations.values() if not one.summary]


def test_embedded_objects_are_found_like_resources():
    """Records may describe an embedded object; nothing else has fields."""
    for name in ("Service", "Price", "BookingItem", "BookingCustomer"):
        assert name == MODEL.shapes[name].name == getattr(MODEL.shape(name), "name", None)
    assert MODEL.shape("BookingStatus") is None
    assert MODEL.shape("Nothing") is None


@pytest.mark.parametrize(
    ("resource", "name", "kind"),
    [
        ("Service", "price.amount", "integer"),
        ("Booking", "customer.name", "text"),
        ("Booking", "customer.address.country", "text"),
        ("Booking", "items.start", "instant"),
        ("Booking", "metadata.anything", "text"),
        ("Resource", "attributes.indoor", "any"),
        ("Connection", "capabilities.support", "object"),
        ("Connection", "capabilities.support.support", "enum"),
    ],
)
def test_fields_are_found_by_dotted_names(resource, name, kind):
    """A dotted name leads into embedded objects, lists and maps."""
    field = MODEL.resources[resource].field(name)
    assert field is not None
    assert kind == field.type.kind


def test_a_booking_may_know_little_of_its_customer():
    """The customer inside a booking has no required field; the customer as a resource and in a call has a name."""
    assert MODEL.resources["Booking"].fields["customer"].accept({"id": 34}) == {"id": "34"}
    assert MODEL.resources["Booking"].fields["customer"].accept({"id": "34", "name": ""}) == {"id": "34", "name": None}
    given = MODEL.operations["bookings.create"].args["customer"].type
    assert [True, True] == [given.fields["name"].required, MODEL.resources["Customer"].fields["name"].required]
    assert {"active", "created_at"} == MODEL.resources["Customer"].fields.keys() - given.fields.keys()


# One booking of a group, as SimplyBook's example reads once translated, with its embedded customer.
BOOKING = {
    "id": "434~785cb8cce316e64765b94c05a635f4be",
    "reference": "h8vc14ca",
    "status": "confirmed",
    "status_reason": None,
    "service_id": "7",
    "resource_id": "3",
    "start": "2015-12-30T13:00:00+00:00",
    "end": "2015-12-30T13:30:00+00:00",
    "time_zone": "Europe/London",
    "all_day": False,
    "quantity": 1,
    "group_id": "1",
    "items": [
        {
            "id": "434",
            "service_id": "7",
            "resource_id": "3",
            "start": "2015-12-30T13:00:00+00:00",
            "end": "2015-12-30T13:30:00+00:00",
            "quantity": 1,
            "price": None,
        }
    ],
    "customer": {"id": "34"},
}


def test_a_canonical_booking_is_accepted_as_it_is():
    """What a mapping makes of a vendor's example is a Booking, unchanged."""
    assert MODEL.types["Booking"].accept(BOOKING) == BOOKING


def test_schemas_describe_every_named_type():
    """The components are complete, but for what marketplaces ask: each reference inside them leads to one."""
    schemas = MODEL.schemas() | MODEL.gateway.schemas()
    named = set(MODEL.types) | set(MODEL.gateway.types)
    assert named - {one.resource.name for one in MODEL.requests.values()} == set(schemas)
    references = set(re.findall(r"#/components/schemas/(\w+)", str(schemas)))
    assert references <= set(schemas)
    assert "provider_data" in schemas["Booking"]["properties"]
    for name in ("Money", "Connection", "WriteOutcome"):
        assert "provider_data" not in schemas[name]["properties"]
    assert "type" not in schemas["Resource"]["properties"]["provider_data"]  # a provider's resource may be a number


def test_arguments_of_a_url_have_no_null():
    """A query has text and no null; a body may hold null where the argument is optional."""
    args = MODEL.operations["bookings.create"].args | MODEL.operations["bookings.list"].args
    assert {"description": args["email"].meaning, "type": "string"} == args["email"].schema()
    assert {"type": "null"} in args["notes"].schema()["anyOf"]
    assert ["free"] == MODEL.operations["slots.list"].args["status"].schema()["default"]
