"""The cases in `cases/*.yaml`, one parameter each, and what makes one call or one field table for a test.

A case is a small mapping, laid over `base.yaml`. Under `wrong:` every finding is written behind its line:
`#! 7 code text` (an error at column 7 whose message holds the text) or `#? 7 code text` (a warning); a line may have
several. The fragment under `right:` has none. A case with `mapping:` is besides that a golden example of this mapping;
one with `played:` has what playing its `examples:` finds in the fragment written behind the lines.
"""

import re
from pathlib import Path

import pytest

from gateway.documents.yaml import Document, read

MARK = re.compile(r"#(?P<level>[!?]) (?P<column>\d+) (?P<code>[a-z-]+) (?P<text>.+?)(?= #[!?] |$)")
LEVELS = {"!": "error", "?": "warning"}


class Case:
    """One case of a file."""

    def __init__(self, document, index):
        self.document = document
        self.index = index
        self.data = document.data[index]

    def fragment(self, key):
        """Give the fragment under a key as a document of its own, with its positions in the file."""
        places, keys = (
            {place[2:]: at for place, at in table.items() if place[:2] == (self.index, key)}
            for table in (self.document.values, self.document.keys)
        )
        return Document(self.document.path, self.data[key], places, keys)

    def marks(self):
        """Read the findings written behind the lines: line, column, level, code and a part of the message."""
        first, end = (self.document.values.get((at,), (10**6, 0))[0] for at in (self.index, self.index + 1))
        lines = Path(self.document.path).read_text(encoding="utf-8").splitlines()
        for number, line in enumerate(lines[first - 1 : end - 1], first):
            for mark in MARK.finditer(line):
                yield number, int(mark["column"]), LEVELS[mark["level"]], mark["code"], mark["text"]


def cases():
    """Give every case by its file and name; a file that is no YAML, or a name used twice, is a failure."""
    found = {}
    for file in sorted((Path(__file__).parent / "cases").glob("*.yaml")):
        document, findings = read(file)
        assert [] == [str(finding) for finding in findings]
        for index, data in enumerate(document.data):
            name = f"{file.stem}: {data['name']}"
            assert name not in found
            found[name] = Case(document, index)
    return found


CASES = cases()


def pytest_generate_tests(metafunc):
    """Run a test that asks for `wrong`, `right`, `mapping` or `played` once for each case that has such a fragment."""
    for key in ("wrong", "right", "mapping", "played"):
        if key in metafunc.fixturenames:
            fitting = {name: case for name, case in CASES.items() if key in case.data}
            metafunc.parametrize(key, fitting.values(), ids=list(fitting))
    if "every_case" in metafunc.fixturenames:
        metafunc.parametrize("every_case", [CASES], ids=["all"])


@pytest.fixture
def call(compiled):
    """Give a function that compiles one call, with arguments `x` and `y` of any kind, and whatever stands beside it."""

    def of(text, beside=""):
        # `all` uses every argument, so that a call need not.
        plan = compiled(
            f"{beside}\nnative:\n  a: {{args: {{x: {{type: string, default: x}}, y: {{type: object, required: true}}}},"
            f" vars: {{all: '{{{{ args }}}}'}}, call: {text}}}"
        )
        return plan.ways["native.a"][0].variants[0].steps[0].call, plan.rules

    return of


CUSTOMER = """
records:
  customer:
    of: Customer
    fields:
      name: name
      {lines}
"""


@pytest.fixture
def customer(compiled):
    """Give a function that compiles a record of Customer with these lines beside its name."""

    def of(*lines, more=""):
        body = CUSTOMER.replace("{lines}", "\n      ".join(lines)).replace("    fields:", f"{more}    fields:")
        return compiled(body).records["customer"]

    return of
