"""Strict YAML: JSON's values only, every refusal placed, and never an exception."""

import json
import string
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.documents.yaml import FORMS, MAX_BYTES, Finding, parse, read, show, suggestion

BOMB = b"a: &a [x]\n" + b"".join(b"%c: &%c [*%c,*%c,*%c]\n" % (i + 1, i + 1, i, i, i) for i in range(97, 110))
TEXTS = """yes no on off True NULL ~ 010 0o7 0x1F 1_000 +1 1. .5 1e = 12:30 22:22:22 2024-01-02
2024-01-02T10:00:00Z"""
# JSON writes a character beyond U+FFFF as two escapes, which YAML does not join, and DEL as it is, which is refused.
CHARACTER = st.characters(max_codepoint=0xFFFF, exclude_categories=["Cs"], exclude_characters="\x7f")
TEXT = st.text(CHARACTER)
# YAML reads keys of at most 1024 characters on a line (YAML 1.2.2, 7.4.2); escaped, one character takes six.
KEY = st.text(CHARACTER, max_size=100)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEY, inner, max_size=4),
    max_leaves=20,
)


def codes(text):
    """Give line, column and code of each finding."""
    _, findings = parse(text, "x.yaml")
    return [(one.line, one.column, one.code) for one in findings]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("null", None),
        ("", None),
        ("true", True),
        ("false", False),
        ("0", 0),
        ("-7", -7),
        ("1.10", 1.1),
        ("1e3", 1000.0),
        *((same, same) for same in TEXTS.split()),
        ("'1'", "1"),
        ('"null"', "null"),
        ('"\\n\\u00e4"', "\nä"),
        ("|-\n  1", "1"),
        (">-\n  a\n  b", "a b"),
        ("'<<'", "<<"),
        ("[1, [two]]", [1, ["two"]]),
        ("{'1': {}}", {"1": {}}),
    ],
)
def test_scalars(text, value):
    """Only JSON's own words and numbers have a type; all else is text as it stands."""
    document, findings = parse(f"a: {text}\nb: x\n".encode(), "x.yaml")
    assert [] == findings
    assert value == document.data["a"]
    assert type(value) is type(document.data["a"])


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (b"", [(1, 1, "empty")]),
        (b"# nothing\n", [(1, 1, "empty")]),
        (b"---\n...\n", [(1, 1, "empty")]),
        (b"a: 1\nb: {a: 1, c: 2, a: 3}\na: 2\n", [(2, 17, "duplicate-key"), (3, 1, "duplicate-key")]),
        (b"a: 1\n'a': 2\n", [(2, 1, "duplicate-key")]),
        (b"a: &x [*x]\n", [(1, 4, "anchor"), (1, 8, "alias")]),
        (b"a: {b: 1}\nc:\n  <<: *a\n", [(3, 3, "merge-key"), (3, 7, "alias")]),
        (b"a: !!python/object:os.system x\nb: !!str 1\nc: ! d\n", [(1, 4, "tag"), (2, 4, "tag"), (3, 4, "tag")]),
        (b"1: a\ntrue: b\nnull: c\n'2': d\n", [(1, 1, "key-not-text"), (2, 1, "key-not-text"), (3, 1, "key-not-text")]),
        (b"? \n: a\n", [(1, 2, "key-not-text")]),
        (b"? [a]\n: b\n? {c: d}\n: e\n", [(1, 3, "key-not-text"), (3, 3, "key-not-text")]),
        (b"url: {{ args.id }}\n", [(1, 7, "key-not-text")]),
        (b"? *a\n: 1\n", [(1, 3, "alias"), (1, 3, "key-not-text")]),
        (b"a: .nan\nb: -.INF\nc: '.nan'\n", [(1, 4, "number"), (2, 4, "number")]),
        (b"a: 1e400\nb: -1e400\n", [(1, 4, "number"), (2, 4, "number")]),
        (b"a: " + b"9" * 4301, [(1, 4, "number")]),
        (b"a: 1\n---\nb: 2\n", [(2, 1, "several-documents")]),
        (b"%YAML 1.1\n---\na: 1\n", [(1, 1, "directive")]),
        (b"\xef\xbb\xbfa: 1\n", [(1, 1, "byte-order-mark")]),
        ("a: 1\n".encode("utf-16"), [(1, 1, "byte-order-mark")]),
        (b"a: 1\nb: \xe4\n", [(2, 4, "not-utf-8")]),
        (b"a: \xed\xa0\x80\n", [(1, 4, "not-utf-8")]),
        (b"a: 1\r\nb: \x00\x07\n", [(2, 4, "control-character"), (2, 5, "control-character")]),
        ("a: b\u2028c\n".encode(), [(1, 5, "control-character")]),
        (b"a: b\rc: d\n", [(1, 5, "control-character")]),
        (b"\x00" * 500, [(1, column, "control-character") for column in range(1, 11)]),
        (b'a: "\\ud800"\n', [(1, 7, "syntax")]),
        (b"a: b: c\n", [(1, 5, "syntax")]),
        (b"a:\n\t- b\n", [(2, 1, "syntax")]),
        (b"a: 1\na: 2\nb: [1\n", [(2, 1, "duplicate-key"), (4, 1, "syntax")]),
        (b"a: '" + b"x" * MAX_BYTES + b"'", [(1, 1, "too-large")]),
    ],
)
def test_refusals(text, expected):
    """Every surprise of YAML is refused at its line and column, several in one file together."""
    assert expected == codes(text)


@pytest.mark.parametrize("opening", [b"[", b"{a: ", b"- ", b"? ", b"[{a: "])
def test_depth(opening):
    """Two hundred thousand levels cost neither the process nor a RecursionError."""
    assert ["too-deep"] == [code for _, _, code in codes(opening * 200_000)]


def test_depth_limit():
    """Sixty-four levels are read and one more is not."""
    assert [] == codes(b"[" * 64 + b"]" * 64)
    assert [(1, 65, "too-deep")] == codes(b"[" * 65 + b"]" * 65)


def test_alias_bomb():
    """An alias bomb is refused anchor by anchor and never unfolds."""
    assert {"anchor", "alias"} == {code for _, _, code in codes(BOMB)}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (b"a:\n  b: [1,\n    2\nc: 3\n", "a comma or the closing `]` is missing (begun at line 2)"),
        (
            b"a:\n  b: 1\n c: 2\n",
            "this does not fit the mapping around it; check indentation and quotes (begun at line 1)",
        ),
        (b"- a\nb: c\n", "the line does not belong to the list above it; check the indentation (begun at line 1)"),
        (b"a: b: c\n", "a `:` cannot stand here; indent the line or quote the text"),
        (b"a: @b\n", "no value begins like this; tabs do not indent, @ ` % need quotes"),
        (b"a: [,]", "a value is missing here"),
        (b"a: - b\n", "a list begins on a line of its own"),
        (b"a: *\n", "no text begins with `*` or `&`; quote it"),
        (b"'a'\nb\n", "this does not belong to what stands before it; check the indentation"),
        (b"a: 'b\n\n", "the closing quote is missing (begun at line 1)"),
    ],
)
def test_syntax_in_plain_words(text, message):
    """A syntax error says what to look for, and where the thing began that went wrong."""
    _, findings = parse(text, "x.yaml")
    assert [("syntax", message)] == [(one.code, one.message) for one in findings]


def test_unquoted_number_as_key():
    """A key that would be a number is named with the remedy."""
    _, findings = parse(b"as:\n  1: confirmed\n", "x.yaml")
    assert ["x.yaml:2:3: error key-not-text: `1` as a key must be text: quote it"] == [str(one) for one in findings]


@given(st.binary(max_size=60) | st.text(string.printable, max_size=60).map(str.encode))
def test_any_bytes(text):
    """Whatever the bytes are, there is either a document or findings, and no exception."""
    document, findings = parse(text, "x.yaml")
    assert (document is None) == bool(findings)


@given(st.text("ab:-?[]{},&*!|>'\"%@#~<\n \t1.", max_size=40))
def test_any_indicators(text):
    """Text made of YAML's own signs is no exception either, and what is read is JSON."""
    document, _ = parse(text.encode(), "x.yaml")
    assert document is None or document.data == json.loads(json.dumps(document.data))


@given(JSON)
def test_json_is_yaml(value):
    """What JSON writes is read with the same values and types."""
    document, findings = parse(json.dumps({"a": value}).encode(), "x.yaml")
    assert [] == findings
    assert repr({"a": value}) == repr(document.data)


def test_places():
    """Values and keys know their lines; what does not stand there is placed at its nearest ancestor."""
    document, _ = parse(b"a:\n  b: [1, {c: 2}]\n", "x.yaml")
    assert (2, 3) == document.place(("a",))
    assert (1, 1) == document.place(("a",), key=True)
    assert (2, 14) == document.place(("a", "b", 1, "c"))
    assert (2, 10) == document.place(("a", "b", 1, "d", "e"), key=True)
    assert (2, 6) == document.place(("a", "b"), key=False)
    assert (1, 1) == document.place(("z",))
    assert "x.yaml:1" == document.origin(("a",))
    found = document.finding(("a", "b"), "unused-codec", "so", key=True)
    assert "x.yaml:2:3: warning unused-codec: so" == str(found)


def test_codes_are_known():
    """A code that the table does not have cannot be reported."""
    with pytest.raises(AssertionError, match="`odd` is not in the table"):
        Finding("x.yaml", 1, 1, "odd", "so")


def test_representation_hides_content():
    """A document prints without what people wrote into it."""
    assert "Document(path='x.yaml')" == repr(parse(b"password: hunter2", "x.yaml")[0])


def test_read(tmp_path):
    """A file is named as the caller wants; one that cannot be read is a finding and no exception."""
    file = tmp_path / "a.yaml"
    file.write_bytes(b"a: 1\n")
    assert {"a": 1} == read(file)[0].data
    assert "a.yaml" == read(file, "a.yaml")[0].path
    missing = Finding("b.yaml", 1, 1, "unreadable", "cannot be read: No such file or directory")
    assert (None, [missing]) == read(tmp_path / "b.yaml", "b.yaml")
    assert ["unreadable"] == [one.code for one in read(tmp_path)[1]]


def test_read_stops_at_the_cap():
    """A file without end is not read to its end."""
    assert ["too-large"] == [one.code for one in read(Path("/dev/zero"))[1]]


@pytest.mark.parametrize(
    ("name", "expected"),
    [("servces", "; did you mean `services`?"), ("x", ""), ("y" * 10**6, "")],
)
def test_suggestion(name, expected):
    """A near name is suggested, a far one is not, and a huge one costs nothing."""
    assert expected == suggestion(name, ["services", "slots"])


FOUND = [
    Finding("b.yaml", 1, 1, "unused-codec", "later"),
    Finding("a,b.yaml", 2, 3, "bad-path", "50%:\x1b[1m\n, no"),
]


@pytest.mark.parametrize(
    ("form", "expected"),
    [
        ("text", "a,b.yaml:2:3: error bad-path: 50%:\\x1b[1m\\n, no\nb.yaml:1:1: warning unused-codec: later"),
        (
            "github",
            (
                "::error file=a%2Cb.yaml,line=2,col=3,title=bad-path::50%25%3A\\x1b[1m\\n%2C no\n"
                "::warning file=b.yaml,line=1,col=1,title=unused-codec::later"
            ),
        ),
    ],
)
def test_show(form, expected):
    """Findings are shown in order of place, one line each, and cannot drive a terminal or a workflow."""
    assert expected == show(FOUND, form)


def test_show_json():
    """Programs get every field of every finding."""
    first, second = json.loads(show(FOUND, "json"))
    assert {
        "file": "b.yaml",
        "line": 1,
        "column": 1,
        "level": "warning",
        "code": "unused-codec",
        "message": "later",
    } == second
    assert "50%:\x1b[1m\n, no" == first["message"]


@pytest.mark.parametrize(("form", "nothing"), [("text", ""), ("json", "[]"), ("github", "")])
def test_show_nothing(form, nothing):
    """No findings are an empty list in every form."""
    assert nothing == show([], form)
    assert {"text", "json", "github"} == FORMS.keys()


def test_show_causes_first():
    """What may only follow from an error of its file is counted in a line behind; without an error it is told."""
    cause, other = Finding("a.yaml", 9, 1, "bad-path", "x"), Finding("b.yaml", 1, 1, "unused-name", "z")
    follows = [Finding("a.yaml", line, 1, "unused-argument", "y") for line in (2, 3)]
    shown = show([*follows, cause, other], "text").splitlines()
    assert [str(cause), str(other)] == shown[:2]
    assert "a.yaml: 2 more that may follow from these errors (2 unused-argument): mend them, check again" == shown[2]
    assert 4 == len(json.loads(show([*follows, cause, other], "json")))
