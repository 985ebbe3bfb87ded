"""The words of the template language: each does what its entry in the reference says, and refuses the rest."""

import hashlib
import hmac

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from jmespath.functions import Functions

from gateway.mapping.expressions import ExpressionFailed, ExpressionInvalid, compile_path, compile_template
from gateway.mapping.expressions.functions import FUNCTIONS, PATH_FUNCTIONS
from gateway.mapping.expressions.functions.kind import BOTH
from gateway.mapping.expressions.sandbox import Program
from gateway.model.types import times
from gateway.values.secrets import Secret

INSTANTS = st.integers(0, 4_000_000_000).map(lambda seconds: times.from_epoch(seconds, "Europe/Berlin"))


def evaluated(expression, **names):
    """Evaluate an expression with these names."""
    return compile_template("{{ " + expression + " }}").render(names)


@pytest.mark.parametrize("function", FUNCTIONS.values(), ids=lambda function: function.name)
def test_the_example_of_the_reference_holds(function):
    """Each word's example gives what the reference says, in both ways of writing, and its entry is complete."""
    result = evaluated(function.example)
    assert function.result == result
    assert type(function.result) is type(result)
    assert function.gives.holds(result)
    assert function.signature.startswith(f"{function.name}(")


@pytest.mark.parametrize("function", FUNCTIONS.values(), ids=lambda function: function.name)
def test_no_word_takes_anything_for_granted(function):
    """A word refuses a kind it does not take, and only `default` takes what is missing."""
    required = [parameter for parameter in function.parameters if parameter.required]
    given = ", ".join("'a'" if parameter.kind == "pattern" else "nothing" for parameter in required)
    if function.name != "default":
        with pytest.raises(ExpressionFailed):
            evaluated(f"{function.name}({given})")
    if not function.signs:
        with pytest.raises(ExpressionFailed):
            evaluated(f"{function.name}({given})", nothing=Secret("s3cr3t"))


@pytest.mark.parametrize("function", PATH_FUNCTIONS.values(), ids=lambda function: function.name)
def test_the_example_holds_in_a_path(function):
    """What is declared for paths gives there what the reference says, with the very arguments of its example."""
    if "templates" not in function.languages:
        result = compile_path(function.example).read({})
    else:
        call = compile_template("{{ " + function.example + " }}").holes[0].tree
        data = {f"a{at}": Program(one).run({}) for at, one in enumerate([call.node, *call.args])}
        patterns = {f"a{at}" for at in range(len(data)) if function.parameter(at).kind == "pattern"}
        given = (f"'{value}'" if name in patterns else name for name, value in data.items())
        result = compile_path(f"{function.name}({', '.join(given)})").read(data)
    assert function.result == result
    assert type(function.result) is type(result)
    assert function.gives.holds(result)


def test_what_is_missing_is_null_in_a_path():
    """A function that finds nothing gives a path null, where a template has a missing value."""
    assert compile_path("first(empty)").read({"empty": []}) is None
    assert compile_path("add_days(day, `1`)").read({"day": "2026-02-28"}) == "2026-03-01"
    with pytest.raises(ExpressionFailed, match="takes a date as `date`, not null"):
        compile_path("add_days(nothing, `1`)").read({})


def test_no_function_is_undeclared():
    """What a file of the room holds as a function is complete: a meaning, an example that names it, types."""
    replaced = {name for name in PATH_FUNCTIONS if name in Functions.FUNCTION_TABLE}
    assert replaced == {"contains", "join", "keys", "to_number", "values"}
    for function in {*FUNCTIONS.values(), *PATH_FUNCTIONS.values()}:
        assert function.meaning.endswith("."), function.name
        assert function.name in function.example
        assert function.parameters
        assert function.languages <= BOTH
        assert not function.signs or "paths" not in function.languages
        takes_expression = any(parameter.kind == "expression" for parameter in function.parameters)
        assert not takes_expression or "templates" not in function.languages
        assert all(parameter.required or parameter is function.parameters[-1] for parameter in function.parameters)
        assert not any(parameter.many for parameter in function.parameters[:-1])


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("add_minutes('2026-03-19T08:30:00+01:00', -60)", "2026-03-19T07:30:00+01:00"),
        ("add_minutes('2026-03-19T08:30Z', 1)", "2026-03-19T08:31:00+00:00"),
        ("minutes_between('2026-03-19T08:30:00Z', '2026-03-19T08:29:01Z')", 0),
        ("minutes_between('2026-03-19T08:30:00Z', '2026-03-19T08:28:00Z')", -2),
        ("local_date('2026-03-19T23:30:00+01:00')", "2026-03-19"),
        ("local_clock('2026-10-25T02:30:00+01:00', 'Europe/Berlin')", "02:30"),
        ("instant('2026-10-25', '02:30', 'Europe/Berlin')", "2026-10-25T02:30:00+02:00"),
        ("is_all_day('2026-03-19T00:00:00+01:00', '2026-03-19T00:00:00+01:00')", False),
        ("is_all_day('2026-03-18T23:00:00Z', '2026-03-19T23:00:00Z', 'Europe/Berlin')", True),
        ("is_all_day('2026-03-18T23:00:00Z', '2026-03-19T23:00:00Z')", False),
        ("chunks([], 2)", []),
        ("chunks([1, 2], 2)", [[1, 2]]),
        ("chunks([1, 2], 0)", ExpressionFailed),
        ("int(7.0)", 7),
        ("int('-0')", ExpressionFailed),
        ("int('05')", 5),
        ("int(' 7')", ExpressionFailed),
        ("int('\u0667')", ExpressionFailed),
        ("int(7.5)", ExpressionFailed),
        ("int(true)", ExpressionFailed),
        ("int(1e308 * 10)", ExpressionFailed),
        ("number('1e3')", ExpressionFailed),
        ("number('7')", 7),
        ("text(0.1)", "0.1"),
        ("text(1e22)", "10000000000000000000000"),
        ("round(-2.5)", -3),
        ("int(1e17)", 10**17),
        ("int(1e308)", ExpressionFailed),
        ("last_name('Cher')", ""),
        ("first_name('Cher')", "Cher"),
        ("first_name('')", ""),
        ("first_name(' Jane  Doe ')", "Jane"),
        ("split('a', '')", ExpressionFailed),
        ("join([1, [2]], ',')", ExpressionFailed),
        ("join([true], ',')", ExpressionFailed),
        ("after('x', 'rental:') | default('none')", "none"),
        ("length(7)", ExpressionFailed),
        ("contains({'a': 1}, 'a')", True),
        ("contains([1], true)", False),
        ("contains('abc', 1)", ExpressionFailed),
        ("unique([1, true, '1', 1])", [1, True, "1"]),
        ("flatten([1])", ExpressionFailed),
        ("sort([1, 'a'])", ExpressionFailed),
        ("sort_by([{'a': 1}, {}], 'a')", ExpressionFailed),
        ("sum(['1'])", ExpressionFailed),
        ("sum([])", 0),
        ("min([]) | default(0)", 0),
        ("max(['a', 'b'])", "b"),
        ("any([])", False),
        ("all([])", True),
        ("any([1, 'x'])", False),
        ("items([])", []),
        ("keys([])", []),
        ("values([])", []),
        ("merge([], {'a': 1})", {"a": 1}),
        ("merge([1], {'a': 1})", ExpressionFailed),
        ("get({'a': 1}, none) | default('-')", "-"),
        ("get({'a': 1}, 1)", ExpressionFailed),
        ("get({'a': none}, 'a')", None),
        ("find([{'id': 1}], 'id', true) | default(none)", None),
        ("find([1], 'id', 1)", ExpressionFailed),
        ("where([{'a': none}, {}], 'a', none)", [{"a": None}]),
        ("without([{'a': 1}, {}], 'a', 1)", [{}]),
        ("pluck([{}], 'a')", ExpressionFailed),
        ("index_by([{'id': 7}], 'id')", {"7": {"id": 7}}),
        ("index_by([{}], 'id')", ExpressionFailed),
        ("overlapping([{'a': '1', 'b': '2'}], 'a', 'b', '2', '3')", []),
        ("overlapping([{'a': '1', 'b': '2'}], 'a', 'b', '0', '1')", []),
        ("overlapping([{'a': '1', 'b': '2'}], 'a', 'b', 0, 1)", ExpressionFailed),
        ("clock(1440)", ExpressionFailed),
        ("minutes_of('24:00')", ExpressionFailed),
        ("minutes_of('8:30')", ExpressionFailed),
        ("add_days('2026-02-29', 1)", ExpressionFailed),
        ("add_days('9999-12-31', 1)", ExpressionFailed),
        ("add_minutes('9999-12-31T23:59:00Z', 1)", ExpressionFailed),
        ("add_minutes('2026-03-19T08:30:00', 1)", ExpressionFailed),
        ("in_zone('2026-03-19T08:30:00Z', 'Mars/Base')", ExpressionFailed),
        ("instant('2026-03-29', '02:30', 'Europe/Berlin')", ExpressionFailed),
        ("instant_of('2026-03-19', 'Europe/Berlin')", "2026-03-19T00:00:00+01:00"),
        ("instant_of('2026-03-19T08:30:00Z', 'Europe/Berlin')", "2026-03-19T09:30:00+01:00"),
        ("instant_of('2026-10-25T02:30:00', 'Europe/Berlin')", "2026-10-25T02:30:00+02:00"),
        ("instant_of('2026-03-29T02:30:00', 'Europe/Berlin')", "2026-03-29T03:30:00+02:00"),
        ("instant_of('2026-03-29T02:30', 'Europe/Berlin')", "2026-03-29T03:30:00+02:00"),
        ("instant_of('2026-09-06', 'America/Santiago')", "2026-09-06T01:00:00-03:00"),
        ("instant_of('08:30', 'Europe/Berlin')", ExpressionFailed),
        ("instant_of('2026-02-29', 'Europe/Berlin')", ExpressionFailed),
        ("instant_of('2026-03-19T08:30:00', 'Mars/Base')", ExpressionFailed),
        ("weekday('2026-03-22')", "sunday"),
        ("weekday('2026-02-29')", ExpressionFailed),
        ("from_epoch(99999999999999, 'UTC')", ExpressionFailed),
        ("days('2026-03-02', '2026-03-01')", []),
        ("length(days('2026-01-01', '2027-02-04'))", 400),
        ("days('2026-01-01', '2027-02-05')", ExpressionFailed),
        ("clocks('23:00', '00:00', 30)", ["23:00", "23:30"]),
        ("clocks('09:00', '10:00', 0)", ExpressionFailed),
        ("overlaps([{'start': '1', 'end': '2'}], '2', '3')", False),
        ("overlaps([{'start': '1'}], '2', '3')", ExpressionFailed),
        ("exists('2026-03-29', '03:00', 'Europe/Berlin')", True),
        ("exists('2026-09-05', '24:00', 'America/Santiago')", False),
        ("replace('a', '', 'b')", ExpressionFailed),
        ("range(1, 4)", [1, 2, 3]),
        ("range(3, 0, -2)", [3, 1]),
        ("range(4, 1)", []),
        ("range(0, 10, 0)", ExpressionFailed),
        ("length(range(0, 10000))", 10_000),
        ("range(0, 10001)", ExpressionFailed),
        ("range(0, 10 * 1000000000000000000000)", ExpressionFailed),
        ("range(1000000, 0, -1)", ExpressionFailed),
        ("range(1.5, 3)", ExpressionFailed),
        ("pad('7', 3)", "007"),
        ("pad(-5, 4)", "-005"),
        ("pad('-5', 4)", "00-5"),
        ("pad('abc', 2)", "abc"),
        ("pad(9.5, 5)", "009.5"),
        ("pad('7', 3, ' ')", "  7"),
        ("pad('7', 3, '')", ExpressionFailed),
        ("pad('7', 3, 'ab')", ExpressionFailed),
        ("pad('7', -1)", ExpressionFailed),
        ("pad('7', 100001)", ExpressionFailed),
        ("extract('order 4711, court 3', '[0-9]+')", "4711"),
        ("extract('order 4711', 'court (?:no )?([0-9]+)') | default('-')", "-"),
        ("extract('a', 'a(b)?') | default('-')", "-"),
        (r"extract('room 12', '\\b([0-9]+)')", "12"),
        ("extract('Größe 7', '^[^ ]+')", "Größe"),
        ("extract(7, '[0-9]')", ExpressionFailed),
        ("url_decode('%C3%BC')", "ü"),
        ("url_decode('%e4')", ExpressionFailed),
        ("url_decode('50%')", ExpressionFailed),
        ("url_decode('%zz')", ExpressionFailed),
        ("band(5, 2)", 0),
        ("band(-1, 2)", ExpressionFailed),
        ("band(true, 1)", ExpressionFailed),
        ("'abcdef'[:2] + 'abcdef'[-1:]", "abf"),
        ("[1, 2, 3, 4][1:3]", [2, 3]),
        ("[1, 2, 3][::2]", [1, 3]),
        ("{'a': 1}[:1]", ExpressionFailed),
        ("number(7.5)", 7.5),
        ("json([1e308 * 10])", ExpressionFailed),
        ("json('ü')", '"ü"'),
        ('from_json(\'{"a": {"b": 1.5}}\')', {"a": {"b": 1.5}}),
        ("from_json('{') | default('-')", "-"),
        ("from_json('') | default('-')", "-"),
        ("from_json('[NaN]') | default('-')", "-"),
        ("from_json('null')", None),
        ("from_json(json(['ü', none, true]))", ["ü", None, True]),
        ("from_json(5)", ExpressionFailed),
        ("phone('030 1234567')", "030 1234567"),
        ("phone('+44 20 7946 0958')", "+442079460958"),
        ("start_of_day('2026-03-29', 'Europe/Berlin')", "2026-03-29T00:00:00+01:00"),
        ("start_of_day('2026-10-25', 'Europe/Berlin')", "2026-10-25T00:00:00+02:00"),
        ("start_of_day('2026-02-30', 'Europe/Berlin')", ExpressionFailed),
        ("start_of_day('2026-03-29', 'Mars/Base')", ExpressionFailed),
    ],
)
def test_edges(expression, expected):
    """At the edges a word gives what its meaning says, or refuses; it never takes one kind for another."""
    if expected is ExpressionFailed:
        with pytest.raises(ExpressionFailed):
            evaluated(expression)
    else:
        result = evaluated(expression)
        assert expected == result
        assert type(expected) is type(result)


@pytest.mark.parametrize(
    ("pattern", "told"),
    [
        ("args.pattern", "written out"),
        ("'a' + 'b'", "written out"),
        ("'('", "not a regular expression"),
        ("'(?=a)b'", "linear time"),
        ("'(a)(b)'", "one group"),
        (r"'\ba'", "control character"),
    ],
)
def test_a_pattern_is_checked_when_it_is_read(pattern, told):
    """What is no pattern, or cannot be matched in linear time, is refused at load, in templates as in paths."""
    with pytest.raises(ExpressionInvalid, match=told):
        compile_template(f"{{{{ extract(args.text, {pattern}) }}}}")
    with pytest.raises(ExpressionInvalid, match=told):
        compile_path(f"extract(text, {'pattern' if 'written' in told else pattern.replace(chr(92) + 'b', chr(8))})")


def test_a_pattern_takes_linear_time():
    """A pattern that others match in years is matched at once, and half a character is refused by its kind."""
    assert evaluated("extract(text, '^(?:a+)+$') | default('none')", text="a" * 50_000 + "!") == "none"
    with pytest.raises(ExpressionFailed, match="half characters"):
        evaluated("extract(text, 'a')", text="\ud800")


def test_signatures_of_the_vendors():
    """The signatures known from vendors' documents come out, also with the key as a secret."""
    key = Secret("s3cr3t")
    assert evaluated("md5(1, '357178bce290381bb7235080941ec143', key)", key=key) == "9e82aa087489f3a93a7d526e01fd44ef"
    body = (
        '{"facilityId":"49","startDateTime":"2026-03-19T08:30","endDateTime":"2026-03-19T09:30",'
        '"playerName1":"Jane Doe","slotId":"49-202603190830"}'
    )
    expected = "abde3f21d531da7b4a667f39f810cf27fb109387ed3b2502bb6cd822808e6621"
    assert expected == evaluated("hmac_sha256(key, body)", key=key, body=body)
    expected = "4a6613c44654d1fcea8e7af58741057c90e10c192809d79f76db701c7c814743"
    assert expected == evaluated("hmac_sha256('k', '1674087231000', 'm1', 'https://gw.example/hooks/b?x=1', '{}')")


def test_a_message_never_holds_a_value():
    """What a word refuses is told by kind, never by value."""
    for expression in ("int(v)", "minutes_of(v)", "in_zone(v, v)", "split(v, '') ", "join([v, none], '')", "clock(v)"):
        with pytest.raises(ExpressionFailed) as caught:
            evaluated(expression, v="zebra")
        assert "zebra" not in str(caught.value)


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"]))), st.binary(max_size=70).map(bytes.hex))
@settings(max_examples=100)
def test_signatures_are_those_of_the_standard_library(pieces, key):
    """Pieces are signed as if written in one, whichever of them is a secret."""
    assume(pieces)
    message = "".join(pieces).encode()
    given = [Secret(piece) if index % 2 else piece for index, piece in enumerate(pieces)]
    assert hashlib.md5(message).hexdigest() == FUNCTIONS["md5"](*given)
    assert hashlib.sha256(message).hexdigest() == FUNCTIONS["sha256"](*given)
    expected = hmac.new(key.encode(), message, "sha256").hexdigest()
    assert expected == FUNCTIONS["hmac_sha256"](Secret(key), *given)


@given(INSTANTS, st.integers(-100_000, 100_000))
@settings(max_examples=100)
def test_minutes_add_up(instant, minutes):
    """Adding minutes and counting them agree, whatever the clocks do in between."""
    later = FUNCTIONS["add_minutes"](instant, minutes, "Europe/Berlin")
    assert minutes == FUNCTIONS["minutes_between"](instant, later)
    assert later == FUNCTIONS["add_minutes"](FUNCTIONS["utc"](instant), minutes, "Europe/Berlin")
    assert instant == FUNCTIONS["from_epoch"](FUNCTIONS["epoch"](instant), "Europe/Berlin")


@given(st.integers(0, 1439))
@settings(max_examples=50)
def test_clock_times_count_minutes(minutes):
    """Minutes of a day and clock times are the same thing written twice."""
    assert minutes == FUNCTIONS["minutes_of"](FUNCTIONS["clock"](minutes))
