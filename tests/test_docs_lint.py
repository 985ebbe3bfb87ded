"""The linter of the documentation."""

import re
import subprocess
import sys
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path

import pytest

from tests import docs_lint

ROOT = Path(__file__).parents[1]


def written(folder, readme):
    """Write a folder with this README, and a page that it may lead to."""
    (folder / "docs").mkdir()
    (folder / "docs" / "more.md").write_text(
        "# A heading\n\n# A heading\n\n[up](../README.md#title)\n", encoding="utf-8"
    )
    (folder / "README.md").write_text(f"# Title\n{readme}", encoding="utf-8")


def lint(folder, readme):
    """Return the exit status and the messages for a folder with this README."""
    written(folder, readme)
    told = StringIO()
    with redirect_stdout(told):
        status = docs_lint.main([str(folder)])
    return status, told.getvalue().splitlines()


def test_command(tmp_path):
    """It runs as `make check` runs it: the messages are all it prints, and its exit status tells of them."""
    written(tmp_path, "```yaml\na: 1\na: 2\n```\n")
    command = [sys.executable, "-m", "tests.docs_lint", tmp_path]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert (1, "") == (done.returncode, done.stderr)
    assert ["README.md:4:1: error duplicate-key: `a` is already at line 3"] == done.stdout.splitlines()


def test_nothing_to_say(tmp_path):
    """Good YAML, links that lead somewhere, and what only looks like a link or a path give no message."""
    readme = """
[more](docs/more.md) [second](docs/more.md#a-heading-1) [here](#title) [away](https://a.example/home/) `[no](link)`
See /v1/club-a/bookings, https://a.example/work/list and /app/config.yaml.

1. In a list:
   ```yaml
   a: 1
   ```

```text
a: b: c
[no](link)
```
"""
    assert (0, []) == lint(tmp_path, readme)


@pytest.mark.parametrize(
    ("expected", "readme"),
    [
        ("README.md:4:1: error duplicate-key: `a` is already at line 3", "```yaml\na: 1\na: 2\n```\n"),
        ("README.md:5:4: error", "1. b\n   ```yaml\n   a: 1\n   a: 2\n   ```\n"),
        ("README.md:4:1: error", "```yaml fragment\na: 1\na: 2\n```\n"),
        ("README.md:3:1: error", "```yaml\nlanguage: 2\n```\n"),
        ("README.md:2: the link docs/none.md leads to no file", "[a](docs/none.md)\n"),
        ("README.md:2: the link /docs/more.md leads to no file", "[a](/docs/more.md)\n"),
        ("README.md:2: the link docs/more.md#none leads to no heading", "[a](docs/more.md#none)\n"),
        ("README.md:2: the link #none leads to no heading", "[a](#none)\n"),
        ("README.md:2: the link none.md leads to no file", "[a]: none.md\n"),
        ("README.md:3: a path of one machine", "```sh\ncd /home/me/gateway\n```\n"),
        ("README.md:2: a path of one machine", "Look into `C:\\gateway`.\n"),
    ],
)
def test_message(tmp_path, expected, readme):
    """Each fault is named with its file and line, and fails the check."""
    status, messages = lint(tmp_path, readme)
    assert 1 == status
    assert messages[0].startswith(expected)


def test_a_fragment_is_only_parsed(tmp_path):
    """A part of a mapping may be shown alone when its fence says so."""
    assert (0, []) == lint(tmp_path, "```yaml fragment\nlanguage: 2\n```\n")


def test_quoted_code_is_the_code():
    """What CONTRIBUTING.md quotes as style stands in the file that the sentence before it links, word for word."""
    page = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    quoted = re.findall(r"\]\((gateway/[\w/]+\.py)\)\)\.\n\n```python\n(.*?)```", page, re.DOTALL)
    assert len(quoted) == page.count("```python") == 3
    assert [] == [file for file, code in quoted if code not in (ROOT / file).read_text(encoding="utf-8")]
