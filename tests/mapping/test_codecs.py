"""Codecs: what they read, what they refuse, and what is refused at load."""

import pytest

from gateway.mapping.codecs import CODECS, CodecInvalid, CodecRefused, compile_codec
from gateway.mapping.expressions import ExpressionFailed, compile_template
from gateway.mapping.money import MINOR_DIGITS

SCOPE = {"settings": {"time_zone": "Europe/Berlin", "currency": "EUR"}, "row": {"currency": "JPY", "zone": "UTC"}}
INTERVAL_END = {"datetime": ["%Y-%m-%d", "%H:%M"], "end_of_day": ["23:59", "24:00", "00:00"]}
BOOKING_ID = {"join": {"by": "~", "parts": ["id", "hash"]}}
SLOT_ID = {"join": {"by": "~", "parts": ["service_id", "resource_id", {"start": {"datetime": "%Y%m%d%H%M"}}]}}
FLAG = {"enum": [["1", True], ["0", False]]}


def made(spec, **named):
    """Compile a codec as a mapping does."""
    return compile_codec(spec, named, compile_template)


@pytest.mark.parametrize("kind", CODECS.values(), ids=lambda kind: kind.name)
def test_the_example_of_the_reference_holds(kind):
    """Each codec's example reads as the reference says, and its writer gives it back where the law promises that."""
    spec, provider, canonical = kind.example
    codec = made(spec)
    assert canonical == codec.decode(provider, SCOPE)
    assert kind.law == codec.law
    assert (codec.encode is None) == (codec.law == "one-way")
    if codec.law == "iso" and codec.parts is None:
        assert provider == codec.encode(canonical, SCOPE)
    elif codec.encode is not None and codec.parts is None:
        assert canonical == codec.decode(codec.encode(canonical, SCOPE), SCOPE)
    assert kind.meaning
    assert all(option.meaning for option in kind.options)


@pytest.mark.parametrize(
    ("spec", "provider", "canonical"),
    [
        ("text", 1.5, "1.5"),
        ("text", "", ""),
        ("number_text", 0.1, "0.1"),
        ("number_text", -49, "-49"),
        ("integer_text", "-5", -5),
        ("decimal_text", "-0.1200", -0.12),
        ("decimal_text", 51.5, 51.5),
        (FLAG, "0", False),
        ({"enum": [[1, True], [0, False]]}, 0, False),
        ({"enum": {"Ms/Mrs": "ms", "Mr": "mr"}}, "Ms/Mrs", "ms"),
        ({"enum": {"a": "b"}, "else": None}, "z", None),
        ({"enum": {"a": "b"}, "else": "other"}, {"z": 1}, "other"),
        ({"enum": [[None, "confirmed"], ["x", "done"]]}, None, "confirmed"),
        (
            {"datetime": "%Y-%m-%d %H:%M:%S", "zone": "Europe/London"},
            "2015-12-30 13:00:00",
            "2015-12-30T13:00:00+00:00",
        ),
        ({"datetime": "%Y-%m-%d %H:%M"}, "2023-10-11 11:00", "2023-10-11T11:00:00+02:00"),
        ({"datetime": "%Y-%m-%dT%H:%M", "zone": "Europe/Paris"}, "2026-03-19T08:30", "2026-03-19T08:30:00+01:00"),
        ({"datetime": "%Y-%m-%dT%H:%M", "zone": "Europe/Paris"}, "2026-07-19T08:30", "2026-07-19T08:30:00+02:00"),
        ({"datetime": "%Y-%m-%d %H:%M"}, "2026-10-25 02:30", "2026-10-25T02:30:00+02:00"),
        ({"datetime": "%d.%m.%Y %H"}, "16.05.2021 09", "2021-05-16T09:00:00+02:00"),
        ({"datetime": "%Y-%m-%d"}, "2026-03-19", "2026-03-19T00:00:00+01:00"),
        ({"datetime": "%Y-%m-%d", "zone": "America/Santiago"}, "2026-09-06", "2026-09-06T01:00:00-03:00"),
        ({"datetime": "100%% %Y%m%d%H%M"}, "100% 202603190830", "2026-03-19T08:30:00+01:00"),
        ({"datetime": "%Y-%m-%d %H:%M", "zone": "{{ row.zone }}"}, "2026-03-19 08:30", "2026-03-19T08:30:00+00:00"),
        (INTERVAL_END, ["2023-10-11", "23:59"], "2023-10-12T00:00:00+02:00"),
        (INTERVAL_END, ["2023-10-11", "24:00"], "2023-10-12T00:00:00+02:00"),
        (INTERVAL_END, ["2023-10-11", "00:00"], "2023-10-12T00:00:00+02:00"),
        (INTERVAL_END, ["2023-10-13", "18:00"], "2023-10-13T18:00:00+02:00"),
        (INTERVAL_END, ["2026-10-25", "23:59"], "2026-10-26T00:00:00+01:00"),
        ("rfc3339", "2026-07-20T00:30:00.123Z", "2026-07-20T02:30:00+02:00"),
        ({"rfc3339": {"zone": "Europe/Madrid"}}, "2026-07-19T22:30:00+00:00", "2026-07-20T00:30:00+02:00"),
        ({"unix": "milliseconds"}, 1773905400999, "2026-03-19T08:30:00+01:00"),
        ({"clock": "%H:%M"}, "23:59", "23:59"),
        ({"clock_minutes": "%H:%M"}, "25:30", 1530),
        ("decimal_money", "300.0000", 30000),
        ("decimal_money", 10.149, 1015),
        ("decimal_money", 2.371, 237),
        ("decimal_money", "20", 2000),
        ("decimal_money", "-10.145", -1015),
        ("decimal_money", "0.005", 1),
        ("decimal_money", 1.005, 101),
        ("decimal_money", 1e-07, 0),
        ({"decimal_money": {"currency": "USD"}}, 150, 15000),
        ({"decimal_money": {"currency": "{{ row.currency }}"}}, "1500", 1500),
        ({"decimal_money": {"currency": "KWD"}}, "1.2345", 1235),
        (BOOKING_ID, ["434", "785cb8cce316e64765b94c05a635f4be"], "434~785cb8cce316e64765b94c05a635f4be"),
        (BOOKING_ID, [434, "50%~"], "434~50%25%7E"),
        (SLOT_ID, ["7", "3", "2026-03-19T08:30:00+01:00"], "7~3~202603190830"),
        ({"split": ","}, "", []),
        ({"split": ", "}, "a, b", ["a", "b"]),
        ({"each": {"date": "%d.%m.%Y"}}, ["19.03.2026"], ["2026-03-19"]),
        ({"each": "keys"}, [{"a": 1}, []], [["a"], []]),
        ("keys", [], []),
        ("plain_text", "a<br>b<br/>c &lt;d&gt;&nbsp;e", "a\nb\nc <d> e"),
        ("plain_text", "<style>p{}</style><p class='x'>1 < 2</p><!-- <p>no</p> --><script>a</p>b</script>", "1 < 2"),
        ("plain_text", "no markup,  but\nblanks", "no markup, but blanks"),
        ("zone_name", "America New York", "America/New_York"),
        ("zone_name", "UTC", "UTC"),
        ("phone", "+44 20 7946 0958", "+442079460958"),
        ("phone", "030 1234567", "030 1234567"),
        ("phone", "+49 30 12 ext. 5", "+49 30 12 ext. 5"),
    ],
)
def test_reads(spec, provider, canonical):
    """What providers write becomes the canonical value, with its type."""
    result = made(spec).decode(provider, SCOPE)
    assert canonical == result
    assert type(canonical) is type(result)


@pytest.mark.parametrize(
    ("spec", "canonical", "provider"),
    [
        ("number_text", "49", 49),
        ("number_text", "0.5", 0.5),
        ("decimal_text", 1e-07, "0.0000001"),
        (INTERVAL_END, "2023-10-12T00:00:00+02:00", ["2023-10-11", "23:59"]),
        (INTERVAL_END, "2023-10-11T22:00:00Z", ["2023-10-11", "23:59"]),
        ({"datetime": "%Y-%m-%d %H:%M"}, "2026-07-19T06:30:00Z", "2026-07-19 08:30"),
        ("rfc3339", "2026-07-19T06:30:00Z", "2026-07-19T08:30:00+02:00"),
        ("decimal_money", 1015, "10.15"),
        ("decimal_money", -5, "-0.05"),
        ("decimal_money", 0, "0.00"),
        ({"decimal_money": {"currency": "JPY"}}, 1500, "1500"),
        ({"decimal_money": {"currency": "KWD"}}, 1, "0.001"),
        (BOOKING_ID, "434~785c", {"id": "434", "hash": "785c"}),
        (SLOT_ID, "7~3~202603190830", {"service_id": "7", "resource_id": "3", "start": "2026-03-19T08:30:00+01:00"}),
        ({"enum": {"a": "b"}, "else": "c"}, "b", "a"),
        ("phone", "030 1", "030 1"),
    ],
)
def test_writes(spec, canonical, provider):
    """A canonical value becomes what the provider writes, with its type."""
    result = made(spec).encode(canonical, SCOPE)
    assert provider == result
    assert type(provider) is type(result)


@pytest.mark.parametrize(
    ("spec", "values"),
    [
        ("text", [True, None, [], float("inf")]),
        ("number_text", ["49", True, 10**18, 1e-30, float("nan")]),
        ("integer_text", [60, "060", "+6", " 6", "6 ", "1_000", "٦", "6.0", "", "-0", "9" * 19, None]),
        ("decimal_text", ["1e3", "", ".5", "1,5", "nan", True, float("inf")]),
        (FLAG, [1, True, "true", "", None, ["1"], {}]),
        ({"enum": [[1, "one"]]}, [True, "1", 1.5]),
        (
            {"datetime": "%Y-%m-%d %H:%M"},
            [
                "2026-03-29 02:30",
                "2026-02-30 10:00",
                "2026-3-19 08:30",
                "2026-03-19 8:30",
                "2026-03-19 24:00",
                "2026-03-19 08:60",
                "2026-03-19T08:30",
                "2026-03-19 08:30 ",
                "2026-03-19 08:30\n",
                "٢٠٢٦-03-19 08:30",
                "0000-00-00 00:00",
                "",
                None,
                1773905400,
                ["2026-03-19 08:30"],
            ],
        ),
        (
            INTERVAL_END,
            [
                ["2023-10-11"],
                ["2023-10-11", "23:59", "x"],
                ["2023-10-11", None],
                "2023-10-11 23:59",
                ["9999-12-31", "24:00"],
            ],
        ),
        ({"datetime": "%Y-%m-%d %H:%M", "zone": "Mars/Base"}, ["2026-03-19 08:30"]),
        ("rfc3339", ["2026-03-19T08:30:00", "2026-03-19", "", 5, None]),
        ({"unix": "seconds"}, ["1504792800", 1.5, True, None, 10**15]),
        ({"date": "%d.%m.%Y"}, ["31.02.2026", "1.2.2026", "2026-02-01", "", None]),
        ({"clock": "%H:%M:%S"}, ["24:00:00", "08:30:30", "08:60:00", "08:30", ""]),
        ({"clock_minutes": "%H:%M"}, ["1:00", "01:60", "100:00", 60]),
        (
            "decimal_money",
            ["", " 1", "1e3", "NaN", "Infinity", "1,50", "1.", ".5", "+1", "٣", True, None, float("nan"), "9" * 16],
        ),
        ({"decimal_money": {"currency": "XYZ"}}, ["1"]),
        (BOOKING_ID, [["434"], "434", ["434", None], ["434", True], ["434", 1.5], ["434", ["x"]]]),
        (SLOT_ID, [["7", "3", "soon"]]),
        ({"split": ","}, ["1,,2", "1,", None, 5]),
        ({"each": "integer_text"}, ["60", ["x"], {}]),
        ("keys", ["a", ["a"], None]),
        ("plain_text", [5, None]),
        ("zone_name", ["Nowhere Land", "", "../etc/passwd", None]),
        ("phone", [5, None]),
    ],
)
def test_refuses_to_read(spec, values):
    """What is not written as expected is refused, never repaired, and the message does not repeat it."""
    codec = made(spec)
    for value in values:
        with pytest.raises(CodecRefused) as caught:
            codec.decode(value, SCOPE)
        assert caught.value.expected
        if isinstance(value, str) and len(value) > 3:
            assert value not in caught.value.expected


@pytest.mark.parametrize(
    ("spec", "values"),
    [
        ("text", [5, None]),
        ("number_text", ["049", "1.50", "1e3", "x", 49, "9" * 19]),
        ("integer_text", ["60", True, 6.0, 10**18]),
        ("decimal_text", ["1", True, 1e300, float("nan")]),
        (FLAG, ["1", 1, None, []]),
        ({"enum": {"a": "b"}, "else": "c"}, ["c"]),
        (
            {"datetime": "%Y-%m-%d %H:%M"},
            ["2026-03-19T08:30:15+01:00", "2026-10-25T02:30:00+01:00", "2026-03-19T08:30:00", "x", None, 5],
        ),
        ({"datetime": "%Y-%m-%d"}, ["2026-03-19T08:30:00+01:00"]),
        (INTERVAL_END, ["0001-01-01T00:00:00+00:00"]),
        ("rfc3339", ["2026-03-19", None]),
        ({"unix": "seconds"}, ["x", None]),
        ({"date": "%d.%m.%Y"}, ["19.03.2026", None]),
        ({"clock": "%H:%M"}, ["24:00", 5]),
        ({"clock_minutes": "%H:%M"}, [-1, 6000, True, "60", 1.5]),
        ("decimal_money", ["1", 1.5, True, None, 10**18]),
        (BOOKING_ID, ["434", "434~a~b", "434~%41", "434~%7e", "434~50%", 5, None]),
        (SLOT_ID, ["7~3~soon", "7~3~202613190830"]),
        ({"split": ","}, [["a,b"], [""], [5], "a"]),
        ({"each": "integer_text"}, [["60"], "x"]),
        ("zone_name", ["Mars/Base", None]),
        ("phone", [5]),
    ],
)
def test_refuses_to_write(spec, values):
    """What the provider cannot be told is refused, never rounded or cut."""
    codec = made(spec)
    for value in values:
        with pytest.raises(CodecRefused):
            codec.encode(value, SCOPE)


@pytest.mark.parametrize(
    ("spec", "law", "gives"),
    [
        (FLAG, "iso", "boolean"),
        ({"enum": {"a": "b"}}, "iso", "text"),
        ({"enum": {"a": 1}}, "iso", "integer"),
        ({"enum": {"a": 1.5, "b": 1}}, "iso", "number"),
        ({"enum": {"a": 1, "b": "x"}}, "iso", "any"),
        ({"enum": {"a": None}}, "iso", "any"),
        ({"enum": [["1", True], [1, True]]}, "one-way", "boolean"),
        ({"enum": {"a": "b"}, "else": None}, "lossy", "text"),
        ({"datetime": "%Y%m%d"}, "iso", "instant"),
        (INTERVAL_END, "lossy", "instant"),
        ({"unix": "milliseconds"}, "lossy", "instant"),
        ({"each": "phone"}, "lossy", "list"),
        ({"each": "keys"}, "one-way", "list"),
        ({"join": {"by": "~", "parts": ["a", {"b": "phone"}]}}, "lossy", "text"),
    ],
)
def test_the_law_follows_the_specification(spec, law, gives):
    """A codec promises no more than its specification can hold."""
    codec = made(spec)
    assert (law, gives) == (codec.law, codec.gives)
    assert (law == "one-way") == (codec.encode is None)


@pytest.mark.parametrize(
    ("spec", "message", "place"),
    [
        ("dattime", "did you mean `datetime`", ()),
        ("fla", "did you mean `flag`", ()),
        (5, "a name, or an object", ()),
        ({}, "a name, or an object", ()),
        ({"enm": {}}, "did you mean `enum`", ("enm",)),
        ({"enum": {"a": 1}, "split": ","}, "one codec at a time", ("split",)),
        ({"enum": {"a": 1}, "els": 1}, "did you mean `else`", ("els",)),
        ({"enum": {}}, "empty", ("enum",)),
        ({"enum": "x"}, "takes {provider: canonical}", ("enum",)),
        ({"enum": [["a"]]}, "a pair", ("enum", 0)),
        ({"enum": [["a", 1], ["a", 2]]}, "twice", ("enum", 1)),
        ({"enum": {"a": []}}, "a table of texts", ("enum", "a")),
        ({"enum": {"a": 1}, "else": []}, "`else`", ("else",)),
        ("datetime", "takes a format", ()),
        ({"datetime": 5}, "a format such as", ("datetime",)),
        ({"datetime": "%Y-%m-%d %I"}, "`%I` is not taken", ("datetime",)),
        ({"datetime": "%Y-%m-%d %"}, "`%` is not taken", ("datetime",)),
        ({"datetime": "%Y-%m-%d %Y"}, "stands twice", ("datetime",)),
        ({"datetime": ["%Y-%m-%d", "%q"]}, "`%q` is not taken", ("datetime", 1)),
        ({"datetime": ["%Y-%m-%d", "%d"]}, "each once", ("datetime",)),
        ({"datetime": ["%Y-%m-%d", 5]}, "a format is text", ("datetime", 1)),
        ({"datetime": []}, "need %Y", ("datetime",)),
        ({"datetime": "%H:%M"}, "need %Y", ("datetime",)),
        ({"datetime": "%Y-%m-%d %M"}, "%H before %M", ("datetime",)),
        ({"datetime": "%Y%m%d", "end_of_day": ["23:59"]}, "needs a format", ("end_of_day",)),
        ({"datetime": "%Y%m%d%H%M", "end_of_day": "23:59"}, "a list", ("end_of_day",)),
        ({"datetime": "%Y%m%d%H%M", "end_of_day": [1439]}, "in quotes", ("end_of_day", 0)),
        ({"datetime": "%Y%m%d%H%M", "zone": 5}, "a template", ("zone",)),
        ({"datetime": "%Y%m%d%H%M", "zone": "{{ x"}, "not closed", ("zone",)),
        ({"unix": "minutes"}, "seconds", ("unix",)),
        ({"date": "%Y-%m"}, "takes a format", ("date",)),
        ({"date": "%Y-%m-%d %H"}, "takes a format", ("date",)),
        ({"clock": "%H"}, "takes a format", ("clock",)),
        ({"join": {"by": "~"}}, "needs `parts`", ("join",)),
        ("join", "needs `by`", ()),
        ({"join": "~"}, "stand inside", ("join",)),
        ({"join": {"by": "~", "parts": ["a"]}, "zone": "x"}, "stand inside", ("join",)),
        ({"join": {"by": "a", "parts": ["x"]}}, "one mark", ("join", "by")),
        ({"join": {"by": "%", "parts": ["x"]}}, "one mark", ("join", "by")),
        ({"join": {"by": "~~", "parts": ["x"]}}, "one mark", ("join", "by")),
        ({"join": {"by": "~", "parts": []}}, "a list of names", ("join", "parts")),
        ({"join": {"by": "~", "parts": [5]}}, "a part is a name", ("join", "parts", 0)),
        ({"join": {"by": "~", "parts": ["a", "a"]}}, "twice", ("join", "parts", 1)),
        ({"join": {"by": "~", "parts": [{"a": "keys"}]}}, "one-way", ("join", "parts", 0, "a")),
        ({"join": {"by": "~", "parts": [{"a": {"date": "%Y"}}]}}, "takes a format", ("join", "parts", 0, "a", "date")),
        ({"split": ""}, "takes the separator", ("split",)),
        ({"each": "nope"}, "no codec `nope`", ("each",)),
        ({"keys": 1}, "stands alone", ("keys",)),
        ({"decimal_money": {"currncy": "EUR"}}, "did you mean `currency`", ("decimal_money", "currncy")),
        ({"decimal_money": "EUR"}, "stand inside", ("decimal_money",)),
    ],
)
def test_refused_at_load(spec, message, place):
    """A codec that cannot work is refused before anything runs, with its place inside the specification."""
    with pytest.raises(CodecInvalid) as caught:
        made(spec, flag=made(FLAG))
    assert message in caught.value.message
    assert place == caught.value.place


def test_named_codecs():
    """A mapping's own codec is used by its name, also inside another one."""
    flag = made(FLAG)
    assert made("flag", flag=flag) is flag
    assert made({"each": "flag"}, flag=flag).decode(["1", "0"], SCOPE) == [True, False]
    assert made({"enum": {"a": "x", "b": "y"}, "else": None}).outputs == ("x", "y", None)
    assert made(SLOT_ID).parts == ("service_id", "resource_id", "start")


def test_a_template_of_a_codec_gives_text():
    """A zone that is no text is the mapping's fault, and is told as one."""
    codec = made({"datetime": "%Y%m%d", "zone": "{{ settings }}"})
    with pytest.raises(ExpressionFailed):
        codec.decode("20260319", SCOPE)
    with pytest.raises(ExpressionFailed):
        made("rfc3339").decode("2026-07-20T00:30:00Z", {"settings": {}})


def test_the_currencies():
    """Every code of ISO 4217 that money is kept in has its digits."""
    assert all(len(code) == 3 and code.isascii() and code.isupper() for code in MINOR_DIGITS)
    digits = {code: MINOR_DIGITS[code] for code in ("EUR", "JPY", "KWD", "CLF", "HUF", "ISK", "XOF", "UYU")}
    assert {"EUR": 2, "JPY": 0, "KWD": 3, "CLF": 4, "HUF": 2, "ISK": 0, "XOF": 0, "UYU": 2} == digits
    assert len(MINOR_DIGITS) == 171
