"""Providers that speak other forms than JSON, played: they check and answer in the form that the mapping writes."""

import json
from dataclasses import replace

import pytest

from gateway.documents.yaml import parse
from gateway.mapping.compiler.operations.native import native_arguments
from gateway.simulator.incoming import decode_request
from gateway.values.errors import ProviderUnauthorised
from gateway.values.secrets import Secret
from tests.conftest import merge
from tests.simulator.conftest import played

BASIC = "Basic Y2x1YjpzM2NyZXQ="
MAPPING = """
auth:
  basic: {user: club, password: "{{ settings.key }}"}
  params: {"0": "{{ settings.key }}"}
  xml: {ask: {key: "{{ settings.key }}"}}
  session: {token: {header: X-Session}, renew_when: [{status: 409}], send: {cookies: {sid: "{{ token }}"}}}
http: {base: "{{ settings.base_url }}", namespaces: {"": "urn:a"}}
native:
  names: {safe: true, call: {get: /names, not_modified: 304}, result: {at: "*"}}
  court:
    safe: true
    args: {id: {type: id, required: true}}
    call:
      method_name: SEARCH
      url: /courts
      xml: {ask: {id: "{{ args.id }}"}}
      answer: xml
      reading: {lists: [told/court]}
    result: {at: "told.court[].name"}
  both: {safe: true, call: {jsonrpc: {method: get, batch: [[7], [8]]}}, result: {at: "[].result"}}
  book:
    args: {id: {type: id, required: true}}
    call:
      put: "/cal/{{ args.id }}"
      icalendar: {uid: "{{ args.id }}", start: "2026-03-02"}
      answer: text
      success: {status: 201}
"""
EXAMPLES = """
provider: example
settings: {time_zone: Europe/Berlin, currency: EUR, key: s3cret}
now: "2026-03-01T09:00:00+01:00"
token: t
examples: []
simulator:
  state: {names: {"1": "Halle & Hof"}}
  unauthorised: {status: 401}
  unknown: {status: 404}
  invalid: {status: 400}
  answers:
    - {on: {get: /names}, answer: {json: "{{ state.names }}"}}
    - on: {method_name: SEARCH, url: /courts}
      answer: {xml: {told: {court: {name: "{{ get(state.names, request.xml.ask.id, '-') }}"}}}}
    - {on: {method: get}, answer: {json: {jsonrpc: "2.0", id: "{{ request.id }}", result: "{{ request.params[1] }}"}}}
    - on: {put: "/cal/{id}"}
      refuse: [{when: "{{ request.event.uid != match.id }}", answer: {status: 409}}]
      answer: {status: 201, text: ""}
"""


@pytest.fixture
def dialects(tmp_path):
    """Play that provider."""
    document, findings = parse(MAPPING.encode(), "example.yaml")
    assert [] == findings
    path = tmp_path / "example.yaml"
    path.write_text(json.dumps(merge(document.data, "", document.values, document.keys).data), encoding="utf-8")
    (tmp_path / "examples").mkdir()
    (tmp_path / "examples" / "example.yaml").write_text(EXAMPLES, encoding="utf-8")
    return played(path)


@pytest.mark.parametrize(
    ("operation", "given", "means"),
    [
        ("native.court", {"id": "1"}, ["Halle & Hof"]),
        ("native.court", {"id": "2"}, ["-"]),
        ("native.both", {}, [7, 8]),
        ("native.book", {"id": "k-1"}, ""),
    ],
)
async def test_played(dialects, engine_on, call, operation, given, means):
    """A challenge gives a token, and XML, each call of a batch and an event of a calendar are read and answered."""
    engine = await engine_on(dialects)
    plan = engine.operation(engine.connection("one"), operation)
    assert means == await call(engine, operation, **native_arguments(plan, given))
    assert means == await call(engine, operation, **native_arguments(plan, given))


@pytest.mark.parametrize(("operation", "given"), [("native.court", {"id": "1"}), ("native.both", {})])
async def test_wrong_key(dialects, engine_on, call, operation, given):
    """A wrong key is refused in every form of a body, and no token is given for it."""
    engine = await engine_on(dialects, {"key": Secret("wrong")})
    with pytest.raises(ProviderUnauthorised):
        await call(engine, operation, **given)
    assert set() == dialects.sessions.tokens


async def test_unchanged(dialects, engine_on, call):
    """What has not changed since it was told is not told again, and is read as it was; what has changed is."""
    engine = await engine_on(dialects)
    assert [["Halle & Hof"]] * 2 == [await call(engine, "native.names") for _ in range(2)]
    sent = decode_request("GET", "/names", "", {"if-none-match": '"x"', "authorization": BASIC, "cookie": "sid=t"}, b"")
    dialects.sessions.tokens.add(("", "t"))
    tag = dialects.answer(sent).headers["etag"]
    known = replace(sent, headers={**sent.headers, "if-none-match": tag})
    assert (304, b"") == (dialects.answer(known).status, dialects.answer(known).body)
    dialects.state["names"]["2"] = "Platz"
    assert 200 == dialects.answer(known).status
    assert ["Halle & Hof", "Platz"] == await call(engine, "native.names")
