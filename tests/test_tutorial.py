"""The tutorial as a reader follows it: its files are written, its commands run, its output is what it says."""

import re
from pathlib import Path

from gateway.cli import main

PAGE = Path(__file__).parents[1] / "docs" / "tutorial.md"
FENCE = re.compile(r"^```(\S+)(?: (\S+))?\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def test_every_step(tmp_path, monkeypatch, capsys, log_as_it_was):
    """Each fence of the tutorial does what the page says, in order: files, commands with their exit code, output."""
    monkeypatch.chdir(tmp_path)
    printed = ""
    for kind, word, text in FENCE.findall(PAGE.read_text(encoding="utf-8")):
        if kind == "yaml":
            file = tmp_path / word
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text, encoding="utf-8")
        elif kind == "sh":
            codes = [main(line.split()[1:]) for line in text.splitlines()]
            assert [1 if word == "fails" else 0] * len(codes) == codes
            printed = "".join(capsys.readouterr())
        else:
            missing = [line for line in text.splitlines() if line not in printed]
            assert [] == missing, printed
