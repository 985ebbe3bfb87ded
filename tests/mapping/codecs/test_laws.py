"""The laws of codecs, on values nobody thought of: what is exact is exact both ways, what is lossy settles at once."""

import base64

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from gateway.mapping.codecs import CODECS as DECLARED
from gateway.mapping.codecs import CodecRefused, compile_codec
from gateway.mapping.expressions import compile_template
from gateway.model.types import times

SCOPE = {"settings": {"time_zone": "Europe/Berlin", "currency": "EUR"}}
TEXT = st.text(st.characters(exclude_categories=["Cs"]))
FLOATS = st.floats(allow_nan=False, allow_infinity=False)
NUMBERS = st.integers() | FLOATS
SECONDS = st.integers(0, 4_000_000_000)
INSTANTS = SECONDS.map(lambda seconds: times.from_epoch(seconds, "Europe/Berlin"))
# Near the autumn change of 2026, where local times come twice.
CHANGE = st.integers(1792882800 - 7200, 1792882800 + 14400).map(lambda s: times.from_epoch(s, "Europe/Berlin"))
MINUTES = (INSTANTS | CHANGE).map(lambda instant: f"{instant[:17]}00{instant[19:]}")
DATES = st.dates().map(lambda day: day.isoformat())
CLOCKS = st.times().map(lambda clock: clock.strftime("%H:%M"))
SCALARS = st.none() | st.booleans() | NUMBERS | st.text()
ANY = st.recursive(SCALARS, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner))
PAIRS = st.lists(TEXT, min_size=2, max_size=2)
JOINED = PAIRS.map(lambda parts: "~".join(part.replace("%", "%25").replace("~", "%7E") for part in parts))
ARMOURED = JOINED.map(lambda text: base64.urlsafe_b64encode(text.encode()).decode().rstrip("="))
ZONES = st.sampled_from(sorted(times.zone_names()))
LISTS = st.lists(TEXT, max_size=4)

# Specification, what may be canonical, what a provider may write.
EXACT = {
    "number_text": ("number_text", NUMBERS.map(str), NUMBERS),
    "integer_text": ("integer_text", st.integers(), st.integers().map(str) | TEXT),
    "enum": (
        {"enum": [["1", True], [1, "1"], [True, None], ["", 0]]},
        st.sampled_from([True, "1", None, 0]),
        st.sampled_from(["1", 1, True, ""]),
    ),
    "join": ({"join": {"by": "~", "parts": ["a", "b"]}}, JOINED, PAIRS),
    "join armoured": (
        {"join": {"by": "~", "parts": ["a", "b"], "as": "base64url"}},
        ARMOURED | st.from_regex("[A-Za-z0-9_-]{0,12}", fullmatch=True),
        PAIRS,
    ),
    "split": ({"split": ","}, LISTS, TEXT),
    "each": ({"each": "integer_text"}, st.lists(st.integers()), st.lists(st.integers().map(str))),
    "datetime": ({"datetime": "%Y-%m-%d %H:%M"}, MINUTES, st.datetimes().map(lambda at: at.strftime("%Y-%m-%d %H:%M"))),
    "datetimes": (
        {"datetime": ["%d.%m.%Y", "%H:%M:%S"]},
        INSTANTS | CHANGE,
        st.datetimes().map(lambda at: [at.strftime("%d.%m.%Y"), at.strftime("%H:%M:%S")]),
    ),
    "datetime in parts": (
        {"datetime": {"parts": ["year", "month", "day", "hour", "minute"]}},
        MINUTES,
        st.datetimes().map(lambda at: [at.year, at.month, at.day, at.hour, at.minute]),
    ),
    "time in another zone": (
        {"datetime": ["%Y-%m-%d", "%H:%M:%S"], "clock_zone": "Pacific/Auckland", "zone": "America/New_York"},
        # The zone of the canonical instant is the one it is read in.
        SECONDS.map(lambda seconds: times.from_epoch(seconds, "America/New_York")),
        st.datetimes().map(lambda at: [at.strftime("%Y-%m-%d"), at.strftime("%H:%M:%S")]),
    ),
    "date in parts": (
        {"date": {"parts": {"year": "y", "month": "m", "day": "d"}}},
        DATES,
        st.dates().map(lambda day: {"y": day.year, "m": day.month, "d": day.day}),
    ),
    "prefix": ({"prefix": "https://api.example/"}, TEXT, TEXT.map("https://api.example/{}".format) | TEXT),
    "unix": ({"unix": "seconds"}, INSTANTS | CHANGE, SECONDS),
    "date": ({"date": "%d.%m.%Y"}, DATES, st.dates().map(lambda day: day.strftime("%d.%m.%Y"))),
    "clock": ({"clock": "%H:%M:%S"}, CLOCKS, CLOCKS.map("{}:00".format)),
    "clock_minutes": ({"clock_minutes": "%H:%M"}, st.integers(0, 5999), CLOCKS),
}
LOSSY = {
    "text": ("text", TEXT, TEXT | NUMBERS),
    "decimal_text": ("decimal_text", NUMBERS, NUMBERS | NUMBERS.map(str)),
    "zone_name": ("zone_name", ZONES, ZONES.map(lambda name: name.replace("/", " ", 1).replace("_", " "))),
    "phone": ("phone", TEXT, TEXT | st.from_regex(r"\+[1-9][0-9 ().-]{0,20}", fullmatch=True)),
    "datetime": (
        {"datetime": ["%Y-%m-%d", "%H:%M"], "end_of_day": ["23:59", "24:00", "00:00"]},
        MINUTES,
        st.tuples(DATES, CLOCKS | st.sampled_from(["23:59", "24:00", "00:00"])).map(list),
    ),
    "rfc3339": ("rfc3339", INSTANTS | CHANGE, SECONDS.map(lambda seconds: times.from_epoch(seconds, "Asia/Kolkata"))),
    "iso8601": (
        {"iso8601": "minutes"},
        MINUTES,
        MINUTES | st.datetimes().map(lambda at: at.strftime("%Y-%m-%dT%H:%M")),
    ),
    "iso8601 without a colon": (
        {"iso8601": "minutes", "offset": "{{ true }}", "colon": False},
        INSTANTS | CHANGE,
        (INSTANTS | CHANGE).map(lambda instant: instant[:-3] + instant[-2:]),
    ),
    "iso8601_duration": (
        {"iso8601_duration": "minutes", "days": True},
        st.integers(0, 10**9),
        st.from_regex(r"P([0-9]{1,2}W)?([0-9]{1,2}D)?(T([0-9]{1,3}H)?([0-9]{1,3}M)?)?", fullmatch=True),
    ),
    "iso8601 in full": ({"iso8601": "minutes", "offset": "{{ true }}"}, INSTANTS | CHANGE, INSTANTS | CHANGE),
    "unix": ({"unix": "milliseconds"}, INSTANTS, st.integers(0, 4_000_000_000_000)),
    "decimal_money": ("decimal_money", st.integers(), FLOATS | st.decimals(allow_nan=False, places=4).map(str)),
    "enum": ({"enum": {"a": "x", "b": "y"}, "else": "z"}, st.sampled_from("xyz"), st.sampled_from("abcd")),
    "join": ({"join": {"by": "~", "parts": ["a", {"b": "phone"}]}}, JOINED, PAIRS),
}


SAMPLES = [(name, sample) for name, kind in DECLARED.items() for sample in kind.samples]
CODECS = [
    compile_codec(spec, {}, compile_template)
    for spec in (
        *(spec for _, (spec, _, _) in SAMPLES),
        *(spec for spec, _, _ in (*EXACT.values(), *LOSSY.values())),
    )
]
OF_KINDS = {
    "text": TEXT | NUMBERS.map(str),
    "integer": st.integers(),
    "number": NUMBERS,
    "boolean": st.booleans(),
    "instant": MINUTES | CHANGE,
    "date": DATES,
    "clock": CLOCKS,
    "time_zone": ZONES,
    "any": SCALARS,
}


def canonical_of(codec):
    """Give canonical values for a codec, from nothing but what it says of itself."""
    if codec.outputs:
        return st.sampled_from(codec.outputs)
    if codec.gives == "list":
        return st.lists(TEXT if codec.item is None else canonical_of(codec.item), max_size=4)
    return OF_KINDS[codec.gives]


def provider_of(codec, sample):
    """Give what a provider may write: what the codec itself writes, the sample, the sample and something after it."""
    parts = [TEXT if one is None else canonical_of(one) for one in (codec.parts or {}).values()]
    mutated = st.text(max_size=3).map(lambda text: sample + text) if isinstance(sample, str) else st.nothing()
    if parts:
        return st.tuples(*parts).map(list)
    if codec.encode is None:
        return st.just(sample) | mutated
    return st.just(sample) | mutated | canonical_of(codec).map(lambda value: attempt(codec, value, sample))


def attempt(codec, value, otherwise):
    """Write a value, or give what is written anyway where it is refused."""
    try:
        return codec.encode(value, SCOPE)
    except CodecRefused:
        return otherwise


def turned(turn, value):
    """Give the other side of a value, passing over what is rightly refused."""
    try:
        return turn(value, SCOPE)
    except CodecRefused:
        assume(False)


def written(codec, value):
    """Write a value; a joined text is written as the list of its parts."""
    made = turned(codec.encode, value)
    return list(made.values()) if codec.parts else made


def same(expected, actual):
    """Tell whether two values are equal and of the same type, and say which when they are not."""
    assert expected == actual
    assert type(expected) is type(actual)


@pytest.mark.parametrize(("name", "sample"), SAMPLES, ids=lambda one: one if isinstance(one, str) else "")
def test_every_declared_codec_keeps_its_law(name, sample):
    """A codec keeps the law that it declares, on values made from its declaration: there is no codec without a law."""
    spec, provider, _ = sample
    codec, law = compile_codec(spec, {}, compile_template), DECLARED[name].law

    @given(provider_of(codec, provider))
    @settings(max_examples=40)
    def reads(value):
        try:
            read = codec.decode(value, SCOPE)
        except CodecRefused:
            return  # rightly: of the samples that are read, the test of the declarations knows
        if law != "one-way":
            back = written(codec, read)
            same(read, codec.decode(back, SCOPE))
            assert law == "lossy" or value == back

    reads()
    assert (codec.encode is None) == (law == "one-way")


@pytest.mark.parametrize("name", EXACT)
def test_exact_codecs_lose_nothing(name):
    """Of an iso codec, decode after encode and encode after decode are identities on all that is accepted."""
    spec, canonical, provider = EXACT[name]
    codec = compile_codec(spec, {}, compile_template)
    assert codec.law == "iso"

    @given(canonical)
    @settings(max_examples=60)
    def written_is_read(value):
        same(value, codec.decode(written(codec, value), SCOPE))

    @given(provider)
    @settings(max_examples=60)
    def read_is_written(value):
        same(value, written(codec, turned(codec.decode, value)))

    written_is_read()
    read_is_written()


@pytest.mark.parametrize("name", LOSSY)
def test_lossy_codecs_settle(name):
    """Of a lossy codec, what was read once is written so that it reads the same: the loss happens once."""
    spec, canonical, provider = LOSSY[name]
    codec = compile_codec(spec, {}, compile_template)
    assert codec.law == "lossy"

    @given(provider)
    @settings(max_examples=60)
    def read_once_is_read_again(value):
        read = turned(codec.decode, value)
        same(read, codec.decode(written(codec, read), SCOPE))

    @given(canonical)
    @settings(max_examples=60)
    def written_once_is_written_again(value):
        once = written(codec, value)
        same(once, written(codec, codec.decode(once, SCOPE)))

    read_once_is_read_again()
    written_once_is_written_again()


@given(ANY)
@settings(max_examples=100)
def test_any_value_is_read_or_refused(value):
    """Whatever a provider sends, a codec reads it or refuses it, never with another exception."""
    for codec in CODECS:
        for turn in filter(None, (codec.decode, codec.encode)):
            try:
                turn(value, SCOPE)
            except CodecRefused as refused:
                assert refused.expected  # noqa: PT017 - both outcomes are right


@given(st.text(alphabet="<>/!-aps criptyle=\"'&;\n", max_size=60))
@settings(max_examples=100)
def test_plain_text_is_tidy(html):
    """Whatever is nested in what, the lines hold no blanks too many, and none is empty."""
    plain = compile_codec("plain_text", {}, compile_template).decode(html, SCOPE)
    lines = plain.split("\n") if plain else []
    assert [" ".join(line.split()) for line in lines] == lines
    assert all(lines)
