"""What holds for every verb: help with examples, exit codes, and the ways to start it."""

import subprocess
import sys

import pytest

from gateway import __version__

VERBS = ["serve", "check", "test", "explain", "call", "link", "simulate", "openapi", "demo"]


@pytest.mark.parametrize("verb", VERBS)
def test_help(gateway, verb):
    """The help of every verb says what it does and shows how it is used."""
    code, out, err = gateway(verb, "--help")
    assert (0, "") == (code, err)
    assert f"usage: gateway {verb}" in out
    assert "examples:\n  gateway" in out
    shown = out[out.index("examples:") :]
    assert all(line.split()[1] == verb for line in shown.splitlines() if line.startswith("  gateway "))


def test_help_of_all(gateway):
    """Without a verb the help lists every verb with a line of its own."""
    code, out, _ = gateway("--help")
    assert 0 == code
    assert [] == [verb for verb in VERBS if f"\n    {verb} " not in out]


@pytest.mark.parametrize(
    "words",
    [
        [],
        ["nosuch"],
        ["check", "--nosuch"],
        ["check", "--format", "xml"],
        ["call", "club"],
        ["call"],
        ["explain"],
        ["link"],
        ["link", "mend"],
        ["simulate"],
        ["simulate", "desk"],
        ["simulate", "desk", "--port", "x"],
        ["simulate", "desk", "--port", "65536"],
        ["simulate", "desk", "--port", "-1"],
        ["serve", "--port", "99999"],
        ["serve", "--workers", "many"],
        ["demo", "extra"],
        ["openapi", "one", "two"],
    ],
    ids=" ".join,
)
def test_wrong_usage(gateway, words):
    """Wrong usage ends with 2, the usage on standard error and nothing on standard output."""
    code, out, err = gateway(*words)
    assert (2, "") == (code, out)
    assert err.startswith("usage: gateway")


def test_version(gateway):
    """The version is the package's."""
    assert (0, f"{__version__}\n", "") == gateway("--version")


def test_module(house):
    """`python -m gateway` is the same command, and ends with the verb's exit code."""
    command = [sys.executable, "-m", "gateway"]
    done = subprocess.run([*command, "check"], cwd=house, capture_output=True, text=True, check=False)
    assert (0, "1 mappings checked: 0 errors, 0 warnings\n", "") == (done.returncode, done.stdout, done.stderr)
    done = subprocess.run([*command, "check", "nosuch"], cwd=house, capture_output=True, text=True, check=False)
    assert (1, "") == (done.returncode, done.stderr)


def test_broken_pipe(house):
    """A reader that goes away ends the verb without a trace."""
    command = f"{sys.executable} -m gateway explain keys | head -n 1 >/dev/null; exit ${{PIPESTATUS[0]}}"
    done = subprocess.run(["bash", "-c", command], cwd=house, capture_output=True, text=True, check=False)
    assert done.returncode in {0, 1}
    assert "Traceback" not in done.stderr
