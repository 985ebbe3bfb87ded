"""Whatever stands in a mapping file, there is a plan or there are findings, each at a place of the file."""

import json
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.documents.finding_kinds import KINDS
from gateway.documents.yaml import parse, read
from gateway.mapping.compile import compile_provider
from gateway.model.model import load

MAPPINGS = {file.stem: read(file)[0].data for file in sorted(Path(__file__).parents[3].glob("mappings/*.yaml"))}
CASES = [
    case[key]
    for file in sorted(Path(__file__).parents[1].glob("cases/*.yaml"))
    for case in read(file)[0].data
    for key in ("wrong", "right", "mapping")
    if key in case
]
TEXTS = [
    "",
    "a",
    "@",
    "a.b",
    "items(@)",
    "[?",
    "{{ args.x }}",
    "{{ settings.key }}",
    "{{ now }}",
    "{{",
    "10s",
    "$if",
    "*",
]
LEAVES = (
    st.none()
    | st.booleans()
    | st.integers(-1, 500)
    | st.sampled_from([1.5, [], {}, [[]], *TEXTS])
    | st.text(max_size=5)
)
JSON = st.recursive(
    LEAVES,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(TEXTS) | st.text(max_size=3), inner, max_size=3)
    ),
)
QUIET = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.function_scoped_fixture]


def compiled(data):
    """Compile what is written as JSON, which is YAML: it has a plan exactly when no finding is an error."""
    document, findings = parse(json.dumps(data).encode(), "x.yaml")
    if document is not None:
        plan, findings = compile_provider(document, load())
        assert (plan is None) == any(one.level == "error" for one in findings)
    for one in findings:
        assert one.code in KINDS
        assert ("x.yaml", True, True) == (one.file, one.line >= 1, one.column >= 1)
        assert one.message


def part_of(draw, mapping):
    """Give a mapping with a few of its operations: the whole of one takes long to compile."""
    operations = draw(st.lists(st.sampled_from(list(mapping["operations"])), min_size=1, max_size=3))
    native = draw(st.lists(st.sampled_from(list(mapping["native"])), max_size=2)) if "native" in mapping else []
    return mapping | {
        "operations": {name: mapping["operations"][name] for name in operations},
        "native": {name: mapping["native"][name] for name in native},
        "unsupported": {"*": "left out"},
    }


@pytest.mark.parametrize("name", MAPPINGS)
@settings(max_examples=8, suppress_health_check=QUIET)
@given(data=st.data())
def test_changed_mappings(name, data, changed):
    """A shipped mapping that is changed anywhere compiles, or is told what is wrong."""
    compiled(changed(data.draw, part_of(data.draw, MAPPINGS[name]), LEAVES | JSON))


@settings(max_examples=100, suppress_health_check=QUIET)
@given(data=st.data())
def test_changed_cases(data, changed, merged):
    """So does a small mapping that is changed anywhere, be it right or wrong to begin with."""
    fragment = merged(data.draw(st.sampled_from(CASES)), "x.yaml", {(): (1, 1)}, {}).data
    for _ in range(data.draw(st.integers(1, 3))):
        fragment = changed(data.draw, fragment, LEAVES | JSON)
    compiled(fragment)


@settings(max_examples=30, suppress_health_check=QUIET)
@given(JSON)
def test_anything(data):
    """Anything else that is YAML is told what is wrong."""
    compiled(data)
