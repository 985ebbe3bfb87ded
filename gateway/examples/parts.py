"""The keys of an examples file, `examples/PROVIDER.yaml`, each part declared once."""

from __future__ import annotations

from typing import Any, Final, Literal

from gateway.documents.parts import ErrorCode, Node, OperationName, key, part, share
from gateway.examples.simulator_parts import Simulator
from gateway.values.messages import Json

_URL = "https://club.example/api/services"
_REQUEST = {"get": _URL}
_ANSWER: Final[dict[str, Json]] = {"json": {"data": []}}
_EXCHANGES: Final = [{"request": _REQUEST, "answer": _ANSWER}]
_NOW = "2026-03-01T09:00:00+01:00"
_SIMULATOR: Final = {
    "state": {"bookings": {}},
    "unauthorised": {"status": 401},
    "unknown": {"status": 404},
    "invalid": {"status": 400},
    "answers": [{"on": {"get": "/bookings"}, "answer": {"json": "{{ state.bookings }}"}}],
}
_FAILS: Final = {"code": "BOOKING_NOT_FOUND"}
_RECEIVED: Final = {"json": {"event": "created", "id": 7}}


@part("example_request", "`request` of an exchange")
class Request(Node):
    """One request that the provider is sent."""

    get: str | None = key("a GET of this URL", example=_URL)
    post: str | None = key("a POST of this URL", example=_URL)
    put: str | None = key("a PUT of this URL", example=_URL)
    patch: str | None = key("a PATCH of this URL", example=_URL)
    delete: str | None = key("a DELETE of this URL", example=_URL)
    query: dict[str, Json] | None = key("its query parameters", example={"page": 1})
    headers: dict[str, Json] | None = key("headers that it must have", example={"X-Api-Key": "club-key"})
    json: Any = key("its JSON body", nullable=True, example={"name": "Ann"})
    form: dict[str, Json] | None = key("its form fields", example={"name": "Ann"})
    method_name: str | None = key("another method, of the address under `url`", example="PROPFIND")
    url: str | None = key("the address of a request with `method_name`", example=_URL)
    jsonrpc: dict[str, Json] | None = key(
        "its JSON-RPC method and params, or the list of them under `batch`, posted to the base URL unless one is given",
        example={"method": "getServices", "params": [7]},
    )
    text: str | None = key("its body as text, whatever its form", example="hello")
    xml: dict[str, Json] | None = key("its XML, as the mapping writes it", example={"ask": {"id": "7"}})
    multipart: dict[str, Json] | None = key("its parts, as the mapping writes them", example={"name": "Ann"})
    icalendar: dict[str, Json] | None = key(
        "its event as feeds are read, but for `key`", example={"uid": "7", "start": "2026-03-01"}
    )


@part("example_answer", "`answer` of an exchange")
class Answer(Node):
    """What the provider answers."""

    status: int | None = key("the HTTP status, 200 by default", min=100, max=599, example=404)
    headers: dict[str, Json] | None = key("its headers", example={"Retry-After": "3"})
    json: Any = key("a JSON body; null is an empty one", nullable=True, example={"data": []})
    text: str | None = key("a body of text", example="BEGIN:VCALENDAR")
    xml: dict[str, Json] | None = key("an XML body", example={"answer": {"id": "7"}})
    batch: list[Json] | None = key(
        "the answers to a batch of JSON-RPC, each with `result` or `error`, in the order of its calls",
        example=[{"result": []}],
    )
    result: Any = key("the result of a JSON-RPC answer", nullable=True, example=[])
    error: Any = key("the error of a JSON-RPC answer", nullable=True, example={"code": -32001, "message": "no"})


@part("exchange", "one of `exchanges`")
class ExchangePart(Node):
    """One request, and what is answered."""

    request: Request = key("the request, exactly", example=_REQUEST)
    answer: Answer | None = key(
        "its answer; that of the last is left out beside `each`", nullable=True, example=_ANSWER
    )


@part("received", "`received` of an example of a hook")
class ReceivedPart(Node):
    """What a provider sends us."""

    method: str | None = key("the HTTP method, post by default", example="post")
    token: str | None = key("the last part of the hook's URL", example="hook-token")
    query: dict[str, Json] | None = key("its query parameters", example={"id": "7"})
    headers: dict[str, Json] | None = key("its headers", example={"X-Signature": "sha256=0f"})
    json: Any = key("a JSON body", nullable=True, example=_RECEIVED["json"])
    form: dict[str, Json] | None = key("form fields", example={"event": "created"})
    text: str | None = key("a body as it is sent", example='{"event": "created"}')


@share
class Played(Node):
    """What every example says."""

    name: str = key("what must hold, in words", example="services.list reads every service")
    fails: dict[str, Json] | None = key("the error, as far as it is written", example=_FAILS)
    now: str | None = key("the time it is played at, instead of the file's", example=_NOW)
    settings: dict[str, Json] | None = key("settings laid over the file's", example={"language": "en"})


@part("each", "one of `each` of an example")
class Each(Node):
    """One answer to the last request, and what is made of it."""

    answer: Answer | None = key("the answer", nullable=True, example=_ANSWER)
    gives: Any = key("the exact result", nullable=True, example=[])
    fails: dict[str, Json] | None = key("the error, as far as it is written", example=_FAILS)


@part("example", "one of `examples`")
class ExamplePart(Played):
    """One call of an operation."""

    exchanges: list[ExchangePart] | None = key("requests and answers, in their order", example=_EXCHANGES)
    operation: OperationName = key("the operation, or native.NAME", example="services.list")
    args: dict[str, Json] | None = key("its arguments", example={"id": "7"})
    gives: Any = key("the exact result", nullable=True, example=[])
    each: list[Each] | None = key(
        "several answers to the same last request", example=[{"answer": _ANSWER, "gives": []}]
    )
    remembered: dict[str, Json] | None = key("what the gateway knows of the booking before", example={"quantity": 2})
    warnings: list[Json] | None = key("all that are told, each as far as written", example=[{"field": "notes"}])
    handling: Literal["strict", "lenient"] | None = key("what the caller prefers", example="lenient")
    idempotency_key: str | None = key(
        "the UUID that templates see under this name", example="0190a5f4-7c1e-7d6b-8a42-3f5e9c1d2b70"
    )


@part("hook_example", "one of `examples`, of a hook that tells what happened", known_by="hook")
class HookExamplePart(Played):
    """One message of a provider."""

    exchanges: list[ExchangePart] | None = key("requests and answers, in their order", example=_EXCHANGES)
    hook: str = key("the hook's name", example="events")
    received: ReceivedPart = key("what is sent", example=_RECEIVED)
    messages: list[Json] | None = key("what it means, exactly", example=[{"event": "booking.created"}])
    reply: dict[str, Json] | None = key("what is answered, as far as it is written", example={"status": 200})


@part("request_example", "one of `examples`, of a hook that asks something of us", known_by="requests")
class RequestExamplePart(Played):
    """One question of a provider."""

    hook: str = key("the hook's name", example="events")
    received: ReceivedPart = key("what is sent", example=_RECEIVED)
    requests: dict[str, Json] = key(
        "the canonical request, exactly", example={"request": "booking.requested", "data": {}}
    )
    answers: dict[str, Json] | None = key("what it is given", example={"booking": {"id": "7"}})
    error: ErrorCode | None = key("the code with which it fails", example="BOOKING_CONFLICT")
    reply: dict[str, Json] | None = key("what is answered, as far as it is written", example={"status": 200})


@part("examples", "the examples file itself")
class ExamplesFile(Node):
    """An examples file."""

    provider: str = key("the provider of the mapping", example="example")
    settings: dict[str, Json] = key("settings of the connection", example={"currency": "EUR"})
    now: str = key("the time at which the examples are played, with its offset", example=_NOW)
    token: str | None = key("the token of a session that is taken to be there", example="t-1")
    examples: list[ExamplePart | HookExamplePart | RequestExamplePart] = key(
        "the examples", example=[{"name": "lists nothing", "operation": "services.list", "gives": []}]
    )
    simulator: Simulator | None = key("how the provider is played", example=_SIMULATOR)
