"""An answer to the body of a success, or to what the provider meant. Values only, no engine."""

from dataclasses import replace

import pytest

from gateway.mapping.runtime.answers import to_body
from gateway.values.errors import (
    AnswerMismatch,
    GatewayError,
    ProviderRedirected,
    ProviderRejected,
    ProviderUnauthorised,
    ProviderUnavailable,
)

CANARY = "c4nary-v4lue"
SCOPE = {"settings": {"base_url": "https://api.example"}, "now": "2026-03-01T09:00:00+01:00", "serial": 7, "args": {}}


def said(call, response):
    """Read an answer, or give the error it means."""
    return to_body(*call[:1], response, call[1], SCOPE)


RPC = "{jsonrpc: {method: a, params: []}}"


@pytest.mark.parametrize("number", [7, "7", None])
def test_json_rpc_answer(call, answered, number):
    """An answer with the number of its call, also written as text, or with no number, is the answer."""
    body = {"result": 1} | ({} if number is None else {"id": number})
    assert body == said(call(RPC), answered(body))


@pytest.mark.parametrize("success", ["", ", success: 'id == `7`'"])
def test_json_rpc_error(call, answered, success):
    """An answer with an error is none of success, unless the mapping says otherwise."""
    body = {"id": 7, "error": {"code": -32601}, "result": None}
    if success:
        assert body == said(call(RPC.removesuffix("}") + success + "}"), answered(body))
    else:
        with pytest.raises(ProviderRejected):
            said(call(RPC), answered(body))
    assert {"id": 7, "error": None} == said(call(RPC), answered({"id": 7, "error": None}))


@pytest.mark.parametrize("body", [[], ["a"], "text", 5, None])
def test_no_json_rpc(call, answered, body):
    """What is no object is no answer of JSON-RPC."""
    with pytest.raises(AnswerMismatch, match="is not one of JSON-RPC"):
        said(call(RPC), answered(body))


@pytest.mark.parametrize("number", [8, "8", None, True, [7]])
def test_json_rpc_answer_of_another(call, answered, number):
    """An answer that belongs to another call is no answer."""
    with pytest.raises(AnswerMismatch, match="belongs to another call"):
        said(call(RPC), answered({"result": 1, "id": number}))


@pytest.mark.parametrize(
    ("success", "body", "fine"),
    [
        ("success == `true`", {"success": True}, True),
        ("success == `true`", {"success": False}, False),
        ("success == `true`", {"success": 1}, False),
        ("success == `true`", {}, False),
        ("count", {"count": 0}, True),  # JMESPath's truth: every number
        ("count", {"count": ""}, False),
        ("count", {"count": []}, False),
        ("count", {"count": None}, False),
        ("length(count) > `0`", {"count": 1}, False),  # an expression that cannot be evaluated does not hold
        ("@", [], False),
    ],
)
def test_success(call, answered, success, body, fine):
    """A 2xx answer is a success when its `success:` holds, and otherwise a refusal."""
    made = call("{get: /a}", f'http: {{success: "{success}"}}')
    if fine:
        assert body == said(made, answered(body))
    else:
        with pytest.raises(ProviderRejected) as caught:
            said(made, answered(body))
        assert ("PROVIDER_ERROR", {"code": "200"}) == (caught.value.code, caught.value.provider)


def test_success_of_the_call(call, answered):
    """What a call says of its own success counts instead of the file's."""
    made = call("{get: /a, success: ok}", "http: {success: success}")
    assert {"ok": "yes"} == said(made, answered({"ok": "yes"}))


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (f"<html>{CANARY}</html>".encode(), "is not JSON"),
        (f'{{"a": "{CANARY}", "a": 1}}'.encode(), "repeats a key in an object"),
        (b"", "is empty"),
        (b"\xff", "is not UTF-8"),
        (b"[" * 100, "is nested deeper than 64 levels"),
        (b'{"a": NaN}', "contains NaN"),
    ],
)
def test_unreadable(call, answered, body, reason):
    """A 2xx answer that cannot be read is a mismatch whatever the rules say: nobody knows what it meant."""
    made = call("{get: /a}", "errors: [{status: 200, is: PROVIDER_ERROR}]")
    with pytest.raises(AnswerMismatch, match=reason) as caught:
        said(made, answered(body))
    assert CANARY not in str(caught.value)
    assert ("PROVIDER_ERROR", "example.yaml") == (caught.value.code, caught.value.origin.rpartition(":")[0])


def test_no_content(call, answered):
    """204 has no body, and that is a success."""
    assert said(call("{delete: /a}"), answered(b"", 204)) is None


def test_text(call, answered):
    """An answer that is text is given as it is, JSON or not, and nothing at all is a text as well."""
    made = call("{get: /a, answer: text}")
    assert "OK\n" == said(made, answered(b"OK\n"))
    assert "" == said(made, answered(b""))
    with pytest.raises(AnswerMismatch, match="is not UTF-8"):
        said(made, answered(b"\xff"))


RULES = """
errors:
  - {status: 404, when: gone, is: BOOKING_NOT_FOUND}
  - {status: [404, 410], is: NOT_FOUND}
  - {header: {X-Left: "^0$", X-Kind: day}, is: RATE_LIMITED}
  - {header: {X-Gone: ".*"}, is: INVALID_STATE}
  - {when: "error.code == 'taken'", is: BOOKING_CONFLICT,
     code: error.code, message: error.text, details: {at: "{{ body.at }}"}}
  - {when: "lower(error.text) == 'x'", is: LIMIT_EXCEEDED}
  - {when: "error.code == 'signature'", is: PROVIDER_AUTH_FAILED}
"""


@pytest.mark.parametrize(
    ("status", "headers", "body", "code"),
    [
        (404, {}, {"gone": True}, "BOOKING_NOT_FOUND"),
        (404, {}, {"gone": False}, "NOT_FOUND"),
        (404, {}, b"not JSON", "NOT_FOUND"),
        (410, {}, {"gone": True}, "NOT_FOUND"),
        (400, {"x_left": "0", "x_kind": "per day"}, {}, "RATE_LIMITED"),
        (400, {"x_left": "0"}, {}, "PROVIDER_ERROR"),
        (400, {"x_gone": ""}, {}, "INVALID_STATE"),
        (400, {"x_left": "10", "x_kind": "day"}, {}, "PROVIDER_ERROR"),
        (200, {}, {"error": {"code": "taken"}, "at": 1}, "BOOKING_CONFLICT"),
        (500, {}, {"error": {"code": "taken"}, "at": 1}, "BOOKING_CONFLICT"),
        (400, {}, {"error": {"text": 5}}, "PROVIDER_ERROR"),
        (400, {}, {"error": {"text": "X"}}, "LIMIT_EXCEEDED"),
        (400, {}, {"error": {"code": "signature"}}, "PROVIDER_AUTH_FAILED"),
    ],
)
def test_rules(call, answered, status, headers, body, code):
    """The first rule of which every condition holds says what a refusal means."""
    made = call("{get: /a, success: success}", RULES)
    headers = {name.replace("_", "-"): text for name, text in headers.items()}
    with pytest.raises(GatewayError) as caught:
        said(made, replace(answered(body, status), headers=headers))
    assert code == caught.value.code
    assert (code == "PROVIDER_AUTH_FAILED") == isinstance(caught.value, ProviderUnauthorised)


def test_what_the_provider_said(call, answered):
    """A rule's error carries the provider's own code and words, the details of the rule, and where the rule stands."""
    made = call("{get: /a, success: success}", RULES)
    words = {"code": "taken", "text": "w" * 600}
    with pytest.raises(ProviderRejected) as caught:
        said(made, answered({"error": words, "at": [1]}, retry_after="5"))
    error = caught.value
    assert ({"code": "taken", "message": "w" * 600}, {"at": [1]}) == (error.provider, error.details)
    assert ("example.yaml:7", 5.0, "") == (error.origin, error.retry_after, error.detail)


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"error": {"code": -32054, "message": "no"}}, {"code": "-32054", "message": "no"}),
        ({"error": {"code": 1.5, "message": ""}}, {"code": "1.5"}),
        ({"error": {"code": True, "message": ["no"]}}, {"code": "400"}),
        ({"error": "no"}, {"code": "400"}),
        (b"not JSON", {"code": "400"}),
    ],
)
def test_words_of_the_file(call, answered, body, words):
    """Without a rule the file's own paths tell the provider's words, where those are text or numbers."""
    made = call("{get: /a}", "http: {code: error.code, message: error.message}")
    with pytest.raises(ProviderRejected) as caught:
        said(made, answered(body, 400))
    assert words == caught.value.provider


def test_words_that_cannot_be_read(call, answered):
    """A path to the provider's words that does not fit the answer hides nothing of the refusal."""
    made = call("{get: /a}", "http: {message: 'lower(error)'}")
    with pytest.raises(ProviderRejected) as caught:
        said(made, answered({"error": 5}, 400))
    assert {"code": "400"} == caught.value.provider


@pytest.mark.parametrize(
    ("status", "kind", "code"),
    [
        (400, ProviderRejected, "PROVIDER_ERROR"),
        (401, ProviderUnauthorised, "PROVIDER_AUTH_FAILED"),
        (403, ProviderUnauthorised, "PROVIDER_AUTH_FAILED"),
        (404, ProviderRejected, "PROVIDER_ERROR"),
        (302, ProviderRedirected, "PROVIDER_ERROR"),
        (307, ProviderRejected, "PROVIDER_ERROR"),
        (429, ProviderRejected, "RATE_LIMITED"),
        (500, ProviderUnavailable, "PROVIDER_UNAVAILABLE"),
        (503, ProviderUnavailable, "PROVIDER_UNAVAILABLE"),
        (599, ProviderUnavailable, "PROVIDER_UNAVAILABLE"),
    ],
)
def test_no_rule(call, answered, status, kind, code):
    """Without a rule the status says what a refusal means; a provider's 401 and 403 concern our credentials."""
    with pytest.raises(GatewayError) as caught:
        said(call("{get: /a}"), answered({"secret": CANARY}, status, retry_after="30"))
    assert (kind, code) == (type(caught.value), caught.value.code)
    assert CANARY not in str(caught.value)
    assert {429: 30.0, 500: 30.0, 503: 30.0, 599: 30.0}.get(status) == caught.value.retry_after
    assert status < 500 or caught.value.sent


def test_whole_answer(call, answered):
    """A call that wants the whole answer sees its status and its headers, but no cookie."""
    whole = {"status": 201, "headers": {"location": "/b/7"}, "body": {"a": 1}}
    assert whole == said(
        call("{post: /a, whole: true}"), answered({"a": 1}, 201, location="/b/7", **{"set-cookie": CANARY})
    )
