"""Tables and parts: what is written in them is what is read, and what is broken is not."""

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.dialects.multipart import read_multipart, write_multipart
from gateway.dialects.refusal import UNFIT, NotWritable
from gateway.dialects.tables import TableForm, read_table
from gateway.values.strictjson import Unreadable

CELLS = st.text(max_size=12).filter(lambda text: not UNFIT.search(text))
ROWS = st.lists(st.tuples(CELLS.filter(bool), CELLS), max_size=4)


@given(ROWS, st.sampled_from(",;\t|"))
def test_tables(rows, separator):
    """What any writer of CSV quotes is read as it was, by whatever separator, with or without a mark in front."""
    text = io.StringIO(newline="")
    csv.writer(text, delimiter=separator, quoting=csv.QUOTE_ALL).writerows([("id", "name"), *rows])
    expected = [{"id": first, "name": second} for first, second in rows]
    for mark in ("", "\ufeff"):
        assert expected == read_table(mark + text.getvalue(), TableForm(separator))


@pytest.mark.parametrize(
    "text", ["", "\r\n", "id,id\n1,2\n", "id,name\n1\n", "id,name\n1,2,3\n", 'id,name\n"1,2\n', '"a"b,c\n']
)
def test_broken_tables(text):
    """A table without names, with two alike, with a value too few or too many, or a quote left open is not read."""
    with pytest.raises(Unreadable):
        read_table(text, TableForm())


@given(st.dictionaries(st.from_regex(r"[a-z]{1,5}", fullmatch=True), CELLS | st.lists(CELLS, min_size=2, max_size=3)))
def test_parts(fields):
    """Fields of a form in parts are read as they were, those of one name as a list."""
    body, declared = write_multipart(fields)
    assert {name: value for name, value in fields.items() if value != []} == read_multipart(body, declared)


@pytest.mark.parametrize(
    "value", [True, None, {"filename": "a"}, {"content": "a", "name": "b"}, {"content": "a", "type": "b\r\nX: c"}]
)
def test_parts_that_are_none(value):
    """What is neither text, number nor file is never sent as a part, and no media type begins another line."""
    with pytest.raises(NotWritable):
        write_multipart({"a": value})
