"""What an installation rests on: the lock files, the Makefile's verbs and the container."""

import json
import re
import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
EXTRAS = PROJECT["optional-dependencies"]
LOCKS = {
    "requirements.lock": [*PROJECT["dependencies"], *EXTRAS["build"]],
    "requirements-dev.lock": [*PROJECT["dependencies"], *EXTRAS["build"], *EXTRAS["dev"]],
}


def entries(lock):
    """Give each requirement of a lock file with its continuation lines, comments left out."""
    lines = [
        line for line in (ROOT / lock).read_text(encoding="utf-8").splitlines() if not line.lstrip().startswith("#")
    ]
    return "\n".join(lines).replace("\\\n", "").splitlines()


def instruction(word):
    """Give what the last such instruction of the Dockerfile says; of a list in exec form, its elements."""
    text = (ROOT / "Dockerfile").read_text(encoding="utf-8").replace("\\\n", "")
    last = re.findall(rf"(?m)^{word} +(.*)$", text)[-1]
    return json.loads(last) if last.startswith("[") else last


@pytest.mark.parametrize("lock", LOCKS)
def test_locks_name_no_registry(lock):
    """A lock file says what is installed, never from where."""
    assert "://" not in (ROOT / lock).read_text(encoding="utf-8")


@pytest.mark.parametrize("lock", LOCKS)
def test_locks_are_exact(lock):
    """Each requirement has one version and at least one hash."""
    assert [] == [
        entry for entry in entries(lock) if not re.match(r"[a-z0-9-]+==\S+ .*--hash=sha256:[0-9a-f]{64}", entry)
    ]


@pytest.mark.parametrize("lock", LOCKS)
def test_locks_are_complete(lock):
    """Each dependency that pyproject.toml names is in the lock file, in a version that it permits."""
    locked = dict(entry.split()[0].split("==") for entry in entries(lock))
    for dependency in LOCKS[lock]:
        name, least = re.fullmatch(r"([\w-]+)(?:\[\w+\])?>=([\d.]+)(?: *;.*)?", dependency).groups()
        assert name.lower() in locked
        assert [int(part) for part in least.split(".")] <= [int(part) for part in locked[name.lower()].split(".")]


@pytest.mark.parametrize("verb", ["all", "install", "check", "test", "fix", "bench", "demo", "lock", "clean"])
@pytest.mark.skipif(shutil.which("make") is None, reason="make is not installed")
def test_make_knows(verb):
    """The verbs that documentation and checks rely on exist, and would run."""
    subprocess.run(["make", "--dry-run", "--directory", ROOT, verb], check=True, stdout=subprocess.DEVNULL)


def test_container_starts_the_gateway():
    """The container is the gateway, on every address of its own, and a configuration can be mounted where it looks."""
    assert ["gateway", "serve"] == instruction("ENTRYPOINT")
    assert ["--config", "/app/config.yaml", "--host", "0.0.0.0", "--port", "8080"] == instruction("CMD")


def test_container_is_not_root():
    """The container runs as a numbered user, which is what a cluster can check."""
    assert "10001:10001" == instruction("USER")


def test_container_asks_after_its_health():
    """The health check is Python that would run, and asks the port that the container listens on."""
    check = json.loads(instruction("HEALTHCHECK").partition("CMD ")[2])
    assert ["python", "-c"] == check[:2]
    compile(check[2], "HEALTHCHECK", "exec")
    assert f"http://127.0.0.1:{instruction('EXPOSE')}/health" in check[2]


def test_container_gets_only_what_it_copies():
    """The build sees the files that it copies and no others, so nothing secret lies in a layer."""
    copied = re.findall(r"(?m)^COPY (?!--from)(.*) \S+$", (ROOT / "Dockerfile").read_text(encoding="utf-8"))
    ignore = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    assert "*" == next(line for line in ignore if not line.startswith("#"))
    assert {line[1:] for line in ignore if line.startswith("!")} == {name for names in copied for name in names.split()}


def test_no_folder_of_a_machine():
    """No file says where the project lies on the machine that it was written on: elsewhere that is no place at all."""
    folders = ("gateway", "mappings", "tests", "benchmarks", "docs")
    written = [file for folder in folders for file in (ROOT / folder).rglob("*.*")]
    told = [file for file in [*written, *ROOT.glob("*.*")] if file.suffix in {".py", ".yaml", ".md", ".toml", ".lock"}]
    assert len(told) > 400
    assert [] == [file for file in told if str(ROOT) in file.read_text(encoding="utf-8")]
