"""Keys of records and of operations, canonical and native: fields, steps, rows and results."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from gateway.mapping.keys import NAME, REASONS, SCALAR, TREE, Part, key

_NO_HOLDS = {"hold": "it holds nothing"}
_ID = {"id": "{{ args.id }}"}
_WHEN = "{{ args.quantity | default(1) > 1 }}"
_ARGUMENT_TYPES = ["string", "integer", "number", "boolean", "date", "object", "list", "id"]
_RESULT: dict[str, Any] = {
    "at": key("string", "path to the one object of the answer", takes="path", example="result"),
    "rows": key(["string", "list"], "path to the rows, or named levels", takes="path", example="values(result)"),
    "row": key("string", "the record that reads each row", example="service"),
    "union": key("list", "several sources of rows, one after the other", example=[{"rows": "data", "row": "service"}]),
    "gives": key("dict", "the result is another operation's", example={"run": "bookings.get"}),
    "set": key(
        "dict", "fields of the result that are known better here", takes="tree", example={"status": "cancelled"}
    ),
    "filters": key(
        "dict",
        "of a list: what an argument stands for where rows are chosen by it; null leaves the choice to the provider",
        takes="tree",
        example={"resource_id": "{{ parts }}"},
    ),
    "find": key("string", "run this list and pick the one with the id", example="services.list"),
}
_BODY: dict[str, Any] = {
    "call": key("dict", "one call", example={"get": "/api/services"}),
    "steps": key(
        "list", "several steps, one after the other", minlength=1, example=[{"name": "all", "call": {"get": "/all"}}]
    ),
    "errors": key("list", "error rules tried before the file's", example=[{"status": 409, "is": "BOOKING_CONFLICT"}]),
    **_RESULT,
}
_EXTRAS: dict[str, Any] = {
    "support": key("string", "how well this is done", allowed=["native", "emulated", "degraded"], example="emulated"),
    "notes": key("string", "a sentence for the capability document", example="Free slots only."),
    "needs": key(
        "dict",
        "settings without which a connection does not have it: reason",
        example={"user_login": "only a user may list"},
        **REASONS,
    ),
    "take": key(
        "dict",
        "names for values used below, in order",
        takes="template",
        example={"local": {"from": "{{ args.start }}", "as": "local_time"}},
    ),
    "choose": key(
        "list",
        "variants; the first whose `when` holds",
        minlength=2,
        example=[{"when": _WHEN, "call": {"post": "/group"}}, {"call": {"post": "/single"}}],
    ),
    "class": key("string", "the class of rate that its calls count against", example="create"),
    "cache": key(
        "string",
        "how long an answer is kept, of an operation that reads, in s, m or h",
        regex=r"[1-9]\d*(s|m|h)",
        example="60s",
    ),
}
_WITH = key("dict", "its arguments; without it, the same id", takes="tree", example=_ID)

PARTS: Final[Mapping[str, Part]] = {
    "record": Part(
        "one of `records`",
        {
            "of": key("string", "the canonical resource, or the object inside one", required=True, example="Service"),
            "nothing": key(
                "string", "what is written where the canonical value is null; else null is not written", example=""
            ),
            "private": key(
                "list", "provider fields that provider_data never shows", schema={"type": "string"}, example=["hash"]
            ),
            "fields": key(
                "dict", "canonical field: where the provider keeps it", required=True, example={"name": "title"}
            ),
        },
    ),
    "field": Part(
        "one of `fields`; a path alone is its `at`",
        {
            "at": key(["string", "list"], "path in the row, or several", takes="path", example="start_date_time"),
            "as": key(["string", "dict"], "the codec that reads and writes it", example="integer_text"),
            "value": key([*SCALAR, "list", "dict"], "a constant", nullable=True, example="appointment"),
            "make": key(
                TREE,
                "computed from row, fields, settings, args and steps",
                takes="tree",
                example="{{ fields.start | add_minutes(30) }}",
            ),
            "from": key(
                "list",
                "built from these canonical fields of the lines above",
                schema={"type": "string"},
                example=["service_id", "start"],
            ),
            "record": key("string", "the record of an embedded object or of a list of them", example="price"),
            "rows": key(
                ["string", "list"],
                "path to the rows of a list of embedded objects, or named levels",
                takes="path",
                example="values(instances)",
            ),
            "when": key(
                "string", "path that must be true, else the field is left out", takes="path", example="price != `null`"
            ),
            "default": key(TREE, "used when the provider has none", nullable=True, example=1),
            "mode": key("string", "the direction it is used in", allowed=["read", "write", "both"], example="write"),
            "remember": key(
                "boolean", "the provider cannot tell it: what the gateway knows of it goes before", example=True
            ),
        },
    ),
    "operation": Part(
        "one of `operations`, or one of its ways",
        {
            **_BODY,
            **_EXTRAS,
            "unsupported": key(
                "dict",
                "arguments, or members such as `customer.phone`, that cannot be honoured: reason; sending one is a 501",
                example=_NO_HOLDS,
                **REASONS,
            ),
            "loses": key(
                "dict",
                "arguments, or members, that are taken without their full effect: reason, told in the capabilities",
                example={"hold.minutes": "a draft is not released by itself"},
                **REASONS,
            ),
            "requires": key(
                "dict",
                "optional arguments this provider needs: reason; leaving one out is a 400",
                example={"service_id": "a slot is one of a service"},
                **REASONS,
            ),
            "args_from": key(
                "dict",
                "argument: the join codec that takes it apart into other arguments",
                example={"slot_id": {"join": {"by": "~", "parts": ["service_id", "resource_id"]}}},
            ),
            "window": key("dict", "local days asked from the provider", example={"max_days": 31}),
        },
    ),
    "native": Part(
        "one of `native`, or one of its ways",
        {
            "safe": key("boolean", "it changes nothing; it is then a GET for callers", default=False, example=True),
            "args": key("dict", "its arguments by name", example={"code": {"type": "string", "required": True}}),
            **{name: _EXTRAS[name] for name in ("notes", "needs", "take", "class", "cache")},
            **{name: _BODY[name] for name in ("call", "steps", "errors")},
            "at": _RESULT["at"],
        },
    ),
    "argument": Part(
        "one of `args` of a native operation",
        {
            "type": key("string", "what it is", required=True, allowed=_ARGUMENT_TYPES, example="integer"),
            "required": key("boolean", "it must be given", example=True),
            "default": key(TREE, "used when it is not given", example=1),
            "allowed": key("list", "the only values it may have", example=[0, 1]),
            "meaning": key("string", "one sentence", example="How many places."),
        },
    ),
    "variant": Part(
        "one of `choose`",
        {"when": key("string", "one expression that is true or false", takes="template", example=_WHEN), **_BODY},
    ),
    "step": Part(
        "one of `steps`; exactly one of `call`, `run`, `refuse`, `take`, `make` and `exclusive`",
        {
            "name": key("string", "the name its value is known by", regex=NAME, example="details"),
            "call": _BODY["call"],
            "run": key("string", "another canonical operation", example="bookings.get"),
            "with": _WITH,
            "refuse": key(
                "list",
                "guards; the first that holds ends the operation",
                example=[{"when": _WHEN, "is": "INSUFFICIENT_CAPACITY", "message": "One at a time."}],
            ),
            "takes_back": key(
                "boolean",
                "beside `refuse`: what the steps above wrote is undone before the operation ends",
                example=True,
            ),
            "exclusive": key(
                "string",
                "one expression, text or a list of texts: other writes that name one of them wait for this one",
                takes="template",
                example="{{ args.resource_id }}",
            ),
            "take": key(
                "dict", "more names for values, computed here", takes="template", example={"first": "{{ all[0] }}"}
            ),
            "make": key(TREE, "the value itself, built here", takes="tree", example={"name": "{{ args.id }}"}),
            "when": key(
                "string", "one expression; false: the step is skipped, its value null", takes="template", example=_WHEN
            ),
            "for_each": key(
                "dict", "one call for each element of a list", example={"in": "{{ services }}", "as": "service"}
            ),
            "keep": key("string", "path on the body: what is captured", takes="path", example="data[0].id"),
            "accept": key(
                "list",
                "error codes that do not end the operation; the value is then null",
                schema={"type": "string"},
                example=["BOOKING_NOT_FOUND"],
            ),
            "safe": key("boolean", "a reading step of a writing operation", example=True),
            "stays": key(
                "boolean", "what it made may stay when a later step fails; it is never sent twice", example=True
            ),
            "undo": key(
                "dict", "done when a later step fails", example={"call": {"delete": "/bookings/{{ details.id }}"}}
            ),
            "recover": key(
                "dict",
                "looked at when the step failed: whether it was done all the same",
                example={"run": "bookings.get", "done": "{{ body.status == 'cancelled' }}"},
            ),
        },
    ),
    "for_each": Part(
        "`for_each` of a step",
        {
            "in": key(
                ["string", "list"],
                "one expression giving the list, or named levels",
                takes="template",
                required=True,
                example="{{ services }}",
            ),
            "as": key("string", "the name of each element of one list", regex=NAME, example="service"),
            "at_once": key("integer", "so many calls at the same time", min=1, max=16, default=4, example=2),
        },
    ),
    "undo": Part(
        "`undo` of a step; exactly one of `call` and `run`",
        {
            "call": _BODY["call"],
            "run": key("string", "another canonical operation", example="bookings.cancel"),
            "with": _WITH,
        },
    ),
    "recover": Part(
        "`recover` of a step; exactly one of `call` and `run`",
        {
            "call": _BODY["call"],
            "run": key("string", "another canonical operation, one that reads", example="bookings.get"),
            "with": _WITH,
            "keep": key("string", "path on its answer: what of it is `body`", takes="path", example="response"),
            "done": key(
                "string",
                "one expression on `body`: whether the step was done",
                takes="template",
                required=True,
                example="{{ body.status == 'cancelled' }}",
            ),
        },
    ),
    "refusal": Part(
        "one of `refuse` of a step",
        {
            "when": key(
                "string", "one expression that is true or false", takes="template", required=True, example=_WHEN
            ),
            "is": key("string", "the canonical error code", required=True, example="INSUFFICIENT_CAPACITY"),
            "message": key("string", "one sentence for the caller", required=True, example="One place at a time."),
            "details": key("dict", "details for the caller", takes="tree", example={"remaining": 1}),
        },
    ),
    "gives": Part(
        "`gives`; exactly one of `run` and `step`",
        {
            "run": key("string", "the operation whose result it is", example="bookings.get"),
            "with": _WITH,
            "step": key("string", "the step that ran the operation whose result it is", example="booked"),
        },
    ),
    "source": Part(
        "one of `union`",
        {"rows": _RESULT["rows"], "at": _RESULT["at"], "row": {**_RESULT["row"], "required": True}},
    ),
    "level": Part(
        "one of the named levels of `rows`, or of `in` of a `for_each`",
        {
            "name": key("string", "the name that paths and templates use", regex=NAME, required=True, example="day"),
            "at": key("string", "path on the level before", takes="path", required=True, example="items(dates)"),
            "when": key(
                "string", "one expression; false: the element is left out", takes="template", example="{{ day.free }}"
            ),
        },
    ),
    "window": Part(
        "`window` of an operation",
        {
            "max_days": key("integer", "most days in one call; longer windows are split", min=1, example=31),
            "default_days": key("integer", "days from today when the caller gives no window", min=1, example=60),
        },
    ),
    "take": Part(
        "one of `take`; a template alone is its `from`",
        {
            "from": key("string", "the value", takes="template", required=True, example="{{ args.start }}"),
            "as": key(["string", "dict"], "the codec that writes it", required=True, example="local_time"),
        },
    ),
}
