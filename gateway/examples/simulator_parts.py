"""The keys of `simulator:` in an examples file, each part declared once."""

from __future__ import annotations

from typing import Annotated

from gateway.documents.parts import Node, Takes, TemplateText, Tree, TreeObject, key, part
from gateway.values.messages import Json

_VERB = "path, {name} captures a segment"
_WHEN = "only if this holds"
_HOLDS = "{{ captured.id in state.bookings }}"
_GONE = {"status": 404, "json": {"error": "gone"}}


@part("reply", "an answer of the simulator")
class Reply(Node):
    """What is answered."""

    status: int = key("HTTP status", default=200, min=200, max=599, example=404)
    json: Tree | None = key("a JSON body", nullable=True, example={"ok": True})
    text: TemplateText | None = key("a text body", example="gone")
    xml: TreeObject | None = key("an XML body, as the mapping writes it", example={"answer": {"id": "{{ match.id }}"}})
    headers: TreeObject | None = key("headers", example={"Retry-After": "1"})


@part("on", "`on` of an answer")
class On(Node):
    """One of the mapping's calls."""

    get: str | None = key(_VERB, example="/bookings/{id}")
    post: str | None = key(_VERB, example="/bookings")
    put: str | None = key(_VERB, example="/bookings/{id}")
    patch: str | None = key(_VERB, example="/bookings/{id}")
    delete: str | None = key(_VERB, example="/bookings/{id}")
    method_name: str | None = key("another HTTP method, of the path under `url`", example="REPORT")
    url: str | None = key(_VERB, example="/calendars")
    method: str | None = key("the JSON-RPC method", example="getBookings")


@part("refusal", "one of `refuse` of an answer")
class Refusal(Node):
    """An answer that a condition asks for."""

    when: TemplateText = key("template giving a boolean", example=_HOLDS)
    answer: Reply = key("the answer", example=_GONE)


@part("set", "one of `change` of an answer")
class Set(Node):
    """Writes into the state."""

    set: TemplateText | None = key("dotted place in the state", example="bookings.{{ captured.id }}.status")
    to: Tree = key("the new value", nullable=True, required=True, example="cancelled")
    when: TemplateText | None = key(_WHEN, example=_HOLDS)


@part("remove", "one of `change` of an answer")
class Remove(Node):
    """Removes from the state."""

    remove: TemplateText | None = key("dotted place in the state", example="bookings.{{ captured.id }}")
    when: TemplateText | None = key(_WHEN, example=_HOLDS)


@part("add", "one of `change` of an answer")
class Add(Node):
    """Counts in the state."""

    add: TemplateText | None = key("dotted place of a number", example="next_id")
    by: Annotated[int | float | str, Takes("template")] = key("how much", default=1, example=2)
    when: TemplateText | None = key(_WHEN, example=_HOLDS)


@part("answer", "one of `answers`")
class Answer(Node):
    """What one call does."""

    on: On = key("one of the mapping's calls: verb and path, or the JSON-RPC method", example={"get": "/bookings"})
    when: TemplateText | None = key(_WHEN, example=_HOLDS)
    expects: dict[str, Json] | None = key("field or position: its format; ? = may be missing", example={"id": "digits"})
    let: TreeObject | None = key("names, in order", example={"booking": "{{ state.bookings[captured.id] }}"})
    refuse: list[Refusal] | None = key(
        "refusals; the first that holds is the answer", example=[{"when": _HOLDS, "answer": _GONE}]
    )
    change: list[Set | Remove | Add] | None = key("what changes, in order", example=[{"add": "next_id"}])
    answer: Reply = key("the answer", example={"json": "{{ booking }}"})


@part("simulator", "`simulator` of an examples file")
class Simulator(Node):
    """How the provider is played."""

    settings: dict[str, Json] | None = key(
        "settings of the played connection, laid over those of the examples", example={"company": "demo"}
    )
    state: dict[str, Json] = key("what the provider holds at the beginning", example={"bookings": {}})
    unauthorised: Reply = key("the answer to wrong credentials", example={"status": 401, "json": {"error": "key"}})
    unknown: Reply = key("the answer to a call the provider does not know", example={"status": 404, "text": "?"})
    invalid: Reply = key(
        "the answer to a call whose fields have the wrong form", example={"status": 400, "json": {"error": "form"}}
    )
    answers: list[Answer] = key(
        "what calls do", example=[{"on": {"get": "/bookings"}, "answer": {"json": "{{ state.bookings }}"}}]
    )
