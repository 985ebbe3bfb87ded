"""Codecs: what they read, what they write and what they promise."""

import pytest

from gateway.mapping.codecs import CODECS, CodecInvalid, compile_codec
from gateway.mapping.codecs.kind import ISO, LOSSY, ONE_WAY
from gateway.mapping.codecs.money import MINOR_DIGITS
from gateway.mapping.expressions import ExpressionFailed, compile_template
from gateway.mapping.expressions.types import KINDS

SETTINGS = {"time_zone": "Europe/Berlin", "currency": "EUR", "full": True}
SCOPE = {"settings": SETTINGS, "row": {"currency": "JPY", "zone": "UTC"}}
INTERVAL_END = {"datetime": ["%Y-%m-%d", "%H:%M"], "end_of_day": ["23:59", "24:00", "00:00"]}
LONDON = {"datetime": "%Y-%m-%d %H:%M:%S", "zone": "Europe/London"}
BOOKING_ID = {"join": {"by": "~", "parts": ["id", "hash"]}}
ARMOURED_ID = {"join": {"by": "/", "parts": ["id", "hash"], "as": "base64url"}}
SLOT_ID = {"join": {"by": "~", "parts": ["service_id", "resource_id", {"start": {"datetime": "%Y%m%d%H%M"}}]}}
BESIDE = {"datetime": ["%Y-%m-%d", "%H:%M"], "clock_zone": "UTC"}
FLAG = {"enum": [["1", True], ["0", False]]}


def made(spec, **named):
    """Compile a codec as a mapping does."""
    return compile_codec(spec, named, compile_template)


@pytest.mark.parametrize("kind", CODECS.values(), ids=lambda kind: kind.name)
def test_the_samples_of_the_declaration_hold(kind):
    """Each sample reads as declared, of the declared type, and is written back as the law says."""
    for spec, provider, canonical in kind.samples:
        codec = made(spec)
        assert canonical == codec.decode(provider, SCOPE)
        assert kind.type.holds(canonical)
        assert (kind.law, kind.name) == (codec.law, codec.name)
        assert (codec.encode is None) == (codec.law == "one-way")
        if codec.encode is not None:
            back = codec.encode(canonical, SCOPE)
            back = list(back.values()) if codec.parts else back
            assert provider == back or codec.law == "lossy"
            assert canonical == codec.decode(back, SCOPE)


@pytest.mark.parametrize("kind", CODECS.values(), ids=lambda kind: kind.name)
def test_a_codec_is_declared_whole(kind):
    """A codec has a law, samples that show it (of a lossy one: what is lost), a meaning, and options of known kinds."""
    assert kind.law in {ISO, LOSSY, ONE_WAY}
    assert kind.samples
    codecs = [(made(spec), provider, canonical) for spec, provider, canonical in kind.samples]
    lost = [one for one, provider, canonical in codecs if one.encode and provider != one.encode(canonical, SCOPE)]
    assert bool(lost) == (kind.law == "lossy") or kind.name == "join"  # which is written as its parts
    assert all((kind.meaning, kind.reads, str(kind.type)))
    for option in kind.options:
        assert option.meaning
        assert option.takes in KINDS
        assert option.default or option.required


@pytest.mark.parametrize(
    ("kind", "option"),
    [
        pytest.param(kind, one, id=f"{kind.name} {one.name}")
        for kind in CODECS.values()
        for one in kind.options
        if one.template or one.takes != "any"
    ],
)
def test_an_option_takes_its_kind_only(kind, option):
    """An option of another kind than it declares is refused at load, at its place, by what it takes."""
    wrong = next(one for one in ({"a": 1}, [1]) if option.template or not KINDS[option.takes].holds(one))
    spec, _, _ = kind.example
    main = spec[kind.name] if isinstance(spec, dict) else {}
    with pytest.raises(CodecInvalid) as caught:
        made({kind.name: {**main, option.name: wrong}} if kind.within else {kind.name: main, option.name: wrong})
    assert option.name == caught.value.place[-1]
    assert f"`{option.name}` is " in caught.value.message


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
        ({"iso8601": "minutes"}, "2026-10-25T02:30", "2026-10-25T02:30:00+02:00"),
        ({"iso8601": "minutes"}, "2026-03-19T08:30:15.5", "2026-03-19T08:30:15+01:00"),
        ({"iso8601": "seconds", "zone": "Europe/Paris"}, "2026-07-19T06:30Z", "2026-07-19T08:30:00+02:00"),
        ({"iso8601": "minutes"}, "2026-10-25T02:30:00+01:00", "2026-10-25T02:30:00+01:00"),
        ({"datetime": {"parts": ["day", "month", "year", "hour"]}}, [19, 3, 2026, 8], "2026-03-19T08:00:00+01:00"),
        (
            {"datetime": {"parts": {"year": "y", "month": "m", "day": "d", "hour": "h", "minute": "n"}}},
            {"y": 2026, "m": 3, "d": 19, "h": 8, "n": 5},
            "2026-03-19T08:05:00+01:00",
        ),
        (BESIDE, ["2026-07-20", "06:30"], "2026-07-20T08:30:00+02:00"),
        (BESIDE, ["2026-07-20", "22:30"], "2026-07-20T00:30:00+02:00"),
        (BESIDE, ["2026-10-25", "22:30"], "2026-10-25T00:30:00+02:00"),  # of 25 hours; 22:30 comes again
        (BESIDE, ["2026-03-29", "21:59"], "2026-03-29T23:59:00+02:00"),
        ({**BESIDE, "zone": "Pacific/Kiritimati"}, ["2026-07-20", "10:00"], "2026-07-20T00:00:00+14:00"),
        (
            {**BESIDE, "zone": "Pacific/Kiritimati", "clock_zone": "Pacific/Niue"},
            ["2026-07-20", "23:00"],
            "2026-07-20T00:00:00+14:00",
        ),
        ({"date": {"parts": ["month", "day", "year"]}}, [3, 19, 2026], "2026-03-19"),
        ({"clock": {"parts": ["hour", "minute"]}}, [8, 5], "08:05"),
        ({"clock_minutes": {"parts": {"hour": "h", "minute": "min"}}}, {"h": 25, "min": 30}, 1530),
        ({"iso8601": "minutes"}, "2026-07-19T06:30:00+0200", "2026-07-19T06:30:00+02:00"),
        ({"iso8601": "minutes"}, "2026-07-19T06:30+02", "2026-07-19T06:30:00+02:00"),
        ({"iso8601": "minutes"}, "2026-07-19T06:30:00.25-0330", "2026-07-19T12:00:00+02:00"),
        ({"iso8601": "minutes"}, "2026-07-19T06:30:00-00:00", "2026-07-19T08:30:00+02:00"),
        ({"iso8601": "minutes"}, "2026-07-19T06:30:00-0000", "2026-07-19T08:30:00+02:00"),
        ({"iso8601_duration": "minutes"}, "PT0S", 0),
        ({"iso8601_duration": "minutes"}, "PT36H", 2160),
        ({"iso8601_duration": "minutes"}, "PT1,5H", 90),
        ({"iso8601_duration": "seconds"}, "PT1M30S", 90),
        ({"iso8601_duration": "minutes", "days": True}, "P1W", 10_080),
        ({"prefix": "{{ settings.currency }}-"}, "EUR-7", "7"),
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
        (ARMOURED_ID, ["camp", "a/b+ü"], "Y2FtcC9hJTJGYivDvA"),
        (ARMOURED_ID, ["", ""], "Lw"),
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
        ({"iso8601": "minutes"}, "2026-03-19T07:30:00+00:00", "2026-03-19T08:30"),
        ({"iso8601": "seconds"}, "2026-03-19T08:30:15+01:00", "2026-03-19T08:30:15"),
        (
            {"iso8601": "minutes", "offset": "{{ settings.full }}"},
            "2026-10-25T01:30:15Z",
            "2026-10-25T02:30:15+01:00",
        ),
        (
            {"iso8601": "minutes", "offset": "{{ true }}", "colon": False},
            "2026-07-19T06:30:00Z",
            "2026-07-19T08:30:00+0200",
        ),
        (
            {"iso8601": "minutes", "offset": "{{ true }}", "colon": True},
            "2026-07-19T06:30:00Z",
            "2026-07-19T08:30:00+02:00",
        ),
        ({"datetime": {"parts": ["year", "month", "day"]}}, "2026-03-18T23:00:00Z", [2026, 3, 19]),
        (BESIDE, "2026-07-20T00:30:00+02:00", ["2026-07-20", "22:30"]),
        ({"iso8601_duration": "minutes"}, 0, "PT0S"),
        ({"iso8601_duration": "minutes", "days": True}, 1500, "PT25H"),
        ({"iso8601_duration": "seconds"}, 3661, "PT1H1M1S"),
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
        (ARMOURED_ID, "Y2FtcC9hJTJGYivDvA", {"id": "camp", "hash": "a/b+ü"}),
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


def test_named_codecs():
    """A mapping's own codec is used by its name, also inside another one."""
    flag = made(FLAG)
    assert made("flag", flag=flag) is flag
    assert made({"each": "flag"}, flag=flag).decode(["1", "0"], SCOPE) == [True, False]
    assert made({"enum": {"a": "x", "b": "y"}, "else": None}).outputs == ("x", "y", None)
    assert list(made(SLOT_ID).parts) == ["service_id", "resource_id", "start"]


def test_a_template_of_a_codec_gives_its_kind():
    """A zone that is no text, or a choice that is not true or false, is the mapping's fault, and is told as one."""
    codec = made({"datetime": "%Y%m%d", "zone": "{{ settings }}"})
    with pytest.raises(ExpressionFailed):
        codec.decode("20260319", SCOPE)
    with pytest.raises(ExpressionFailed):
        made({"iso8601": "minutes", "offset": "{{ settings.zone }}"}).encode("2026-03-19T08:30:00Z", SCOPE)
    with pytest.raises(ExpressionFailed):
        made("rfc3339").decode("2026-07-20T00:30:00Z", {"settings": {}})


def test_the_currencies():
    """Every code of ISO 4217 that money is kept in has its digits."""
    assert all(len(code) == 3 and code.isascii() and code.isupper() for code in MINOR_DIGITS)
    digits = {code: MINOR_DIGITS[code] for code in ("EUR", "JPY", "KWD", "CLF", "HUF", "ISK", "XOF", "UYU")}
    assert {"EUR": 2, "JPY": 0, "KWD": 3, "CLF": 4, "HUF": 2, "ISK": 0, "XOF": 0, "UYU": 2} == digits
    assert len(MINOR_DIGITS) == 166
