"""What providers send us: messages read, delivered names, refusals, replies; and the examples of the shipped hooks."""

import hashlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.examples.playback import run_hook
from gateway.mapping.compiler.operations.alternatives import fit
from gateway.mapping.runtime.hook_messages import is_equal, is_forged, to_messages, to_reply, words
from gateway.model.model import load
from gateway.values.errors import AnswerMismatch, GatewayError, MappingFault
from gateway.values.messages import Message, Received
from tests import shipped

NOW = "2026-03-01T09:00:00+01:00"
SCOPE = {
    "settings": {"club": "north", "grade": 7},
    "connection": {"id": "club", "time_zone": "UTC", "currency": "EUR"},
    "now": NOW,
}
HEAD = """
settings:
  club: {type: string}
  grade: {type: integer}
http: {headers: {X-Club: "{{ settings.club }}", X-Grade: "{{ settings.grade }}"}}
records:
  customer:
    of: Customer
    fields: {id: id, name: {at: name, as: text}, company: {compute: {$optional: "{{ settings.club }}"}}}
operations:
  customers.get: {call: {get: "/a/{{ args.id }}"}, result: {at: data, record: customer}}
  customers.list: {unsupported: {email: no, phone: no, q: no}, call: {get: /a}, result: {rows: data, record: customer}}
hooks:
  a:
    verify: {token: path, keys: ["{{ settings.key }}"]}
"""
ENUM = "{new: customer.created, moved: customer.updated, look: changed, ping: ignore}"
WORDS = f"type: {{at: kind, as: {{enum: {ENUM}, else: ignore}}}}"
READ = f"dedupe: [kind, person.id]\n{WORDS}\nat: person\nrecord: customer"
FETCH = 'fetch: {run: customers.get, with: {id: "{{ body.id }}~{{ row.hash }}~{{ token }}"}}'
THIN = f"dedupe: [id]\n{WORDS}\n{FETCH}"
ADA = {"id": 7, "name": "Ada"}
TWO = {"items": [{"id": "1", "name": "Ada"}, {"id": "2", "name": "Bo"}]}
BODY = hashlib.sha256(json.dumps(TWO).encode()).hexdigest()


@pytest.fixture
def hook(compiled):
    """Give a function that compiles one hook of these lines; a line `verify:` takes the place of the usual one."""

    def of(lines):
        head = HEAD.rstrip().rsplit("\n", 1)[0] if "verify:" in lines else HEAD.rstrip()
        return compiled(head + "\n    " + lines.replace("\n", "\n    ")).hooks["a"]

    return of


def received(body=b"", query=(), headers=(), token=None):
    """Make a request of a provider: bytes as they are, anything else as JSON."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Received("POST", token, tuple(query), tuple(headers), content)


def test_a_message_is_read(hook):
    """A message has its event, its object read by the record, and the name that its mapping gives it."""
    found = to_messages(hook(READ), received({"kind": "new", "person": ADA}), SCOPE)
    data = {"id": "7", "name": "Ada", "company": "north"}
    assert [('["new",7]', Message("customer.created", data))] == found


@pytest.mark.parametrize(
    ("body", "type_", "name"),
    [
        ({"kind": "ping"}, "ignore", '["ping",null]'),
        ({"kind": "born", "person": {"id": "ä"}}, "ignore", '["born","ä"]'),
        ({"kind": [], "person": {"id": {"b": 1, "a": 2}}}, "ignore", '[[],{"a":2,"b":1}]'),
        ({"kind": "look", "person": ADA}, "changed", f'["look",7,"{NOW}"]'),
    ],
)
def test_names(hook, body, type_, name):
    """What is ignored need not be complete; two that only say `changed` are not taken for one, whatever they hold."""
    [(found, message)] = to_messages(hook(READ), received(body), SCOPE)
    assert (name, type_) == (found, message.type)


@pytest.mark.parametrize(
    ("dedupe", "names"),
    [
        ("[id]", ['["1"]', '["2"]']),
        ("[{header: X-Id}, id]", ['["h","1"]', '["h","2"]']),
        ("[{header: X-Id}]", ['["h",0]', '["h",1]']),
        ("body", [f'["{BODY}",0]', f'["{BODY}",1]']),
    ],
)
def test_several_messages(hook, dedupe, names):
    """Each row of a body is a message with a name of its own, also where the whole body has but one."""
    plan = hook(f"dedupe: {dedupe}\nrows: items\ntype: customer.created\nrecord: customer")
    found = to_messages(plan, received(TWO, headers=[("x-id", "h")]), SCOPE)
    assert ["Ada", "Bo"] == [message.data["name"] for _, message in found]
    assert names == [name for name, _ in found]
    again = to_messages(plan, received(TWO, headers=[("x-id", "h")]), SCOPE)
    assert found == again


@given(st.binary(max_size=20), st.binary(max_size=20))
def test_the_whole_body_names_a_delivery(compiled, one, other):
    """With `dedupe: body` two deliveries have the same name if and only if their bodies are the same bytes."""
    lines = "\n    body: none\n    dedupe: body\n    type: {at: a, as: {enum: {b: customer.created}, else: ignore}}"
    plan = compiled(f"{HEAD.rstrip()}{lines}\n    record: customer").hooks["a"]
    names = [to_messages(plan, received(body, query=[("a", "x")]), SCOPE)[0][0] for body in (one, other)]
    assert (one == other) == (names[0] == names[1])


def test_thin_message(hook):
    """A thin message names the operation that gives its object, with arguments made of all that the request holds."""
    [(_, message)] = to_messages(hook(THIN), received({"kind": "new", "id": 7, "hash": "x"}, token="t"), SCOPE)
    assert Message("customer.created", None, ("customers.get", {"id": "7~x~t"})) == message
    [(_, message)] = to_messages(hook(THIN), received({"kind": "ping"}), SCOPE)
    assert Message("ignore", None) == message


def test_query_and_headers(hook):
    """Templates see the query and the headers, of what comes twice the first."""
    plan = hook(
        "dedupe: body\ntype: changed\nfetch: {run: customers.get, with: {id: \"{{ query.a }}{{ headers['x-a'] }}\"}}"
    )
    request = received({}, query=[("a", "1"), ("a", "2")], headers=[("x-a", "3"), ("x-a", "4")])
    assert {"id": "13"} == to_messages(plan, request, SCOPE)[0][1].fetch[1]


def test_forms_and_queries(hook):
    """A form is an object of texts; a hook without a body reads its query as one."""
    lines = "dedupe: [id]\ntype: customer.created\nrecord: customer"
    [(name, message)] = to_messages(hook(f"body: form\n{lines}"), received(b"id=7&name=Ada+B%C3%A4r"), SCOPE)
    assert ('["7"]', "Ada Bär") == (name, message.data["name"])
    request = received(query=[("id", "7"), ("name", "Bo")])
    [(name, message)] = to_messages(hook(f"method: get\nbody: none\n{lines}"), request, SCOPE)
    assert ('["7"]', "Bo") == (name, message.data["name"])


@pytest.mark.parametrize("body", [b"id=7&name=Bo&", b"&id=7&&name=Bo", b"id=7&name=Bo&&&"])
def test_empty_parts_of_forms(hook, body):
    """Nothing between two `&` is no field (WHATWG URL, section 5.1)."""
    plan = hook("body: form\ndedupe: [id]\ntype: customer.created\nrecord: customer")
    [(name, message)] = to_messages(plan, received(body), SCOPE)
    assert ('["7"]', "Bo") == (name, message.data["name"])


def test_omitted_fields(hook):
    """What an event does not tell is left out of its data, and of no other event's."""
    plan = hook(f"{READ}\nomits: {{customer.updated: [company]}}")
    kinds = [to_messages(plan, received({"kind": kind, "person": ADA}), SCOPE)[0][1] for kind in ("new", "moved")]
    assert [True, False] == ["company" in message.data for message in kinds]


@pytest.mark.parametrize(
    ("lines", "body", "told"),
    [
        (READ, b"{", "the body is not JSON at line 1"),
        (READ, b"", "the body is not JSON"),
        (READ, b'{"kind": "new", "kind": "s3cret"}', "the body repeats a key"),
        (READ, b'{"kind": NaN}', "the body contains NaN"),
        (READ, b"[" * 99, "the body is nested deeper"),
        (READ, b"\xff", "the body is not UTF-8"),
        (READ, [], "`kind` is missing in the message"),
        (READ, {"kind": None}, "`kind` is missing in the message"),
        (READ, {"kind": "new"}, "`person` is missing in the message"),
        (READ, {"kind": "new", "person": {"id": "s3cret"}}, "`name` is missing, and name is required"),
        (READ, {"kind": "new", "person": {"name": "s3cret"}}, "`person.id` is missing in the message"),
        (READ, {"kind": "new", "person": {"name": ["s3cret"], "id": 7}}, "`name` is not"),
        (THIN, {"kind": "new", "id": 7}, "`row.hash`"),
        (THIN, {"kind": "new", "id": None, "hash": "s3cret"}, "null cannot be written inside text"),
        (THIN.replace("[id]", "[no]"), {"kind": "new", "id": 7, "hash": "x"}, "`no` is missing in the message"),
        (READ.replace("[kind, person.id]", "[{header: X-Id}]"), {"kind": "new", "person": ADA}, "one header x-id"),
        (f"rows: items\n{READ}", {"items": {"s3cret": 1}}, "`items` is not a list"),
        (f"rows: items\n{READ}", {}, "`items` is not a list"),
        (f"rows: items\n{READ}", {"items": ["s3cret"]}, "`kind` is missing in the message"),
        (f"body: form\n{READ}", b"kind", "the body is no form"),
        (f"body: form\n{READ}", b"kind=%ff", "the body is no form"),
        (f"body: form\n{READ}", b"kind=new&kind=s3cret", "the body repeats a name"),
    ],
)
def test_refusals(hook, lines, body, told):
    """A message that does not fit is refused at the line of the mapping and its path, and no value of it is told."""
    plan = hook(lines)
    request = received(body, headers=[("x-id", "a"), ("x-id", "b")], token="t")
    with pytest.raises(AnswerMismatch) as refused:
        to_messages(plan, request, SCOPE)
    assert told in refused.value.detail
    assert refused.value.detail.startswith("example.yaml:")
    assert refused.value.origin.startswith("example.yaml:")
    assert "s3cret" not in refused.value.detail


def test_a_query_that_repeats_a_name(hook):
    """A query that is the message is refused when it leaves open which value is meant."""
    plan = hook("body: none\ndedupe: body\ntype: customer.created\nrecord: customer")
    with pytest.raises(AnswerMismatch, match="the query repeats a name"):
        to_messages(plan, received(query=[("id", "1"), ("id", "2")]), SCOPE)


def test_words(hook):
    """The provider's words for events are told as they are written."""
    assert ["new"] == words(hook(READ), received({"kind": "new"}))
    plan = hook("rows: '@'\n" + READ)
    assert [1, None] == [one or None for one in words(plan, received([{"kind": 1}, {"kind": None}]))]
    assert [] == words(hook("dedupe: [id]\ntype: customer.created\nrecord: customer"), received({}))


EQUALS = """verify:
  token: path
  keys: ["{{ settings.key }}"]
  equals: {club: "{{ settings.club }}", "a.b": "{{ settings.grade }}"}
"""


@pytest.mark.parametrize(
    ("body", "holds"),
    [
        ({"club": "north", "a": {"b": 7}}, True),
        ({"club": "North", "a": {"b": 7}}, False),
        ({"club": "north", "a": {"b": "7"}}, False),
        ({"club": "north", "a": {"b": 7.0}}, False),
        ({"club": "north"}, False),
        ({"club": None, "a": None}, False),
        ([], False),
    ],
)
def test_comparisons(hook, body, holds):
    """All that a hook compares must be there, of the same type and the same."""
    assert holds == is_equal(hook(EQUALS + READ), received(body), SCOPE)


def test_comparisons_that_fail(hook):
    """A body that cannot be read is refused, and a template that fails is the mapping's fault."""
    with pytest.raises(AnswerMismatch):
        is_equal(hook(EQUALS + READ), received(b"{"), SCOPE)
    with pytest.raises(MappingFault, match=r"example\.yaml"):
        is_equal(hook(EQUALS + READ), received({}), {"settings": {}})
    assert is_equal(hook(READ), received(b"{"), SCOPE)


def test_forgeries(hook):
    """Only the codes that a hook names mean a forged message, and only where the fetch is its proof."""
    plan = hook("verify: {fetch: {forged: [CUSTOMER_NOT_FOUND]}}\n" + THIN)
    codes = ("CUSTOMER_NOT_FOUND", "PROVIDER_TIMEOUT")
    assert [True, False] == [is_forged(plan, GatewayError("", code=code)) for code in codes]
    assert not is_forged(hook(THIN), GatewayError("", code="CUSTOMER_NOT_FOUND"))
    one = hook("verify: {fetch: {forged: [{is: PROVIDER_AUTH_FAILED, code: '7'}]}}\n" + THIN)
    failed = [GatewayError("", code="PROVIDER_AUTH_FAILED", provider=own) for own in ({"code": "7"}, {"code": "8"}, {})]
    assert [True, False, False] == [is_forged(one, error) for error in failed]
    assert ((), 1) == (plan.verify, len(hook(THIN).verify))


def test_replies(hook):
    """A sender is answered as the mapping says: by error code, by `default`, and not at all where it says nothing."""
    plan = hook(
        READ + '\nreply: {status: 202, json: {club: "{{ connection.id }}"}}\n'
        "replies: {UNAUTHORIZED: {status: 400, text: nö}, NOT_FOUND: {status: 200}}"
    )
    taken, refused, lost = (to_reply(plan, code, SCOPE) for code in (None, "UNAUTHORIZED", "NOT_FOUND"))
    assert (202, b'{"club": "club"}', {"content-type": "application/json"}) == (taken.status, taken.body, taken.headers)
    assert (400, "nö".encode(), {"content-type": "text/plain; charset=utf-8"}) == (
        refused.status,
        refused.body,
        refused.headers,
    )
    assert (200, b"", {}) == (lost.status, lost.body, lost.headers)
    assert to_reply(plan, "INTERNAL_ERROR", SCOPE) is None
    assert 204 == to_reply(hook(READ), None, SCOPE).status
    plan = hook(READ + "\nreplies: {default: {status: 200, text: OK}}")
    assert b"OK" == to_reply(plan, "INTERNAL_ERROR", SCOPE).body
    plan = hook(READ + '\nreply: {status: 200, json: {$optional: "{{ settings.none }}"}}'.replace("none", "club"))
    assert b"null" == to_reply(plan, None, {"settings": {}}).body


def test_methods_and_needs(compiled):
    """A hook is there for the connections that have its settings, also when a fitted provider is fitted again."""
    plan = compiled(
        HEAD.rstrip() + "\n    needs: {club: a reason}\n    method: [post, put]\n    dedupe: [id]"
        "\n    type: customer.created\n    record: customer"
    )
    assert frozenset({"POST", "PUT"}) == plan.hooks["a"].methods
    without = fit(plan, {})
    assert ([], ["a"]) == (list(without.hooks), list(fit(without.compiled, {"club": "north"}).hooks))


@pytest.mark.parametrize("name", shipped.HOOKS)
async def test_shipped(name):
    """What a golden example says is received comes to exactly the messages and the reply that it says."""
    examples, example = shipped.example(name)
    assert () == (await run_hook(examples, example, load())).differences
