"""What is logged is one line of JSON, names its event, and never shows a secret."""

import base64
import copy
import html
import io
import json
import logging
import pickle
from urllib.parse import quote, quote_plus, urlencode

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from yarl import URL

from gateway.telemetry import logs
from gateway.telemetry.lines import JsonLines
from gateway.telemetry.logs import request_id, start_logging
from gateway.values.secrets import Redactor, Secret

CANARY = 'c4n/ary+ß"\\ 7?'


@pytest.fixture
def lines(log_as_it_was):
    """Log to a text, and give a function that reads its lines."""
    logging.getLogger().handlers[:] = []  # start_logging closes what it finds, and these are pytest's
    stream = io.StringIO()
    start_logging(stream, Redactor([Secret(CANARY)]))
    return lambda: [json.loads(line) for line in stream.getvalue().splitlines()]


@pytest.mark.parametrize("show", [str, repr, "{}".format, "{:>9}".format, "{!r}".format, lambda one: f"{[one]}"])
def test_secret_is_masked(show):
    """However a secret is printed, it is masked."""
    assert "***" in show(Secret(CANARY))
    assert CANARY not in show(Secret(CANARY))


@pytest.mark.parametrize("leak", [hash, copy.copy, copy.deepcopy, pickle.dumps, json.dumps, lambda one: one + ""])
def test_secret_stays_where_it_is(leak):
    """A secret is not hashed, copied, pickled, encoded or joined to text."""
    with pytest.raises(TypeError) as refusal:
        leak(Secret(CANARY))
    assert CANARY not in str(refusal.value)


def test_secret_equality():
    """Secrets are equal by value, and equal to nothing but secrets."""
    assert Secret("a") == Secret("a")
    assert Secret("a") != Secret("b")
    assert Secret("\ud800") == Secret("\ud800")
    assert Secret("a") != "a"
    assert CANARY == Secret(CANARY).reveal()


@pytest.mark.parametrize(
    "written",
    [
        CANARY,
        quote(CANARY),
        quote(CANARY, safe=""),
        quote(CANARY, safe="").replace("%2F", "%2f").replace("%2B", "%2b"),
        quote_plus(CANARY),
        urlencode({"api_key": CANARY}),
        json.dumps({"key": CANARY}),
        json.dumps({"key": CANARY}, ensure_ascii=False),
        json.dumps({"key": CANARY}).replace("/", r"\/"),
        json.dumps({"key": CANARY}).replace("u00df", "u00DF"),
        json.dumps({"message": json.dumps({"key": CANARY})}),
        html.escape(CANARY),
        html.escape(CANARY, quote=False),
        str(URL("https://example.com").with_query({"api_key": CANARY})),
        str(URL("https://example.com").with_path(f"/{CANARY}")),
        CANARY.encode().hex(),
        CANARY.encode().hex().upper(),
        f"user:{CANARY}".encode().hex(),
        quote(quote(CANARY, safe=""), safe=""),
        quote(quote(quote_plus(CANARY))),
        "".join(f"%{byte:02x}" for byte in CANARY.encode()),
        quote(json.dumps({"key": CANARY})),
        quote_plus(json.dumps({"key": CANARY}, ensure_ascii=False)),
        quote(html.escape(CANARY)),
        quote(base64.b64encode(f"a?>{CANARY}".encode()).decode(), safe=""),
        json.dumps({"key": base64.b64encode(f"a?>{CANARY}".encode()).decode()}).replace("/", r"\/"),
        base64.b64encode(CANARY.encode()).decode(),
        base64.urlsafe_b64encode(CANARY.encode()).decode(),
        base64.b64encode(f"user:{CANARY}".encode()).decode(),
        base64.b64encode(f"users:{CANARY}!".encode()).decode(),
        base64.b64encode(f"user-1:{CANARY}".encode()).decode(),
    ],
)
def test_redactor_knows_every_form(written):
    """A secret is masked as it stands, percent-encoded, escaped for JSON and HTML, and in base64 as well."""
    masked = Redactor([Secret(CANARY)]).text(f"before {written} after")
    assert "***" in masked
    assert masked.startswith("before ")
    assert masked.endswith(" after")
    assert not [form for form in ("c4n", "4nary", "YzRu", "NG4vYXJ5", "uL2FyeS") if form in masked]


def test_redactor_masks_the_longest_first():
    """A secret that begins with another one leaves no rest."""
    assert "*** ***" == Redactor([Secret("long-key"), Secret("long-key-and-more")]).text("long-key long-key-and-more")


def test_redactor_leaves_what_is_short():
    """A secret of fewer than eight characters stands in other people's words by chance, and is not masked there."""
    assert "CLASS1 at S1" == Redactor([Secret("S1"), Secret("at S1")]).text("CLASS1 at S1")


@given(st.text(st.characters(categories=["L", "N"]), min_size=8), st.binary(), st.binary(), st.booleans())
def test_base64_with_neighbours(secret, before, after, url_safe):
    """Base64 that holds a secret is masked whole: the characters beside it are made of its bits too."""
    encode = base64.urlsafe_b64encode if url_safe else base64.b64encode
    encoded = encode(before + secret.encode() + after).decode()
    assert "Basic ***, more" == Redactor([Secret(secret)]).text(f"Basic {encoded}, more")


@given(
    st.data(),
    st.text(st.characters(exclude_characters="[]%"), min_size=8),
    st.sampled_from(["", "u:", "?x=", "%2525"]),
    st.text("AZaz09/+=%<&"),
)
def test_percent_encoding_in_every_way(data, secret, before, after):
    """Any character may be percent-encoded or not, in digits of either case, once or more often."""
    assume(secret not in after)
    written = ""
    for char in secret:
        how = data.draw(st.sampled_from(["{}", "%{:02x}", "%{:02X}", "%25{:02x}", "%2525{:02X}"]))
        written += char if how == "{}" else "".join(map(how.format, char.encode("utf-8", "surrogatepass")))
    assert f"{before}[***]{after}" == Redactor([Secret(secret)]).text(f"{before}[{written}]{after}")


@pytest.mark.parametrize("encode", [str, quote, lambda text: quote(quote(text)), lambda text: quote(text).lower()])
def test_a_secret_that_looks_percent_encoded(encode):
    """A secret may hold what looks like an encoded character itself."""
    assert "k=***;" == Redactor([Secret("p%41ss/word%")]).text(f"k={encode('p%41ss/word%')};")


@given(st.text(), st.text(min_size=8))
def test_what_is_no_secret_stays(text, secret):
    """Text without a secret stays as it is, however it is encoded."""
    around = quote(text)
    assert f"{text} {around}" == Redactor([Secret(f"{secret}\x00")]).text(f"{text} {around}")


@pytest.mark.parametrize("secrets", [[], [Secret("")]])
def test_redactor_without_secrets(secrets):
    """Without secrets, or with an empty one, text stays as it is."""
    assert "text" == Redactor(secrets).text("text")


def test_redactor_does_not_show_them():
    """A redactor prints without the secrets it knows."""
    assert CANARY not in repr(Redactor([Secret(CANARY)]))


@given(st.text(st.characters(exclude_characters="*"), min_size=8), st.text(), st.text())
def test_no_secret_survives(secret, before, after):
    """Whatever is written around a secret, it is not in the text any more."""
    assert secret not in Redactor([Secret(secret)]).text(before + secret + after)


@pytest.mark.parametrize(
    ("offered", "given"),
    [
        ("abc-1._Z", "abc-1._Z"),
        ("a" * 64, "a" * 64),
        *((bad, "fresh") for bad in (None, "", "a" * 65, "a b", "a\n", "é", "<script>", "{}", "٣")),
    ],
)
def test_request_id(offered, given):
    """A caller's own request id is kept when it can do no harm, else a fresh one is taken."""
    assert given == request_id(offered, "fresh")


def test_call_done(lines):
    """The end of a call is one line with its event and fields; a failed one is a warning."""
    about = {"request": "r1", "caller": "web", "connection": "club-a", "operation": "bookings.get"}
    logs.call_done(**about, status=200, code=None, seconds=0.123456)
    logs.call_done(**about, status=404, code="BOOKING_NOT_FOUND", seconds=1)
    good, bad = lines()
    assert good.pop("time").endswith("Z")
    assert {**about, "event": "call.done", "level": "info", "status": 200, "code": None, "seconds": 0.1235} == good
    assert ("warning", "BOOKING_NOT_FOUND") == (bad["level"], bad["code"])


def test_the_other_events(lines):
    """Each event is logged under its own name."""
    about = {"request": "r1", "connection": "club-a", "method": "GET", "host": "example.org"}
    logs.started(url="http://127.0.0.1:1", connections={"b", "a"}, catalog="c0ffee")
    logs.provider_answered(**about, status=200, seconds=0.1)
    logs.provider_failed(**about, reason="the connection was refused")
    logs.stopped()
    assert ["started", "provider.answered", "provider.failed", "stopped"] == [line["event"] for line in lines()]
    assert ["a", "b"] == lines()[0]["connections"]


def test_a_defect_is_traced_without_secrets(lines):
    """An unexpected exception is logged with its trace, the secrets in its text and its causes masked."""

    def fail():
        try:
            {}[CANARY]
        except KeyError as cause:
            raise ValueError(f"GET /?key={quote(CANARY)}") from cause

    with pytest.raises(ValueError, match="GET") as defect:
        fail()
    logs.crashed(request="r1", error=defect.value)
    (line,) = lines()
    assert ("crashed", "error", "r1") == (line["event"], line["level"], line["request"])
    assert "ValueError: GET /?key=***" in line["trace"]
    assert "c4n" not in json.dumps(line)


def test_what_comes_again_is_masked_again(lines):
    """A secret is masked in every line, in a text that was logged before as in one too long to be remembered."""
    reasons = [CANARY, CANARY, f"{CANARY} " * 20, f"{CANARY} " * 20]
    for reason in reasons:
        logs.provider_failed(request="r1", connection="club", method="GET", host=reason, reason=reason)
    told = lines()
    assert [reason.replace(CANARY, "***") for reason in reasons] == [line["reason"] for line in told]
    assert [line["reason"] for line in told] == [line["host"] for line in told]


def test_foreign_records(lines):
    """A library's record is a line of the same form; below a warning it is not written."""
    logging.getLogger("library").info("chatter")
    logging.getLogger("library").warning("key %s of %s", CANARY, [CANARY])
    (line,) = lines()
    assert ("log", "library", "warning") == (line["event"], line["logger"], line["level"])
    assert "key *** of " in line["message"]
    assert "c4n" not in line["message"]


@given(st.text() | st.dictionaries(st.text(), st.lists(st.text() | st.integers() | st.builds(object)), max_size=3))
def test_a_line_is_a_line(value):
    """Whatever is logged, it is one line of printable ASCII that parses."""
    record = logging.makeLogRecord({"msg": "x", "levelname": "INFO", "fields": {"value": value}})
    line = JsonLines(Redactor([])).format(record)
    assert line.isascii()
    assert line.isprintable()
    assert "x" == json.loads(line)["event"]
