"""Readers of foreign bytes, given what is legal to send and beyond every size: nothing but our own errors leaves them.

Each reader is tried with numbers of any length, edges of calendars, deep nesting, and texts that only look right.
"""

import base64
import json
from functools import partial

from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.mapping.codecs import CodecRefused
from gateway.mapping.expressions import ExpressionFailed, compile_path, compile_template
from gateway.mapping.expressions.functions import FUNCTIONS
from gateway.mapping.expressions.path_functions import CALLS
from gateway.mapping.runtime.hook_messages import to_messages
from gateway.model.arguments import arguments
from gateway.model.model import load
from gateway.model.raw import from_query
from gateway.model.types import times
from gateway.surface.operations.pagination import read_page_request
from gateway.values.errors import AnswerMismatch, CallInvalid, MappingFault
from gateway.values.http import retry_after
from gateway.values.messages import Received, Response
from gateway.values.strictjson import Unreadable, decode_json
from gateway.webhooks.inbound.verify import verify
from tests.mapping.codecs.test_laws import CODECS, SCOPE
from tests.webhooks.inbound.proofs import NOW, SECRET, TIMED, URL, plans, received, sign
from tests.webhooks.inbound.test_verify_properties import PLANS

DIGITS = st.sampled_from([1, 9, 20, 99, 400, 5_000]).flatmap(
    lambda length: st.sampled_from("019").map(lambda d: d * length)
)
YEARS = st.sampled_from(["0000", "0001", "1582", "1970", "9999", "10000"]) | DIGITS
MOMENTS = st.builds(
    "{}-{}-{}T{}:{}:{}{}".format,
    YEARS,
    st.sampled_from(["01", "12", "13", "00"]),
    st.sampled_from(["01", "31", "00"]),
    st.sampled_from(["00", "23", "24"]),
    st.sampled_from(["00", "59"]),
    st.sampled_from(["00", "60", "59.999999999"]),
    st.sampled_from(["", "Z", "+23:59", "-23:59", "+14:00", "-00:00", "+99:99"]),
)
HTTP_DATES = st.builds(
    "{}, {} {} {} {}:{}:{} {}".format,
    st.sampled_from(["Sun", "", "x"]),
    st.sampled_from(["01", "31", "0"]) | DIGITS,
    st.sampled_from(["Mar", "Foo", "3"]),
    YEARS,
    st.sampled_from(["09", "24"]) | DIGITS,
    st.sampled_from(["00"]) | DIGITS,
    st.sampled_from(["00", "60"]) | DIGITS,
    st.sampled_from(["GMT", "-0000", "+0100", "EST", "+2400", "-9999"]) | DIGITS.map("+{}".format),
)
ZONES = st.sampled_from(["Europe", "America", "US", "Etc", "Z" * 300, "../UTC", "\x00", "Europe/Berlin", "\ud800", ""])
TEXTS = st.one_of(
    MOMENTS, HTTP_DATES, DIGITS, DIGITS.map("-{}".format), DIGITS.map("1.{}".format), ZONES, st.text(max_size=20)
)
NUMBERS = st.sampled_from([0, -1, 2**31, 2**63, 10**18, 10**99, -(10**99), 1e308, -1e308, 5e-324, 0.1])
LEAVES = st.none() | st.booleans() | NUMBERS | TEXTS
VALUES = st.recursive(
    LEAVES,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["id", "start", "a", ""]), inner, max_size=3)
    ),
    max_leaves=6,
)
NESTED = st.integers(1, 100_000).map(lambda depth: b"[" * depth) | st.integers(1, 100).map(
    lambda n: b"[" * n + b"]" * n
)
JSON = VALUES.map(lambda value: json.dumps(value).encode()) | DIGITS.map(str.encode) | NESTED | st.binary(max_size=30)
ODD = settings(max_examples=30, deadline=None)
MODEL = load()
PATTERN = "'(.*)-'"
"""Stands where a function takes a regular expression, which is written out."""


def _argument(call, at):
    return "&@" if call.expressions[at] else PATTERN if at in call.patterns else f"v{at}"


def _value(word, at):
    return PATTERN if word.parameter(at).kind == "pattern" else f"v{at}"


CALLED = [
    compile_path(f"{name}({', '.join(_argument(call, at) for at in range(count))})")
    for name, call in CALLS.items()
    for count in range(call.least, (call.most or call.least) + 1)
]
WORDS = [
    compile_template("{{ " + f"{word.name}({', '.join(_value(word, number) for number in range(count))})" + " }}")
    for word in FUNCTIONS.values()
    for count in range(1, len(word.parameters) + 1)
    if not word.signs and word.refuses(count) is None
]
MILLIS = plans(TIMED | {"timestamp": {"header": "X-Time", "unit": "ms"}})


FORMS = st.lists(st.tuples(st.sampled_from(["id", "start", "a", "&", "%zz"]), TEXTS), max_size=4).map(
    lambda pairs: "&".join(f"{name}={value}" for name, value in pairs).encode("utf-8", "surrogatepass")
)
HOOK = """
records:
  customer:
    of: Customer
    fields: {id: {at: "id || a", as: text}, name: {at: start, as: text}, email: {at: a, as: text}}
hooks:
  a:
    verify: {token: path, keys: ["{{ settings.key }}"]}
    body: KIND
    dedupe: [id, start]
    type: customer.updated
    at: "@"
    record: customer
"""


def leaves_only(errors, reader, *given_values):
    """Read, and take no other exception than these."""
    try:
        reader(*given_values)
    except errors:
        return


@ODD
@given(HTTP_DATES | TEXTS, HTTP_DATES | st.just("Sun, 01 Mar 2026 09:00:00 GMT"))
def test_retry_after(text, date):
    """Whatever Retry-After and Date say, a wait is nothing or within a day."""
    wait = retry_after(Response(503, {"retry-after": text, "date": date}, b""))
    assert wait is None or 0 < wait <= 86_400


@ODD
@given(JSON)
def test_json(body):
    """JSON is decoded or refused, of whatever depth and length."""
    leaves_only(Unreadable, decode_json, body)


@ODD
@given(TEXTS, ZONES)
def test_times_and_zones(text, zone):
    """A time, a day or a zone is read or refused."""
    for reader in (
        partial(times.parse_instant, zone=zone),
        partial(times.parse_instant, zone="Pacific/Apia"),
        times.normal_instant,
        times.parse_date,
        times.parse_clock,
        times.zone_of,
        partial(times.to_zone, zone="Asia/Kathmandu"),
    ):
        leaves_only(times.TimeRefused, reader, text)


@ODD
@given(st.lists(TEXTS, min_size=3, max_size=3) | VALUES, st.booleans())
def test_cursors(values, bound):
    """A cursor is one of ours or a 400, also where its digest is right and the rest made up."""
    operation = MODEL.operations["bookings.list"]
    page = read_page_request(operation, {"limit": 1}, None, "c")
    found = [page.query, *values] if bound and isinstance(values, list) else values
    cursor = base64.urlsafe_b64encode(json.dumps(found).encode()).decode().rstrip("=")
    leaves_only(CallInvalid, partial(read_page_request, operation, {"limit": 1}, connection="c"), cursor)


@ODD
@given(st.lists(st.tuples(st.sampled_from([*MODEL.operations["bookings.list"].args, "limit", "x"]), TEXTS), max_size=4))
def test_queries(pairs):
    """A caller's query is taken or a 400."""
    operation = MODEL.operations["bookings.list"]
    leaves_only(CallInvalid, lambda: arguments(operation, from_query(operation, pairs), "Europe/Berlin"))


@ODD
@given(VALUES, TEXTS, st.sampled_from(["HS256", "none", "", "HS512"]))
def test_tokens_and_signatures(claim, text, algorithm):
    """A message is proved or refused, also where its JWT is signed with the right key and says anything."""
    parts = [json.dumps(one).encode() for one in ({"alg": algorithm}, {"exp": claim, "nbf": claim})]
    head = ".".join(base64.urlsafe_b64encode(part).decode().rstrip("=") for part in parts)
    signature = base64.urlsafe_b64encode(bytes.fromhex(sign(head.encode()))).decode().rstrip("=")
    body = json.dumps({"s": claim, "t": text}).encode()
    message = received(
        body, {"X-Jwt": f"{head}.{signature}", "X-Signature": f"t={text},v1={sign(body)}", "X-Time": text}
    )
    for plan in PLANS.values():
        verify(plan, message, {"settings": {"secret": SECRET}}, NOW, URL)
    verify(MILLIS, message, {"settings": {"secret": SECRET}}, NOW, URL)


@ODD
@given(VALUES)
def test_codecs(value):
    """Each codec reads or refuses what a provider wrote."""
    for codec in CODECS:
        if codec.decode is not None:
            leaves_only(CodecRefused, codec.decode, value, SCOPE)


@ODD
@given(st.lists(LEAVES | VALUES, min_size=6, max_size=6))
def test_words(values):
    """Each word of the template language takes or refuses what a provider wrote, also what is of the right kind."""
    for template in WORDS:
        leaves_only(ExpressionFailed, template.render, {f"v{number}": value for number, value in enumerate(values)})


@ODD
@given(st.lists(LEAVES | VALUES, min_size=6, max_size=6))
def test_functions_of_paths(values):
    """Each function that a path may call takes or refuses what a provider wrote, also what is of the right kind."""
    for path in CALLED:
        leaves_only(ExpressionFailed, path.read, {f"v{number}": value for number, value in enumerate(values)})


@ODD
@given(FORMS | JSON, st.sampled_from(["json", "form", "none"]), TEXTS)
def test_messages(compiled, body, kind, text):
    """A provider's message is read or becomes a dead letter, whichever form it has."""
    plan = compiled(HOOK.replace("KIND", kind)).hooks["a"]
    message = Received("POST", text, (("a", text), ("start", text)), (("x-id", text),), body)
    scope = SCOPE | {"now": "2026-03-01T09:00:00+01:00", "connection": {"time_zone": "Europe/Berlin"}}
    leaves_only((AnswerMismatch, MappingFault), to_messages, plan, message, scope)
