"""Codecs: what is refused at load, and which values are refused at run time."""

import pytest

from gateway.mapping.codecs import CodecInvalid, CodecRefused, compile_codec
from gateway.mapping.expressions import compile_template

SCOPE = {"settings": {"time_zone": "Europe/Berlin", "currency": "EUR"}}
INTERVAL_END = {"datetime": ["%Y-%m-%d", "%H:%M"], "end_of_day": ["23:59", "24:00", "00:00"]}
BOOKING_ID = {"join": {"by": "~", "parts": ["id", "hash"]}}
ARMOURED_ID = {"join": {"by": "/", "parts": ["id", "hash"], "as": "base64url"}}
SLOT_ID = {"join": {"by": "~", "parts": ["service_id", "resource_id", {"start": {"datetime": "%Y%m%d%H%M"}}]}}
FLAG = {"enum": [["1", True], ["0", False]]}


def made(spec, **named):
    """Compile a codec as a mapping does."""
    return compile_codec(spec, named, compile_template)


@pytest.mark.parametrize(
    ("spec", "values"),
    [
        ("text", [True, None, [], float("inf")]),
        ("number_text", ["49", True, 10**18, 1e-30, float("nan")]),
        ("integer_text", [60, "060", "+6", " 6", "6 ", "1_000", "\u0666", "6.0", "", "-0", "9" * 19, None]),
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
                "\u0662\u0660\u0662\u0666-03-19 08:30",
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
        ("rfc3339", ["2025-01-02T10:00:00", "2025-01-02", "", 5, None]),
        (
            {"iso8601": "minutes"},
            [
                "2026-03-29T02:30",
                "2026-03-20",
                "2026-03-19 08:30",
                "2026-02-30T10:00",
                "2026-03-19T08:30+1",
                "2026-03-19T08:30+010",
                "2026-03-19T08:30+0160",
                "2026-03-19T0830+0100",
                "",
                5,
                None,
            ],
        ),
        (
            {"datetime": {"parts": ["year", "month", "day", "hour"]}},
            [
                [2026, 3, 29, 2],  # which the clocks skip
                [2026, 2, 30, 8],
                [2026, 3, 19, 24],
                [2026, 3, 19],
                [2026, 3, 19, 8.0],
                [2026, 3, 19, "8"],
                [2026, 3, True, 8],
                [-1, 3, 19, 8],
                [10**400, 3, 19, 8],
                {"year": 2026, "month": 3, "day": 19, "hour": 8},
                "2026-03-19",
                None,
            ],
        ),
        (
            {"date": {"parts": {"year": "y", "month": "m", "day": "d"}}},
            [
                {"y": 2026, "m": 3},
                {"y": 2026, "m": 3, "d": 19, "e": 1},
                {"y": 2026, "m": 3, "d": "19"},
                [2026, 3, 19],
                5,
            ],
        ),
        ({"clock": {"parts": ["hour", "minute"]}}, [[24, 0], [8, 60], [8], "08:30"]),
        ({"datetime": ["%Y-%m-%d", "%H:%M"], "clock_zone": "UTC"}, [["2026-03-29", "22:30"], ["2026-07-20", "24:00"]]),
        (
            {"iso8601_duration": "minutes"},
            [
                "P1D",
                "P1W",
                "PT",
                "P",
                "P1DT",
                "PT1.5H30M",
                "PT30S",
                "P1M",
                "P1Y",
                "-PT1H",
                "pt1h",
                "PT1H ",
                "",
                60,
                None,
            ],
        ),
        ({"iso8601_duration": "seconds", "days": True}, ["PT0.5S", "P1D1W", "PT1M1H", "P1.5DT1H", "PT1000000000H"]),
        ({"prefix": "https://a/"}, ["https://a/", "http://a/b", "b", "", 5, None]),
        ({"unix": "seconds"}, ["1504792800", 1.5, True, None, 10**15]),
        ({"date": "%d.%m.%Y"}, ["31.02.2026", "1.2.2026", "2026-02-01", "", None]),
        ({"clock": "%H:%M:%S"}, ["24:00:00", "10:15:30", "10:60:00", "10:15", ""]),
        ({"clock_minutes": "%H:%M"}, ["1:00", "01:60", "100:00", 60]),
        (
            "decimal_money",
            [
                "",
                " 1",
                "1e3",
                "NaN",
                "Infinity",
                "1,50",
                "1.",
                ".5",
                "+1",
                "\u0663",
                True,
                None,
                float("nan"),
                "9" * 14,
            ],
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
        ({"iso8601": "minutes"}, ["2026-03-19T08:30:15+01:00", "2026-10-25T02:30:00+01:00", "2026-03-19T08:30", None]),
        ({"iso8601": "minutes", "offset": "{{ true }}"}, ["2026-03-19T08:30", "x", None]),
        ({"datetime": {"parts": ["year", "month", "day"]}}, ["2026-03-19T08:30:00+01:00", "x", 5]),
        (
            {"datetime": ["%Y-%m-%d", "%H:%M"], "clock_zone": "UTC"},
            ["2026-10-25T23:30:00+01:00", "2026-07-20T00:30:15+02:00"],  # of the day with 25 hours the second 22:30
        ),
        ({"iso8601_duration": "minutes"}, [-1, 1.5, True, "60", 10**12]),
        ({"prefix": "https://a/"}, ["", 5, None]),
        ({"unix": "seconds"}, ["x", None]),
        ({"date": "%d.%m.%Y"}, ["19.03.2026", None]),
        ({"clock": "%H:%M"}, ["24:00", 5]),
        ({"clock_minutes": "%H:%M"}, [-1, 6000, True, "60", 1.5]),
        ("decimal_money", ["1", 1.5, True, None, 10**15]),
        (BOOKING_ID, ["434", "434~a~b", "434~%41", "434~%7e", "434~50%", 5, None]),
        # Not base64url, not as it is written there, no UTF-8, then not two parts or with an escape that is none.
        (ARMOURED_ID, ["", "camp/a", "Y2FtcC9h=", "Y2FtcC9h\n", "+w", "Y2FtcC9", "Lx", "L_8", 5, None]),
        (ARMOURED_ID, ["Y2FtcA", "YS9iL2M", "YS8lNDE"]),
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
        ({"datetime": {"parts": []}}, "{parts: [year, month, day", ("datetime",)),
        ({"datetime": {"part": ["year"]}}, "{parts: [year, month, day", ("datetime",)),
        ({"datetime": {"parts": ["year", "months", "day"]}}, "a part is one of year,", ("datetime", "parts", 1)),
        ({"datetime": {"parts": {"yaer": "y"}}}, "a part is one of year,", ("datetime", "parts", "yaer")),
        ({"datetime": {"parts": ["year", "month"]}}, "need year, month and day", ("datetime",)),
        ({"datetime": {"parts": ["year", "month", "day", "day"]}}, "stands once", ("datetime", "parts")),
        ({"datetime": {"parts": {"year": "y", "month": "y", "day": "d"}}}, "a key of its own", ("datetime", "parts")),
        ({"datetime": {"parts": {"year": 1, "month": 2, "day": 3}}}, "a key of its own", ("datetime", "parts")),
        ({"datetime": {"parts": ["year", "month", "day", "minute"]}}, "%H before %M", ("datetime",)),
        ({"datetime": "%Y-%m-%d", "clock_zone": "UTC"}, "needs a clock time", ("clock_zone",)),
        ({"datetime": "%Y%m%d%H%M", "clock_zone": "UTC", "skipped": "end"}, "goes with neither", ("clock_zone",)),
        ({**INTERVAL_END, "clock_zone": "UTC"}, "goes with neither", ("clock_zone",)),
        ({"date": {"parts": ["year", "month"]}}, "takes a format", ("date",)),
        ({"clock": {"parts": ["hour", "minute", "day"]}}, "takes a format", ("clock",)),
        ({"iso8601": "minutes", "colon": False}, "say with `offset`", ("colon",)),
        ({"iso8601": "minutes", "offset": "{{ true }}", "colon": "no"}, "true or false", ("colon",)),
        ("iso8601_duration", "takes `minutes` or `seconds`", ()),
        ({"iso8601_duration": "hours"}, "`minutes` or `seconds`", ("iso8601_duration",)),
        ({"iso8601_duration": "minutes", "days": 1}, "true or false", ("days",)),
        ("prefix", "stands before every value", ()),
        ({"prefix": ""}, "stands before every value", ("prefix",)),
        ({"prefix": "{{ x"}, "not closed", ("prefix",)),
        ({"unix": "minutes"}, "seconds", ("unix",)),
        ({"iso8601": "hours"}, "`minutes` or `seconds`", ("iso8601",)),
        ({"iso8601": "minutes", "offset": True}, "a template", ("offset",)),
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
        ({"join": {"by": "~", "parts": ["x"], "as": "base64"}}, "`as` is `base64url`", ("join", "as")),
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
