"""The operations of `/v1/webhooks` and of the operator's side of deliveries, described as the contract's own are.

They belong to no connection and no mapping answers them: their paths are whole ones. Data only.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from http import HTTPStatus

from gateway import config
from gateway.model.model import Argument, Model, Operation, Type
from gateway.model.types.types import Rules, enum, list_of, number, scalar
from gateway.values.errors import NotMapped
from gateway.values.messages import Effect

PATH = "/v1/webhooks"
ADMIN = "/admin"
ALL = "*"
"""Every event, among the events of a subscription."""
_MOST_CONNECTIONS = 200
_STATES = ("pending", "delivered", "dead", "cancelled")
_EFFECTS = {"GET": Effect.SAFE, "POST": Effect.UNSAFE, "PATCH": Effect.IDEMPOTENT, "DELETE": Effect.IDEMPOTENT}
_ORDER = ("created_at", "id")
"""Fields that lists of subscriptions are sorted by."""


def of_callers(model: Model) -> Mapping[str, Operation]:
    """Give the operations of `/v1/webhooks` by name."""
    one, listed = f"{PATH}/{{id}}", _listed(model)
    made = [
        replace(_operation(model, "webhooks.list", "List your subscriptions", "GET", PATH, "list"), order=_ORDER),
        _operation(model, "webhooks.create", "Subscribe to events", "POST", PATH, "one", _settable(model)),
        _operation(model, "webhooks.get", "Read a subscription", "GET", one, "one"),
        _operation(model, "webhooks.update", "Change, pause or resume a subscription", "PATCH", one, "one"),
        _operation(model, "webhooks.delete", "Unsubscribe", "DELETE", one),
        _operation(model, "webhooks.test", "Send a test event to a subscription", "POST", f"{one}/test", "one"),
        _operation(model, "webhooks.rotate", "Get a new secret", "POST", f"{one}/rotate", "one"),
        _operation(model, "webhooks.enable", "Send again after a failure or pause", "POST", f"{one}/enable", "one"),
        _operation(model, "webhooks.deliveries", "List what was sent", "GET", f"{one}/deliveries", "list"),
    ]
    found = {operation.name: operation for operation in made}
    delivery = model.resources["WebhookDelivery"]
    found["webhooks.test"] = replace(found["webhooks.test"], status=HTTPStatus.ACCEPTED, resource=delivery)
    state = _arguments("query", state=(enum(_STATES), "Only those in this state."))
    found["webhooks.deliveries"] = replace(found["webhooks.deliveries"], args=_key() | state, resource=delivery)
    changes = {name: replace(one, required=False, default=None) for name, one in _settable(model).items()}
    active = _arguments("body", active=(scalar("boolean"), "false pauses it, true sends again."))
    found["webhooks.update"] = replace(found["webhooks.update"], args=_key() | changes | active, patch=True)
    return {
        name: replace(operation, common=listed) if operation.gives == "list" else operation
        for name, operation in found.items()
    }


def of_operator(model: Model) -> Mapping[str, Operation]:
    """Give the operations of the operator's side by name."""
    ids = {name: (scalar("id"), f"Only of this {name}.") for name in ("subscription", "connection")}
    included = list_of(enum(("attempts",)))
    filters = {"state": (enum(_STATES), "Only in this state."), "event": (scalar("id"), "Only of this event."), **ids}
    deliveries = _arguments("query", **filters, include=(included, "`attempts` adds every try."))
    letters = _arguments("query", include=(list_of(enum(("payload",))), "`payload` adds what the provider sent."))
    instants = {name: (scalar("instant"), "Events told in this time.") for name in ("from", "to")}
    numbers = {f"sequence_{name}": (number("integer", 1), "Events of these numbers.") for name in ("from", "to")}
    what = {"event": (scalar("id"), "One event."), **instants, **numbers}
    replay = _arguments("body", **what, state=(enum(("dead",)), "What was given up."), **ids)
    letter, job = f"{ADMIN}/dead-letters/{{id}}/replay", f"{ADMIN}/jobs/{{id}}"
    subscription = f"{ADMIN}/subscriptions/{{id}}"
    made = [
        _operation(model, "admin.deliveries.list", "", "GET", f"{ADMIN}/deliveries", "list", deliveries),
        _operation(model, "admin.dead_letters.list", "", "GET", f"{ADMIN}/dead-letters", "list", letters),
        _operation(model, "admin.dead_letters.replay", "", "POST", letter, "one"),
        replace(
            _operation(model, "admin.replay", "", "POST", f"{ADMIN}/replay", "one", replay), status=HTTPStatus.ACCEPTED
        ),
        _operation(model, "admin.jobs.list", "", "GET", f"{ADMIN}/jobs", "list"),
        _operation(model, "admin.jobs.get", "", "GET", job, "one"),
        _operation(model, "admin.jobs.cancel", "", "POST", f"{job}/cancel", "one"),
        replace(
            _operation(model, "admin.subscriptions.list", "", "GET", f"{ADMIN}/subscriptions", "list"), order=_ORDER
        ),
        _operation(model, "admin.subscriptions.get", "", "GET", subscription, "one"),
        replace(
            _operation(model, "admin.subscriptions.test", "", "POST", f"{subscription}/test", "one"),
            status=HTTPStatus.ACCEPTED,
            resource=model.resources["WebhookDelivery"],
        ),
        _operation(model, "admin.subscriptions.enable", "", "POST", f"{subscription}/enable", "one"),
    ]
    listed = _listed(model)
    told = [replace(one, common=listed) if one.gives == "list" else one for one in made]
    found = {one.name: replace(one, scope=config.ADMIN) for one in told}
    rules = Rules(one_of=(("event", "from", "sequence_from", "state"),))
    found["admin.replay"] = replace(
        found["admin.replay"], status=HTTPStatus.ACCEPTED, rules=rules, window=("from", "to")
    )
    return found


def _operation(
    model: Model,
    name: str,
    summary: str,
    method: str,
    path: str,
    gives: str = "none",
    args: Mapping[str, Argument] | None = None,
) -> Operation:
    """Describe an operation of subscriptions; its success is what the method and what it gives suggest."""
    of_one = "{id}" in path
    made = HTTPStatus.CREATED if method == "POST" and not of_one else HTTPStatus.OK
    return Operation(
        name=name,
        summary=summary,
        effect=_EFFECTS[method],
        scope="read" if method == "GET" else "write",
        method=method,
        path=path,
        gives=gives,
        resource=model.resources["WebhookSubscription"] if gives != "none" else None,
        status=made if gives != "none" else HTTPStatus.NO_CONTENT,
        args={**(_key() if of_one else {}), **(args or {})},
        not_found=NotMapped.CODE if of_one else None,
    )


def _settable(model: Model) -> dict[str, Argument]:
    """Describe what a caller says of a new subscription."""
    fields = model.resources["WebhookSubscription"].fields
    events = list_of(enum((ALL, *model.events)), 1, len(model.events) + 1)
    connections = list_of(scalar("id"), 1, _MOST_CONNECTIONS)
    url = Argument("url", fields["url"].type, required=True, meaning=fields["url"].meaning, nullable=False)
    which = "Which events; `*` is every one."
    whose = "Of which connections; all that you may use when left out."
    return {
        "url": url,
        "events": Argument("events", events, required=False, meaning=which, nullable=False, default=[ALL]),
        "connections": Argument("connections", connections, required=False, meaning=whose),
        "format": Argument(
            "format",
            fields["format"].type,
            required=False,
            meaning=fields["format"].meaning,
            nullable=False,
            default="native",
        ),
    }


def _listed(model: Model) -> dict[str, Argument]:
    """Give the arguments of the contract's own lists."""
    common = next(one.common for one in model.operations.values() if one.gives == "list")
    return {name: common[name] for name in ("limit", "cursor")}


def _key() -> dict[str, Argument]:
    return {"id": Argument("id", scalar("id"), required=True, meaning="Its id.", where="path")}


def _arguments(where: str, **told: tuple[Type, str]) -> dict[str, Argument]:
    """Describe arguments that need not be given, each by its type and meaning."""
    return {
        name: Argument(name, type_, required=False, meaning=meaning, nullable=False, where=where)
        for name, (type_, meaning) in told.items()
    }
