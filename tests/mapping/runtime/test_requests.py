"""A call of a plan and values to the request that is sent. Values only, no engine; answers are in another file."""

import json

import pytest

from gateway.mapping.runtime.requests import encode_form, pairs, to_request
from gateway.values.errors import (
    CallInvalid,
    MappingFault,
)

CANARY = "c4nary-v4lue"
SCOPE = {
    "settings": {"base_url": "https://api.example/v2/", "time_zone": "Europe/Berlin", "currency": "EUR"},
    "now": "2026-03-01T09:00:00+01:00",
    "serial": 7,
    "args": {},
}


def asked(call, **args):
    """Build the request of a call with these arguments."""
    return to_request(call[0], {**SCOPE, "args": args})


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
        ("{get: /a, query: {b: '{{ [1][3] }}'}}", {}),
        ("{get: /a, query: {b: '{{ args.y }}'}}", {"y": None}),
        ("{get: /a, headers: {b: '{{ args.y.b | default(none) }}'}}", {"y": {"b": True}}),
        ("{get: /a, query: {$for: b, $in: ['{{ args.x }}'], $give: 1}}", {"x": "1"}),
        ("{post: /a, form: {$for: b, $in: '{{ args.x }}', $give: 1}}", {"x": "1"}),
        ("{post: /a, json: {$first: '{{ args.x }}'}}", {"x": "1"}),
        ("{post: /a, json: {$merge: ['{{ args.x }}']}}", {"x": "1"}),
        ("{post: /a, json: {$for: b, $in: [1], $key: '{{ b }}', $give: 1}}", {}),
        ("{post: /a, json: {$if: '{{ args.y.b | default(none) }}', $then: 1}}", {"y": {"b": "true"}}),
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
    request = asked(call("{jsonrpc: {method: getThings, params: [true, '{{ args.x }}', null]}}"), x="1")
    assert ("POST", "https://api.example/v2") == (request.method, request.url)
    assert {"jsonrpc": "2.0", "method": "getThings", "params": [True, "1", None], "id": 7} == json.loads(request.body)


@pytest.mark.parametrize(
    ("x", "name", "field"),
    [
        (f"{CANARY}\ny", "x", "x"),
        ("x", f"{CANARY} ŁÓDŹ", "y.names.1"),
        ("\x7f", "\x00", "x"),
        ("x", "\ud800", "y.names.1"),
    ],
)
def test_what_no_header_can_hold(call, x, name, field):
    """A caller's value that cannot stand in a header is the caller's mistake, and its field is named."""
    found = call('{get: /days, headers: {X-A: "{{ args.x }} {{ lower((args.y.names | default([]))[1]) }}"}}')
    with pytest.raises(CallInvalid, match=f"`{field}`") as refusal:
        asked(found, x=x, y={"names": ["fine", name]})
    assert [field] == [one["field"] for one in refusal.value.details["fields"]]
    assert CANARY not in str(refusal.value)


def test_what_no_header_can_hold_of_the_mapping(call):
    """Where no argument holds it, it is the mapping's fault, and its place is named."""
    with pytest.raises(MappingFault, match=r":\d+: the value of the header X-A"):
        asked(call('{get: /days, headers: {X-A: "{{ args.x }}€"}}'), x="x", y={})


@pytest.mark.parametrize(
    ("text", "sent"),
    [
        ("{post: /a, json: {}, headers: {content-type: application/vnd.a+json}}", "application/vnd.a+json"),
        ("{post: /a, form: {b: c}, headers: {Content-Type: text/x}}", "text/x"),
        ("{post: /a, json: {}}", "application/json"),
        ("{post: /a, headers: {CONTENT-TYPE: text/b, Content-Type: text/c}}", "text/c"),
    ],
)
def test_one_content_type(call, text, sent):
    """One Content-Type goes out: that of the mapping, where it has one."""
    headers = asked(call(text)).headers
    assert [sent] == [value for name, value in headers if name.lower() == "content-type"]
