"""One body through every way of failing, and what stands in it."""

import json

import pytest

from gateway.application import build
from gateway.model.model import load
from gateway.surface.http.error_responses import failure_of, wants_problem
from gateway.values.errors import AnswerMismatch, CallerRefused, GatewayError, MappingFault, ProviderUnavailable
from tests.applications import engine_of

BOOKINGS = "/v1/club-a/bookings"
JSON = {"Content-Type": "application/json"}

# Name: caller, method, path, what is sent, what the provider answers, and then status and code.
WAYS = {
    "no such path": ("web", "GET", "/v2/x", {}, {}, 404, "NOT_FOUND"),
    "no such path below v1": ("web", "GET", "/v1/club-a/nothing/at/all", {}, {}, 404, "NOT_FOUND"),
    "no such method": ("web", "PUT", BOOKINGS, {}, {}, 405, "VALIDATION_ERROR"),
    "no key": (None, "GET", BOOKINGS, {}, {}, 401, "UNAUTHORIZED"),
    "not allowed to write": ("reporting", "DELETE", f"{BOOKINGS}/7", {}, {}, 403, "FORBIDDEN"),
    "another's connection": ("web", "GET", "/v1/club-c/bookings", {}, {}, 403, "FORBIDDEN"),
    "no such connection": ("web", "GET", "/v1/club-z/bookings", {}, {}, 404, "CONNECTION_NOT_FOUND"),
    "no such native operation": ("web", "POST", "/v1/club-a/native/fly", {}, {}, 404, "NOT_FOUND"),
    "unsafe native operation": ("web", "GET", "/v1/club-a/native/openDoor?court=1", {}, {}, 405, "VALIDATION_ERROR"),
    "native argument": ("web", "GET", "/v1/club-a/native/getPrices?cuort=1", {}, {}, 400, "VALIDATION_ERROR"),
    "unsupported operation": ("web", "GET", "/v1/club-a/services", {}, {}, 501, "UNSUPPORTED_OPERATION"),
    "unsupported argument": ("web", "GET", f"{BOOKINGS}?email=a@b.example", {}, {}, 501, "UNSUPPORTED_OPERATION"),
    "not JSON": ("web", "POST", BOOKINGS, {"data": b"{", "headers": JSON}, {}, 400, "VALIDATION_ERROR"),
    "unknown field": ("web", "POST", BOOKINGS, {"json": {"custmer": {}}}, {}, 400, "VALIDATION_ERROR"),
    "too large": ("web", "POST", BOOKINGS, {"data": b" " * 70_000, "headers": JSON}, {}, 413, "VALIDATION_ERROR"),
    "not declared": ("web", "POST", BOOKINGS, {"data": b"{}"}, {}, 415, "VALIDATION_ERROR"),
    "bad cursor": ("web", "GET", f"{BOOKINGS}?cursor=x", {}, {}, 400, "VALIDATION_ERROR"),
    "time in a gap": (
        "web", "GET", f"{BOOKINGS}?from=2026-03-29T02:30:00&to=2026-03-30T00:00:00", {}, {}, 422, "INVALID_TIME",
    ),
    "needed by the provider": (
        "web", "GET", "/v1/club-a/slots?from=2026-03-01T00:00:00Z&to=2026-03-02T00:00:00Z", {}, {}, 400,
        "VALIDATION_ERROR",
    ),
    "no such booking": ("web", "GET", f"{BOOKINGS}/8", {}, {}, 404, "BOOKING_NOT_FOUND"),
    "refused by the provider": (
        "web", "POST", f"{BOOKINGS}/7/cancel", {},
        {"POST /bookings/7/cancel": (409, {"error": {"code": "taken", "message": "Already taken"}})},
        409, "BOOKING_CONFLICT",
    ),
    "limited by the provider": ("web", "GET", BOOKINGS, {}, {"GET /bookings": (429, {})}, 429, "RATE_LIMITED"),
    "our credentials refused, 401": (
        "web", "GET", BOOKINGS, {}, {"GET /bookings": (401, {})}, 502, "PROVIDER_AUTH_FAILED",
    ),
    "our credentials refused, 403": (
        "web", "GET", BOOKINGS, {}, {"GET /bookings": (403, {})}, 502, "PROVIDER_AUTH_FAILED",
    ),
    "broken provider": ("web", "GET", BOOKINGS, {}, {"GET /bookings": (500, b"oops")}, 503, "PROVIDER_UNAVAILABLE"),
    "not JSON from the provider": (
        "web", "GET", BOOKINGS, {}, {"GET /bookings": (200, b"<html>")}, 502, "PROVIDER_ERROR",
    ),
    "an answer that does not fit": (
        "web", "GET", BOOKINGS, {}, {"GET /bookings": (200, {"ok": True, "data": 5})}, 502, "PROVIDER_ERROR",
    ),
    "a lost read": ("web", "GET", BOOKINGS, {}, {"GET /bookings": None}, 503, "PROVIDER_UNAVAILABLE"),
}  # fmt: skip


@pytest.mark.parametrize("way", WAYS)
async def test_one_body(call_as, provider, way):
    """Whatever fails, the body has the same members, and says what the status and the headers say."""
    who, method, path, sent, answers, status, code = WAYS[way]
    provider.answers = answers
    found, body, headers = await call_as(who)(method, path, **sent)
    assert (status, "application/json") == (found, headers["Content-Type"])
    assert ["error"] == list(body)
    error = load().types["Error"].accept(body["error"])
    assert (code, status, headers["X-Request-Id"]) == (error["code"], error["status"], error["request_id"])
    assert error["message"].strip()
    assert load().errors[code].retryable == error["retryable"]
    assert "no-store" == headers["Cache-Control"]


@pytest.mark.parametrize("way", WAYS)
async def test_problem_details(call_as, provider, way):
    """Who asks for problem details (RFC 9457) gets the same failure in that form."""
    who, method, path, sent, answers, status, code = WAYS[way]
    provider.answers = answers
    wanted = {**sent.get("headers", {}), "Accept": "application/json;q=0.5, application/problem+json"}
    found, body, headers = await call_as(who)(method, path, **(sent | {"headers": wanted}))
    assert (status, "application/problem+json") == (found, headers["Content-Type"])
    assert (f"urn:booking-gateway:error:{code}", load().errors[code].title) == (body["type"], body["title"])
    assert (status, code, headers["X-Request-Id"]) == (body["status"], body["code"], body["request_id"])
    assert {"type", "title", "status", "detail", "code", "details", "retryable", "request_id"} == set(body) - {
        "provider"
    }


async def test_a_lost_write(call, provider, new):
    """A write whose answer is lost has an unknown outcome, and the caller is told where to look."""
    provider.answers["POST /bookings"] = None
    status, body, _ = await call("POST", BOOKINGS, json=new)
    assert (504, "OUTCOME_UNKNOWN", False) == (status, body["error"]["code"], body["error"]["retryable"])
    assert "bookings.list" == body["error"]["details"]["reconcile_with"]


async def test_headers(call, call_as, provider):
    """Allow, Retry-After and WWW-Authenticate stand where HTTP wants them."""
    _, _, headers = await call("PUT", BOOKINGS)
    assert "GET, HEAD, OPTIONS, POST" == headers["Allow"]
    _, _, headers = await call_as(None)("GET", BOOKINGS)
    assert 'Bearer realm="booking-gateway"' == headers["WWW-Authenticate"]
    model = load()
    away = failure_of(ProviderUnavailable("", sent=True), model)
    assert {"Retry-After": "10"} == away.headers  # a 503 always says when to come again
    limited = failure_of(ProviderUnavailable("", sent=True, retry_after=1.2), model)
    assert {"Retry-After": "2"} == limited.headers


async def test_what_the_provider_said(call, provider):
    """The provider's own code and words stand beside ours; a secret that it repeats does not."""
    key = "provider-s3cret-api-key"
    provider.answers["GET /bookings"] = (400, {"error": {"code": "E7", "message": f"key {key} is odd"}})
    _, body, _ = await call("GET", BOOKINGS)
    assert {"name": "courts", "code": "E7", "message": "key *** is odd"} == body["error"]["provider"]


async def test_where_a_mapping_does_not_fit(call, provider):
    """An answer that does not fit names file and line of the mapping, and nothing that the provider sent."""
    provider.answers["GET /bookings/7"] = (200, {"ok": True, "data": {"id": "7", "status": "sec-ret-value"}})
    _, body, _ = await call("GET", f"{BOOKINGS}/7")
    assert "PROVIDER_ERROR" == body["error"]["code"]
    path, _, line = body["error"]["details"]["origin"].rpartition(":")
    assert path.endswith("courts.yaml")
    assert line.isdigit()
    assert "sec-ret-value" not in json.dumps(body)


async def test_a_defect(application, aiohttp_client, caplog):
    """A defect of ours is 500 with the request's id and nothing else; the log has the trace under that id."""

    def now():
        raise ZeroDivisionError("inner-detail")

    broken = engine_of(application.engine.catalog, None, now, clock=lambda: 0.0)
    made = build(application.settings, broken, application.database, None, application.ambient)
    client = await aiohttp_client(made.surface())
    sent = {"Authorization": "Bearer web-key-0123456789", "X-Request-Id": "find-me"}
    response = await client.get(BOOKINGS, headers=sent)
    assert 500 == response.status
    expected = {
        "code": "INTERNAL_ERROR",
        "message": "Internal error",
        "status": 500,
        "details": {},
        "retryable": False,
        "request_id": "find-me",
    }
    assert {"error": expected} == await response.json()
    (crash,) = [record for record in caplog.records if record.message == "crashed"]
    assert ({"request": "find-me"}, ZeroDivisionError) == (crash.fields, crash.exc_info[0])


def test_only_callers_get_401_and_403():
    """A 401 or 403 that is not about the caller's own key never reaches the caller, whatever a mapping says."""
    model = load()
    for code in ("UNAUTHORIZED", "FORBIDDEN"):
        assert (502, "PROVIDER_AUTH_FAILED") == _told(GatewayError("no", code=code), model)
    assert (403, "FORBIDDEN") == _told(CallerRefused("no", code="FORBIDDEN"), model)


def test_no_template_is_told():
    """The text of a mapping's fault stays inside: callers get the code's title and the place."""
    failure = failure_of(MappingFault("m.yaml:3: `{{ args.x }}`: x is missing", origin="m.yaml:3"), load())
    assert ("The mapping failed", {"origin": "m.yaml:3"}) == (failure.message, failure.details)
    assert {"origin": "m.yaml:4"} == failure_of(AnswerMismatch("m.yaml:4: no list", origin="m.yaml:4"), load()).details
    assert {} == failure_of(GatewayError("no", code="INVALID_STATE", origin="m.yaml:5"), load()).details


@pytest.mark.parametrize(
    ("accept", "wanted"),
    [
        ("", False),
        ("*/*", False),
        ("application/json", False),
        ("application/problem+json", True),
        ("text/html, Application/Problem+JSON ; q=0.2", True),
        ("application/problem+json; q=0", False),
    ],
)
def test_accept(accept, wanted):
    """Problem details are given to those who name them."""
    assert wanted == wants_problem(accept)


def _told(error, model):
    failure = failure_of(error, model)
    return failure.status, failure.code
