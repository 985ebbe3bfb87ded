"""What the simulated provider makes of a request: values told apart, garbage survived."""

import base64

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.mapping.runtime.requests import encode_form, pairs
from gateway.simulator.incoming import decode_request, matches, nest_brackets

FORM = {"Content-Type": "application/x-www-form-urlencoded; charset=utf-8"}
JSON = {"Content-Type": "application/json"}


def received(body=b"", *, headers=(), path="/", query=""):
    return decode_request("post", path, query, dict(headers), body)


@pytest.mark.parametrize(
    ("fields", "tree"),
    [
        ([], {}),
        ([("a", "1")], {"a": "1"}),
        ([("a", "")], {"a": ""}),
        ([("a[b]", "1"), ("a[c]", "2")], {"a": {"b": "1", "c": "2"}}),
        ([("a[b][0]", "x"), ("a[b][1]", "y")], {"a": {"b": {"0": "x", "1": "y"}}}),
        ([("a[]", "x"), ("a[]", "y")], {"a": {"0": "x", "1": "y"}}),
        ([("a[][b]", "x"), ("a[][b]", "y")], {"a": {"0": {"b": "x"}, "1": {"b": "y"}}}),
        ([("a", "1"), ("a", "2")], {"a": "2"}),
        ([("a", "1"), ("a[b]", "2")], {"a": {"b": "2"}}),
        ([("a[b]", "2"), ("a", "1")], {"a": "1"}),
        ([("a[b", "1")], {"a": "1"}),
        ([("]", "1"), ("[x]", "2")], {"]": "1", "1": {"x": "2"}}),
    ],
)
def test_brackets(fields, tree):
    """PHP's brackets become objects; of two values for one place the later stays; half brackets harm nothing."""
    assert tree == nest_brackets(fields)


_KEYS = st.text("abcxyz019_", min_size=1, max_size=5)
_TREES = st.recursive(
    st.text(max_size=8), lambda inner: st.dictionaries(_KEYS, inner, min_size=1, max_size=3), max_leaves=8
)


@settings(max_examples=80)
@given(st.dictionaries(_KEYS, _TREES, max_size=4))
def test_brackets_undo_what_mappings_write(tree):
    """What a mapping's `form:` writes is read back as the same tree."""
    assert tree == received(encode_form(pairs(tree, "here")), headers=FORM).form_tree


def test_form_is_kept_flat_too():
    """Fields are also known by the names that came, decoded once, in the charset of the web."""
    request = received(b"who%5Bname%5D=J%C3%BCrgen+K&x=%2525&empty=", headers=FORM)
    assert {"who[name]": "Jürgen K", "x": "%25", "empty": ""} == request.form
    assert {"who": {"name": "Jürgen K"}, "x": "%25", "empty": ""} == request.scope()["form"]
    assert request.json is None


def basic(text, scheme="Basic"):
    return f"{scheme} {base64.b64encode(text.encode()).decode()}"


@pytest.mark.parametrize(
    ("sent", "understood"),
    [
        (basic("ada:key"), ("ada", "key")),
        (basic("ada:key", "bAsIc"), ("ada", "key")),
        (basic("ada:k:e:y"), ("ada", "k:e:y")),
        (basic("ädä:"), ("ädä", "")),
        (basic("ada"), None),
        (basic("ada:key", "Bearer"), None),
        ("Basic", None),
        ("Basic !!!!", None),
        ("Basic YQ", None),
        ("Basic é", None),
        ("Basic \udcff", None),
        ("Basic " + base64.b64encode(b"\xff\xfe:x").decode(), None),
        ("", None),
    ],
)
def test_basic(sent, understood):
    """HTTP Basic gives user and password; whatever else stands there gives nothing and harms nothing."""
    assert understood == received(headers={"Authorization": sent}).basic


@pytest.mark.parametrize(
    ("body", "method", "params", "number"),
    [
        (b'{"jsonrpc":"2.0","method":"greet","params":["Bo"],"id":7}', "greet", ["Bo"], 7),
        (b'{"method":"greet","params":{"name":"Bo"},"id":"x"}', "greet", {"name": "Bo"}, "x"),
        (b'{"method":"greet"}', "greet", [], None),
        (b'{"method":7,"params":[1],"id":1}', None, [], None),
        (b'{"params":[1],"id":1}', None, [], None),
        (b'[{"method":"greet","id":1}]', None, [], None),
        (b'"method"', None, [], None),
        (b"null", None, [], None),
    ],
)
def test_json_rpc(body, method, params, number):
    """A body with a method is a JSON-RPC call; anything else is plain JSON."""
    request = received(body, headers=JSON)
    assert method == request.rpc
    assert (params, number) == (request.scope()["params"], request.scope()["id"])


@pytest.mark.parametrize(
    "body", [b"", b"{", b"\xff\xfe", b'{"a":NaN}', b'{"a":1,"a":2}', b"[" * 5000, b"1" * 5000, b'"\\ud800"', b"\x00"]
)
@pytest.mark.parametrize("kind", ["application/json", "application/problem+json", FORM["Content-Type"], "text/x", ""])
def test_garbage(body, kind):
    """A body that cannot be read is no body, whatever it calls itself."""
    request = received(body, headers={"Content-Type": kind})
    assert request.json is None
    assert request.rpc is None
    assert [] == request.scope()["params"]


@settings(max_examples=80)
@given(st.binary(max_size=60), st.text(max_size=30), st.text(max_size=30))
def test_anything_is_understood(body, path, query):
    """No request makes the simulator fall over before it can say what is wrong."""
    for headers in (FORM, JSON):
        assert "POST" == received(body, headers=headers, path=path, query=query).scope()["method"]


def test_where_it_goes():
    """Path segments are decoded one by one, empty ones left out; header names do not depend on case."""
    request = received(path="//a%2Fb/c%20d/", query="x=1&y=a+b&x=2", headers={"X-Key": "k"})
    assert ("a/b", "c d") == request.path
    assert {"x": "2", "y": "a b"} == request.query
    assert {"x-key": "k"} == request.headers
    assert "POST" == request.method


@pytest.mark.parametrize(
    ("pattern", "path", "fits"),
    [
        (("rooms",), ("rooms",), True),
        (("rooms",), ("room",), False),
        (("rooms", None), ("rooms", "7"), True),
        (("rooms", None), ("rooms",), False),
        (("rooms", None), ("rooms", "7", "x"), False),
        ((None, "x"), ("7", "x"), True),
        ((), (), True),
        ((), ("rooms",), False),
    ],
)
def test_matches(pattern, path, fits):
    """A call is recognised by its segments, however many stand for values."""
    assert fits is matches(pattern, path)
