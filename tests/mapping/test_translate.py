"""Plan and values to a request, an answer to its body or to what the provider meant. Values only, no engine."""

import json
from dataclasses import replace

import pytest

from gateway.errors import (
    AnswerMismatch,
    CallInvalid,
    GatewayError,
    MappingFault,
    ProviderRejected,
    ProviderUnauthorised,
    ProviderUnavailable,
)
from gateway.mapping.translate import encode_form, pairs, retry_after, to_body, to_request

CANARY = "c4nary-v4lue"
SCOPE = {
    "settings": {"base_url": "https://api.example/v2/", "time_zone": "Europe/Berlin", "currency": "EUR"},
    "now": "2026-03-01T09:00:00+01:00",
    "serial": 7,
    "args": {},
}


@pytest.fixture
def call(compiled):
    """Give a function that compiles one call, with arguments `x` and `y` of any kind, and whatever stands beside it."""

    def of(text, beside=""):
        # `all` uses every argument, so that a call need not.
        plan = compiled(
            f"{beside}\nnative:\n  a: {{args: {{x: {{type: string}}, y: {{type: object}}}},"
            f" take: {{all: '{{{{ args }}}}'}}, call: {text}}}"
        )
        return plan.native["a"].variants[0].steps[0].call, plan.rules

    return of


def asked(call, **args):
    """Build the request of a call with these arguments."""
    return to_request(call[0], {**SCOPE, "args": args})


def said(call, response):
    """Read an answer, or give the error it means."""
    return to_body(*call[:1], response, call[1], SCOPE)


# Requests.

BOOKING = {
    "booking_mode": "direct_booking",
    "recurring": 0,
    "date_from": "2026-03-19",
    "date_to": "2026-03-19",
    "time_from": "08:30",
    "time_to": "09:30",
    "main_resource": "48",
    "resource_parts": {"48": ["49"]},
    "category_fields": {"48": {"52": 21}},
    "inventory": {"48": {"1317": {"checked": "on", "quantity": 1}}},
}
ENCODED = (
    b"booking_mode=direct_booking&recurring=0&date_from=2026-03-19&date_to=2026-03-19&time_from=08%3A30"
    b"&time_to=09%3A30&main_resource=48&resource_parts%5B48%5D%5B0%5D=49&category_fields%5B48%5D%5B52%5D=21"
    b"&inventory%5B48%5D%5B1317%5D%5Bchecked%5D=on&inventory%5B48%5D%5B1317%5D%5Bquantity%5D=1"
)
WEEKLY = {"weekly_recurrence": [{"day": "mon", "full_day": 1}, {"day": "tue", "from": "09:00", "to": "10:00"}]}


def test_brackets(call):
    """Objects and lists in a form become PHP's brackets, in the order they are written, encoded like any other text."""
    request = asked(call("{post: /bookings, form: {$merge: ['{{ args.y }}']}}"), y=BOOKING)
    assert (ENCODED, (("Content-Type", "application/x-www-form-urlencoded"),)) == (request.body, request.headers)


def test_brackets_of_lists():
    """A list of objects is counted from nought, and what is empty leaves nothing."""
    assert (
        ("weekly_recurrence[0][day]", "mon"),
        ("weekly_recurrence[0][full_day]", "1"),
        ("weekly_recurrence[1][day]", "tue"),
        ("weekly_recurrence[1][from]", "09:00"),
        ("weekly_recurrence[1][to]", "10:00"),
    ) == pairs({**WEEKLY, "nobody": [], "nothing": {}}, "x.yaml:1")


def test_form_encoding():
    """A form is encoded as browsers do: blanks as plus signs, everything else but letters and digits in UTF-8."""
    assert b"a+b=c%26d%3De%2B%C3%BC&empty=" == encode_form([("a b", "c&d=e+ü"), ("empty", "")])


@pytest.mark.parametrize(
    ("value", "written"),
    [
        ("49", "49"),
        (49, "49"),
        (-7, "-7"),
        (10**20, "100000000000000000000"),
        (0.1, "0.1"),
        (100.0, "100"),
        (-2.50, "-2.5"),
        (1e-7, "0.0000001"),
        (1e22, "10000000000000000000000"),
        (51.50013005, "51.50013005"),
    ],
)
def test_numbers(value, written):
    """Numbers are written in plain decimal, all of their digits and no more."""
    assert (("n", written),) == pairs({"n": value}, "x.yaml:1")


@pytest.mark.parametrize("value", [True, False, None])
def test_no_word_for_it(value):
    """True, false and null are refused where only the mapping knows how its provider spells them."""
    with pytest.raises(MappingFault, match=r"^x\.yaml:1: `flags\[a\]` is neither text nor a number"):
        pairs({"flags": {"a": value}}, "x.yaml:1")


def test_whole_request(call):
    """Method, URL, query, headers, body and timeout are as the mapping says, and nothing is added."""
    beside = "http: {timeout: 10s, headers: {X-A: a, X-B: b}}"
    made = call(
        "{put: '/things/{{ args.x }}', query: {q: '{{ args.x }}', n: 2.0}, headers: {X-B: c},"
        " json: {x: '{{ args.x }}'}, timeout: 500ms}",
        beside,
    )
    request = asked(made, x="a b/ü")
    assert ("PUT", "https://api.example/v2/things/a%20b%2F%C3%BC") == (request.method, request.url)
    assert (("q", "a b/ü"), ("n", "2")) == request.query
    assert (("X-A", "a"), ("X-B", "c"), ("Content-Type", "application/json")) == request.headers
    assert ('{"x":"a b/ü"}'.encode(), 0.5) == (request.body, request.timeout)


def test_absolute_url(call):
    """A call may go to another address than the file's; its timeout is the file's unless it says its own."""
    request = asked(call("{get: 'https://other.example/x/{{ args.x }}'}", "http: {timeout: 2m}"), x="1")
    assert ("https://other.example/x/1", (), b"", 120.0) == (request.url, request.query, request.body, request.timeout)


@pytest.mark.parametrize("value", ["..", ".", "", "a\nb", "a\0"])
def test_what_cannot_be_named(call, value):
    """An argument cannot climb the path, nor leave a hole in it: the caller is told."""
    with pytest.raises(CallInvalid) as caught:
        asked(call("{get: '/things/{{ args.x }}'}"), x=value)
    assert ("VALIDATION_ERROR", False) == (caught.value.code, len(value) > 2 and value in caught.value.detail)


@pytest.mark.parametrize(
    ("text", "args"),
    [
        ("{get: /a, query: {b: '{{ args.x }}'}}", {}),
        ("{get: /a, query: {b: '{{ args.y }}'}}", {"y": None}),
        ("{get: /a, headers: {b: '{{ args.y.b }}'}}", {"y": {"b": True}}),
        ("{get: /a, query: {$for: b, $in: ['{{ args.x }}'], $give: 1}}", {"x": "1"}),
        ("{post: /a, form: {$for: b, $in: '{{ args.x }}', $give: 1}}", {"x": "1"}),
        ("{post: /a, json: {$first: '{{ args.x }}'}}", {"x": "1"}),
        ("{post: /a, json: {$merge: ['{{ args.x }}']}}", {"x": "1"}),
        ("{post: /a, json: {$for: b, $in: [1], $key: '{{ b }}', $give: 1}}", {}),
        ("{post: /a, json: {$if: '{{ args.x }}', $then: 1}}", {"x": "true"}),
    ],
)
def test_what_the_mapping_cannot_build(call, text, args):
    """What a template or tree cannot make of its values is the mapping's fault and named by file and line."""
    with pytest.raises(MappingFault, match=r"^example\.yaml:\d+: ") as caught:
        asked(call(text), **args)
    assert "MAPPING_ERROR" == caught.value.code
    assert caught.value.origin.startswith("example.yaml:")


@pytest.mark.parametrize(
    ("tree", "args", "built"),
    [
        ("{$optional: '{{ args.x }}'}", {}, None),
        ("{a: {$optional: '{{ args.x }}'}}", {}, {}),
        ("{a: {$optional: '{{ args.x }}'}}", {"x": None}, {}),
        ("{a: {$optional: '{{ args.x }}'}}", {"x": ""}, {"a": ""}),
        ("{a: {$optional: {b: {$optional: '{{ args.x }}'}}}}", {}, {}),
        ("{a: [{$optional: '{{ args.x }}'}, 1]}", {}, {"a": [1]}),
        ("{a: {$if: \"{{ args.x == '1' }}\", $then: [1]}}", {"x": "2"}, {}),
        ("{a: {$if: \"{{ args.x == '1' }}\", $then: 1, $else: null}}", {"x": "2"}, {"a": None}),
        ("{a: {$for: b, $in: '{{ keys(args.y) }}', $give: {c: '{{ b }}'}}}", {"y": {"p": 1}}, {"a": [{"c": "p"}]}),
        ("{a: {$for: b, $in: [p, q], $key: '{{ b }}', $give: 1}}", {}, {"a": {"p": 1, "q": 1}}),
        ("{a: {$first: []}, b: {$first: [3, 4]}}", {}, {"b": 3}),
        ("{a: {$json: {b: '{{ args.x }}', c: null}}}", {"x": "ü"}, {"a": '{"b":"ü","c":null}'}),
        ("{a: {$json: {$optional: '{{ args.x }}'}}}", {}, {}),
        ("{$merge: [{a: 1, b: 1}, {$optional: '{{ args.y }}'}, {b: 2}]}", {}, {"a": 1, "b": 2}),
        ("{a: true, b: null, c: 1.5}", {}, {"a": True, "b": None, "c": 1.5}),
        ("{d: '49', e: '{{ 49 }}', f: 'n{{ 49 }}'}", {}, {"d": "49", "e": 49, "f": "n49"}),
    ],
)
def test_trees(call, tree, args, built):
    """Trees build what they say: what is left out leaves no key, and no value changes its type on the way."""
    body = asked(call(f"{{post: /a, json: {{$merge: [{{whole: {tree}}}]}}}}"), **args).body
    assert ({} if built is None else {"whole": built}) == json.loads(body)


def test_a_query_that_is_left_out(call):
    """A query, header table or form that is left out whole is an empty one."""
    request = asked(call("{post: /a, query: {$optional: '{{ args.y }}'}, form: {$optional: '{{ args.y }}'}}"))
    assert ((), b"") == (request.query, request.body)


def test_json_rpc(call):
    """A JSON-RPC call is posted to the file's address with its method, params and a number of its own."""
    request = asked(call("{method: getThings, params: [true, '{{ args.x }}', null]}"), x="1")
    assert ("POST", "https://api.example/v2") == (request.method, request.url)
    assert {"jsonrpc": "2.0", "method": "getThings", "params": [True, "1", None], "id": 7} == json.loads(request.body)


# Answers.

RPC = "{method: a, params: []}"


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
        assert body == said(call(RPC.replace("}", success + "}")), answered(body))
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
        ("length(count)", {"count": 1}, False),  # an expression that cannot be evaluated does not hold
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
    """An answer that is text is given as it is, JSON or not."""
    made = call("{get: /a, answer: text}")
    assert "OK\n" == said(made, answered(b"OK\n"))
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
        (302, ProviderRejected, "PROVIDER_ERROR"),
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


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("120", 120.0),
        (" 5 ", 5.0),
        ("0", None),
        ("-5", None),
        ("1.5", None),
        ("١٢", None),
        ("99999999999999999999", 86_400.0),
        ("Sun, 01 Mar 2026 09:00:30 GMT", 30.0),
        ("Sun, 01 Mar 2026 10:00:30 +0100", 30.0),
        ("Sun, 01 Mar 2026 08:59:00 GMT", None),
        ("Fri, 01 Jan 2027 00:00:00 GMT", 86_400.0),
        ("Sun, 01 Mar 2026 09:00:30", None),
        ("soon", None),
        ("", None),
        ("Fri, 99 Foo 2026 99:99:99 GMT", None),
    ],
)
def test_retry_after(answered, text, seconds):
    """Retry-After is read as seconds or as a date against the answer's own date, at most a day; the rest is nothing."""
    found = answered({}, 503, retry_after=text, date="Sun, 01 Mar 2026 09:00:00 GMT")
    assert seconds == retry_after(found)


def test_retry_after_without_a_clock(answered):
    """A date cannot be understood in an answer that does not tell its own; no header is no wait."""
    assert retry_after(answered({}, 503, retry_after="Sun, 01 Mar 2026 09:00:30 GMT")) is None
    assert retry_after(answered({}, 503)) is None
