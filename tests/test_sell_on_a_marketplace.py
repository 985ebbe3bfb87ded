"""The how-to of marketplace links as a reader follows it: both sides played, the gateway running, every line typed."""

import io
import os
import re
import shlex
import shutil
import subprocess
import time
from contextlib import redirect_stderr, redirect_stdout
from itertools import groupby
from pathlib import Path

import pytest

from gateway.cli import main
from tests.demonstration import ROOT, free_port

PAGE = ROOT / "docs" / "how-to" / "sell-on-a-marketplace.md"
FENCE = re.compile(r"^```(\w+)(?: (\S+))?\n(.*?)^```$", re.MULTILINE | re.DOTALL)
ASSIGNED = re.compile(r"(?:export )?[A-Z]+[A-Z_]*=")
UP = r"is played on|\"event\":\"started\""
TYPED = shutil.which("curl") and shutil.which("bash")
SOON = 30.0
"""Seconds within which what comes "soon" must have come."""


class Reader:
    """Types what the page says into a shell; `printed` is what the last block printed, and its words stay for SOON."""

    def __init__(self, folder, start):
        self.folder, self.start, self.kept, self.printed, self.again = folder, start, [], "", None

    def read(self, kind, word, text):
        """Do what a block says, and hold what it prints against the page."""
        if kind == "yaml":
            (self.folder / word).write_text(text, encoding="utf-8")
        elif word == "terminal":
            for line in text.splitlines():
                self.start(*shlex.split(line)[1:], folder=self._terminal(), **self._exported()).says(UP)
        elif kind == "sh":
            self.again = text if word == "soon" else None
            self.type(text, 1 if word == "fails" else 0, strict=word != "soon")
        else:
            self.compare(text.splitlines())

    def type(self, text, code, *, strict):
        """Run lines in a shell; assignments are remembered for those that follow."""
        self.kept += [line for line in text.splitlines() if ASSIGNED.match(line)]
        ended, self.printed = 0, ""
        for verb, lines in groupby(text.splitlines(), lambda line: line.startswith("gateway ")):
            for typed in lines if verb else ["\n".join(lines)]:
                ended, printed = self._verb(typed) if verb else self._shell(typed)
                self.printed += printed
        assert not strict or code == ended, self.printed

    def _shell(self, lines):
        both = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}  # in the order in which a reader sees them
        typed = ["bash", "-uc", "\n".join([*self.kept, lines])]
        done = subprocess.run(typed, cwd=self.folder, env={"PATH": os.environ["PATH"]}, text=True, check=False, **both)
        return done.returncode, done.stdout

    def _verb(self, line):
        """Run a verb in this process, where everything is loaded already."""
        told = io.StringIO()
        with pytest.MonkeyPatch.context() as patch, redirect_stdout(told), redirect_stderr(told):
            patch.chdir(self.folder)
            for name, value in self._exported().items():
                patch.setenv(name, value)
            code = main(shlex.split(line)[1:])
        return code, told.getvalue()

    def compare(self, lines):
        """Find the lines of the page in what was printed, one after the other."""
        deadline = time.monotonic() + (SOON if self.again else 0)
        while missing := self._missing(lines):
            assert time.monotonic() < deadline, f"missing {missing!r} in\n{self.printed}"
            self.type(self.again, 0, strict=False)

    def _missing(self, lines):
        """Give the first line that is not there behind the one before; `…` stands for anything."""
        place = 0
        for line in lines:
            pattern = re.compile(rf"^{'.*'.join(map(re.escape, line.split('…')))}$", re.MULTILINE)
            found = pattern.search(self.printed, place)
            if found is None:
                return line
            place = found.end()
        return None

    def _exported(self):
        words = [word for line in self.kept if line.startswith("export ") for word in shlex.split(line)[1:]]
        return dict(word.split("=", 1) for word in words)

    def _terminal(self):
        """Give a folder for the output of a process that sees the same files."""
        made = Path(self.folder, f"terminal-{len(list(self.folder.iterdir()))}")
        made.mkdir()
        for name in ("mappings", "config.yaml"):
            made.joinpath(name).symlink_to(self.folder / name)
        return made


@pytest.mark.timeout(240)
@pytest.mark.skipif(not TYPED, reason="the page is typed into bash, with curl")
def test_every_step(tmp_path, start, log_as_it_was):
    """Each block of the page does what the page says, in order: files, processes, commands, their output and end."""
    text = PAGE.read_text(encoding="utf-8")
    for port in ("8080", "9101", "9102"):
        text = re.sub(rf"\b{port}\b", str(free_port()), text)
    text = text.replace("sqlite:///gateway.db", f"sqlite:///{tmp_path / 'gateway.db'}")
    (tmp_path / "mappings").symlink_to(ROOT / "mappings")
    reader = Reader(tmp_path, start)
    for block in FENCE.findall(text):
        reader.read(*block)
