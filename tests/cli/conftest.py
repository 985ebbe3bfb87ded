"""The command line, run in this process with its output captured, and a folder to run it in."""

import shutil
from pathlib import Path

import pytest

from gateway.cli import main

ROOT = Path(__file__).parents[2]
DESK = ROOT / "tests" / "simulator" / "desk"
CONFIG = """callers: {{web: {{key: "${{WEB_KEY}}", may: [read, write]}}}}
listen: {{port: {port}}}
mappings: [mappings]
egress: {{allow: [127.0.0.0/8]}}
connections:
  club:
    provider: desk
    settings: {{base_url: "http://127.0.0.1:{desk}", key: "${{DESK_KEY}}", time_zone: Europe/Berlin, currency: EUR}}
"""
KEYS = {"WEB_KEY": "web-key-0123456789", "DESK_KEY": "desk-s3cret-key"}
"""The variables of that configuration."""


@pytest.fixture
def house(tmp_path, monkeypatch):
    """Give a folder with the desk's mapping and a configuration, and stand in it; its variables are set."""
    shutil.copytree(DESK, tmp_path / "mappings")
    (tmp_path / "config.yaml").write_text(CONFIG.format(port=0, desk=1), encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    for name, value in KEYS.items():
        monkeypatch.setenv(name, value)
    return tmp_path


@pytest.fixture
def start(start):
    """Start verbs as processes, with the variables of the configuration."""
    return lambda *words, folder, **environ: start(*words, folder=folder, **KEYS | environ)


@pytest.fixture
def gateway(capsys, log_as_it_was):
    """Run a verb in this process: `code, out, err = gateway("check", "mappings")`."""

    def run(*words):
        try:
            code = main([str(word) for word in words])
        except SystemExit as ended:  # argparse, for wrong usage and for --help
            code = ended.code
        out, err = capsys.readouterr()
        return code, out, err

    return run


@pytest.fixture
def edit(house):
    """Change a file of the folder: `edit("mappings/desk.yaml", "rows: rooms", "rows: room")`, the text once there."""

    def of(name, old, new):
        text = (house / name).read_text(encoding="utf-8")
        assert 1 == text.count(old)
        (house / name).write_text(text.replace(old, new), encoding="utf-8")

    return of
