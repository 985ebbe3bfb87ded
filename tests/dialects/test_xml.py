"""XML as plain data: one convention both ways, and nothing that a document could do to its reader."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.dialects.refusal import UNFIT, NotWritable
from gateway.dialects.xml import MOST_ELEMENTS, XmlForm, read_xml, write_xml
from gateway.values.strictjson import Unreadable

DAV = XmlForm({"": "DAV:", "c": "urn:cal"}, frozenset({"all/one", "many"}), {"c:data": "json"})
NAMES = st.from_regex(r"[A-Za-z_][A-Za-z0-9_.-]{0,8}", fullmatch=True)
TEXTS = st.text(max_size=20).filter(lambda text: not UNFIT.search(text) and (text.strip() or not text))
LISTED = XmlForm({}, frozenset({"many"}))


def elements(inside):
    """Give objects of attributes and elements, some of them lists, of which not all are empty."""
    members = st.dictionaries(NAMES.filter(lambda name: name != "many"), inside, min_size=1, max_size=3)
    attributes = st.dictionaries(NAMES.map(lambda name: f"@{name}"), TEXTS, max_size=2)
    many = st.one_of(st.just({}), st.lists(inside, min_size=1, max_size=3).map(lambda listed: {"many": listed}))
    return st.tuples(attributes, members, many).map(lambda three: three[0] | three[1] | three[2])


TREES = st.recursive(TEXTS, elements, max_leaves=12)


@given(NAMES.filter(lambda name: name != "many"), TREES)
def test_what_is_written_reads_as_it_was(name, tree):
    """What a tree writes is read as that tree, whatever characters its texts have."""
    assert {name: tree} == read_xml(write_xml({name: tree}, LISTED), None, LISTED)


@pytest.mark.parametrize(
    ("body", "means"),
    [
        (b"<a/>", {"{}a": ""}),
        (b"<x:a xmlns:x='DAV:'> b </x:a>", {"a": " b "}),
        (b"<a xmlns='DAV:'><many/><many>1</many></a>", {"a": {"many": ["", "1"]}}),
        (b"<all xmlns='DAV:'/>", {"all": {"one": []}}),
        (b"<all xmlns='DAV:' b='1' xml:lang='en'>t<one/></all>", {"all": {"one": [""], "@b": "1", "#text": "t"}}),
        (b"<q:data xmlns:q='urn:cal'>[1]</q:data>", {"c:data": [1]}),
        (b"<a xmlns='urn:other'/>", {"{urn:other}a": ""}),
        ("<a xmlns='DAV:'>é</a>".encode("utf-16"), {"a": "é"}),
        ("<?xml version='1.0' encoding='iso-8859-1'?><a xmlns='DAV:'>é</a>".encode("latin-1"), {"a": "é"}),
    ],
)
def test_read(body, means):
    """Prefixes of the provider do not matter, namespaces do; a name among the lists is one."""
    assert means == read_xml(body, None, DAV, {"json": lambda _text: [1]})


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"a",
        b"<a><b></a>",
        b"<a/><b/>",
        b"<a><b/><b/></a>",
        b"<a>&nbsp;</a>",
        b"<!DOCTYPE a><a/>",
        b'<!DOCTYPE a [<!ENTITY b "ha"><!ENTITY c "&b;&b;">]><a>&c;</a>',
        b'<!DOCTYPE a SYSTEM "http://127.0.0.1/a.dtd"><a/>',
        b'<!DOCTYPE a [<!ENTITY % b SYSTEM "file:///etc/passwd"> %b;]><a/>',
        b"<a>" * 65 + b"</a>" * 65,
        b"<a>" + b"<many/>" * (MOST_ELEMENTS + 1) + b"</a>",
        b"<?xml version='1.0' encoding='martian'?><a/>",
        b"<a>\xff</a>",
    ],
)
def test_refused(body):
    """No document type, no entity of its own, no depth or number beyond bounds, and nothing that is no XML is read."""
    with pytest.raises(Unreadable):
        read_xml(body, None, LISTED)


@pytest.mark.parametrize(
    "tree",
    [
        {},
        {"a": "", "b": ""},
        {"a": ["", ""]},
        {"@a": "1"},
        {"d:a": ""},
        {"a": {"@d:b": "1"}},
        {"a": {"@xmlns": "urn:b"}},
        {"a b": ""},
        {"a><b": ""},
        {"a": True},
        {"a": None},
        {"a": "\x00"},
        {"a": "\ud800"},
    ],
)
def test_not_writable(tree):
    """A name that is none, a prefix that nothing declares and a value that has no spelling are never written."""
    with pytest.raises(NotWritable):
        write_xml(tree, DAV)
