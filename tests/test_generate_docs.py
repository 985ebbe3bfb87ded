"""The pages that are made from the code, and the examples on them."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from gateway.documents.finding_kinds import KINDS
from gateway.documents.reader import read_inside
from gateway.documents.schema_check import Shape, check
from gateway.documents.yaml import parse
from gateway.mapping.compiler.context import Context
from gateway.mapping.compiler.operations.alternatives import fit
from gateway.mapping.expressions import compile_path, compile_template, is_template
from gateway.mapping.language import PARTS
from gateway.model.model import load
from gateway.surface.operations.capabilities import capabilities
from tests.conformance_page import filled, mark, shipped, shown, support
from tests.generate_docs import PAGES, pages
from tests.markdown import flow
from tests.shipped import FILES

ROOT = Path(__file__).parents[1]
KEYS = {f"{part}.{key}": (part, key) for part, one in PARTS.items() for key in one.keys}


def providers():
    """Give every provider with its examples, by name."""
    return {plan.name: (plan, examples) for plan, examples in shipped()}


def example(name):
    """Give the rules of a key and its example."""
    part, key = KEYS[name]
    rules = PARTS[part].keys[key]
    return key, rules, rules["meta"]["example"]


def texts(value):
    """Give every text in a value."""
    if isinstance(value, dict | list):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from texts(inner)
    elif isinstance(value, str):
        yield value


@pytest.mark.parametrize("name", PAGES)
def test_pages(name):
    """Every page is as the code makes it."""
    assert pages()[name] == (ROOT / "docs" / name).read_text(encoding="utf-8"), "run: make docs"


def test_command():
    """`make check` runs the same check, which writes nothing and says nothing when all is well."""
    command = [sys.executable, "-m", "tests.generate_docs", "--check"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert (0, "", "") == (done.returncode, done.stdout, done.stderr)


def test_codes():
    """Every finding code stands in the code and in a test: the page has none that is never reported or never seen."""
    source = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "gateway").rglob("*.py"))
    built = {f"unused-{kind}" for kind in re.findall(r'_report_unused\(context, "([\w-]+)"', source)}
    assert [] == [kind for kind in KINDS if f'"{kind}"' not in source and kind not in built]
    shown = "".join(
        path.read_text(encoding="utf-8") for path in (ROOT / "tests").rglob("*.*") if path.suffix in {".py", ".yaml"}
    )
    assert set() == KINDS.keys() - set(re.findall(r"[\w-]+", shown))
    assert [] == [kind for kind in KINDS.values() if not kind.meaning.endswith(".") or not kind.fix.endswith(".")]


@pytest.mark.parametrize("name", KEYS)
def test_example(name):
    """The example of a key can be written in a file, fits the key, and parses in the language the key takes."""
    key, rules, value = example(name)
    assert value is not None
    document, findings = parse(f"{key}: {flow(value)}\n".encode(), "x.yaml")
    assert [] == findings
    assert {key: value} == document.data
    check(Shape({key: rules}), document.data, document, (), findings)
    assert [] == findings
    takes = rules["meta"]["takes"]
    if takes == "path" or (takes == "condition" and not is_template(value)):
        for text in texts(value):
            compile_path(text)
    for text in texts(value) if takes in {"template", "tree", "condition"} else ():
        compile_template(text)


@pytest.mark.parametrize("name", [name for name, (part, key) in KEYS.items() if key in PARTS[part].children])
def test_parts_of_an_example(name):
    """What an example holds fits the parts that its key holds."""
    part, key = KEYS[name]
    document, _ = parse(f"a: {flow(example(name)[2])}\n".encode(), "x.yaml")
    context = Context(document, load())
    read_inside(PARTS[part].children[key], document.data["a"], ("a",), context)
    assert [] == context.findings


@pytest.mark.parametrize("operation", load().operations)
@pytest.mark.parametrize("name", FILES)
def test_support(name, operation):
    """The page says of each operation what a connection with no setting, and one with all of them, is told."""
    plan, _ = providers()[name]
    bare, full = (dict.fromkeys(plan.settings, value) for value in (None, "given"))
    told = [capabilities(fit(plan, given), load())[operation]["support"] for given in (full, bare)]
    best, worst = (one.replace("unsupported", "501") for one in told)
    words = support(plan, operation).split(", else ")
    assert (best, worst) == (words[0].split()[0], words[-1])


@pytest.mark.parametrize("name", FILES)
def test_required_fields(name):
    """Every field that the contract requires is told by every record that reads its resource."""
    records = [record for record in providers()[name][0].records.values() if filled(record)]
    required = {one.name: {key for key, field in one.resource.fields.items() if field.required} for one in records}
    assert records
    assert [] == [one.name for one in records if not required[one.name] <= filled(one).keys()]


@pytest.mark.parametrize("name", FILES)
def test_unread_resources(name):
    """No golden example shows a resource of which the page says that the provider has none."""
    plan, examples = providers()[name]
    read = {record.resource.name for record in plan.records.values() if filled(record)}
    unread = [resource for resource in load().resources.values() if resource.name not in read]
    assert [] == [resource.name for resource in unread if shown(examples, resource)]


def test_marks():
    """A field is told always, in some answers, as always empty, by an operation, or not; or there is no such thing."""
    records = {one.name: one for plan, _ in providers().values() for one in plan.records.values()}
    rental, add_on = records["rental"], records["add_on"]
    found = [mark(*one) for one in (("id", [rental, add_on], set()), ("location_ids", [rental, add_on], set()))]
    found += [mark(*one) for one in (("duration", [rental, add_on], set()), ("color", [rental], {"color"}))]
    found += [mark("color", [rental], set()), mark("color", [], set())]
    assert ["✓", "part", "∅", "set", "—", ""] == found
