"""Strict JSON: what means the same to every reader is read, all else is refused without being repeated."""

import json
import resource
import sys
import time
from datetime import date
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from gateway.values.strictjson import MAX_DIGITS, JsonRefused, decode_json, encode_json

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


@pytest.mark.parametrize(
    ("body", "value"),
    [
        (b' {"a": [1, -0.5, 1e3, "x", true, false, null]}\r\n', {"a": [1, -0.5, 1000.0, "x", True, False, None]}),
        (b'"\\ud83d\\ude00"', "\U0001f600"),
        (b'"\\u0000"', "\0"),
        (b"[" * 64 + b"]" * 64, json.loads("[" * 64 + "]" * 64)),
        (b'"' + b"[" * 65 + b'"', "[" * 65),
        (b'["\\"[[", "\\\\", "{{\\\\\\""]', ['"[[', "\\", '{{\\"']),
        (b"1e-400", 0.0),
        (b"9" * MAX_DIGITS, int("9" * MAX_DIGITS)),
    ],
)
def test_taken(body, value):
    """Ordinary JSON, with brackets and quotes in its texts, is read as it is written."""
    assert value == decode_json(body)


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", "is not JSON at line 1, column 1: Expecting value"),
        (b"{'a': 1}", "is not JSON at line 1, column 2: Expecting property name enclosed in double quotes"),
        (b"[1,\n2", "is not JSON at line 2, column 2: Expecting ',' delimiter"),
        (b'"\n"', "is not JSON at line 1, column 2: Invalid control character at"),
        (b"1 1", "is not JSON at line 1, column 3: Extra data"),
        (b"NaN", "contains NaN, which is not JSON"),
        (b"[-Infinity]", "contains -Infinity, which is not JSON"),
        (b"1e400", "contains a number too large for a double"),
        (b"-1e400", "contains a number too large for a double"),
        (b"9" * 4301, "contains an integer of more than 100 digits"),
        (b'{"a": 1, "b": {"c": 1, "\\u0063": 2}}', "repeats a key in an object"),
        (b'"\\ud800"', "contains half of a surrogate pair"),
        (b'{"\\uDC00": 1}', "contains half of a surrogate pair"),
        (b'"\\ude00\\ud83d"', "contains half of a surrogate pair"),
        (b"\xef\xbb\xbf1", "begins with a byte order mark"),
        ("[1]".encode("utf-16"), "is not UTF-8"),
        (b'"\xe4"', "is not UTF-8"),
        (b'"\xed\xa0\x80"', "is not UTF-8"),
        (b"[" * 65 + b"]" * 65, "is nested deeper than 64 levels"),
        (b"[" * 200_000, "is nested deeper than 64 levels"),
        (b'{"a":' * 200_000, "is nested deeper than 64 levels"),
        (b'["\\\\",' + b"[" * 200_000, "is nested deeper than 64 levels"),
    ],
)
def test_refused(body, reason):
    """Every text that another reader would understand differently, or that breaks one, is refused with its reason."""
    with pytest.raises(JsonRefused) as refusal:
        decode_json(body)
    assert reason == refusal.value.reason
    assert reason == str(refusal.value)


def test_integers_without_value():
    """The refusal of a long number does not repeat it."""
    with pytest.raises(JsonRefused) as refusal:
        decode_json(b'{"card": ' + b"4111" * 30 + b"}")
    assert "4111" not in str(refusal.value)
    assert refusal.value.__cause__ is None


@pytest.mark.parametrize("depth", [1, 2, 3])
def test_depth_is_chosen(depth):
    """The caller says how deep a text may nest."""
    assert decode_json(b"[" * depth + b"]" * depth, depth=depth) is not None
    with pytest.raises(JsonRefused):
        decode_json(b"[" * (depth + 1) + b"]" * (depth + 1), depth=depth)


def test_long_flat_bodies_are_quick():
    """Measuring the depth of a megabyte of brackets takes no noticeable time."""
    begun = time.monotonic()
    assert len(decode_json(b"[" + b"[]," * 300_000 + b"[]]")) == 300_001
    assert time.monotonic() - begun < 5


@given(JSON, st.booleans())
def test_round_trip(value, ascii_only):
    """What JSON writes is read with the same values and types."""
    assert repr(value) == repr(decode_json(json.dumps(value, ensure_ascii=ascii_only).encode()))


TEXTS = st.text('ae+19"\\', max_size=4).map(json.dumps) | st.sampled_from(['"\\u0022"', '"\\u0061"', '"9e+19"'])
NUMBERS = st.from_regex(r"-?(0|[1-9][0-9]{0,21})(\.[0-9]{1,3})?([eE][+-]?[0-9]{1,2})?", fullmatch=True)
WRITTEN = st.recursive(
    TEXTS | NUMBERS | st.just("null"),
    lambda inner: (
        st.lists(inner, max_size=4).map(lambda held: f"[{', '.join(held)}]")
        | st.lists(st.tuples(TEXTS, inner), max_size=4).map(
            lambda pairs: "{" + ",".join(f"{key}: {value}" for key, value in pairs) + "}"
        )
    ),
    max_leaves=12,
)


@given(WRITTEN, st.integers(min_value=0, max_value=70))
def test_a_fast_reader_gives_what_an_exact_one_gives(text, levels):
    """Values, kinds of numbers and long integers are Python's own; a repeated key is refused, however written."""
    repeated = []

    def held(pairs):
        repeated.extend([pairs] if len(dict(pairs)) < len(pairs) else [])
        return dict(pairs)

    body = ("[" * levels + text + "]" * levels).encode()
    exact = json.loads(body, object_pairs_hook=held)
    if repeated:
        with pytest.raises(JsonRefused, match="repeats a key"):
            decode_json(body, depth=75)
    else:
        assert repr(exact) == repr(decode_json(body, depth=75))


@given(JSON)
def test_written_and_read(value):
    """What is written is compact, and read again with the same values and types."""
    assert repr(value) == repr(decode_json(encode_json(value)))
    assert b'{"a":[1,"b c",null,"\xc3\xa9"]}' == encode_json({"a": [1, "b c", None, "é"]})


@pytest.mark.skipif(sys.platform != "linux", reason="memory is read from /proc")
def test_what_is_written_holds_no_more_than_its_bytes():
    """Thirty thousand short rows that are kept take some MB; 120 if each held what it was written into."""

    def held():
        return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1]) * resource.getpagesize()

    before = held()
    rows = [encode_json({"id": number, "status": "free"}) for number in range(30_000)]
    assert held() - before < 60_000_000
    assert 30_000 == len(rows)


@pytest.mark.parametrize("value", ["\ud800", {"\udc00": 1}, [date(2026, 12, 1)], {1, 2}])
def test_what_json_cannot_hold_is_not_written(value):
    """Half of a surrogate pair, a date and a set are refused, and nothing is written in their place."""
    with pytest.raises((ValueError, TypeError)):
        encode_json(value)


@given(st.binary(max_size=60) | st.text('[]{}:,"\\/ue0123dD89-.tfn \n', max_size=40).map(str.encode))
@example(b'"\\ud800\\ud800\\udc00"')
def test_any_bytes(body):
    """Whatever the bytes are, there is a value that can be written again, or a refusal, and no other exception."""
    try:
        value = decode_json(body)
    except JsonRefused:
        return
    assert value == decode_json(json.dumps(value, ensure_ascii=False, allow_nan=False).encode())


@given(st.text('[{]}"\\ax', max_size=30))
def test_depth_of_any_text(text):
    """Nothing that parses is nested deeper than allowed, however its quotes and backslashes stand."""

    def height(value):
        inner = value.values() if isinstance(value, dict) else value
        return 1 + max(map(height, inner), default=0) if isinstance(value, dict | list) else 0

    try:
        value = decode_json(text.encode(), depth=2)
    except JsonRefused:
        return
    assert height(value) <= 2


@pytest.mark.parametrize("before", range(65_530, 65_540))
@pytest.mark.parametrize("escape", ["\\\\", '\\"', '\\\\\\"', "\\\\\\\\", "\\n"])
def test_a_large_body_is_counted_as_a_whole(before, escape):
    """Wherever the pieces end in which a large body is looked at, brackets in texts are none, and those outside are."""
    inside = f'["{"a" * before}{escape * 3}{"[" * 99}", "{escape}"]'.encode()
    assert json.loads(inside) == decode_json(inside)
    with pytest.raises(JsonRefused, match="nested deeper than 64 levels"):
        decode_json(inside[:-1] + b"," + b"[" * 64 + b"]" * 65)
    assert json.loads(nested := inside[:-1] + b"," + b"[" * 63 + b"]" * 64) == decode_json(nested)
