"""`gateway simulate` as a process: it says where it plays, answers, and ends in order."""

import json
import re
import signal
import urllib.error
import urllib.request

import pytest


@pytest.fixture
def simulated(house, start):
    """Play the desk as a process, and give it with its URL."""
    process = start("simulate", "desk", "--port", 0, folder=house)
    process.url = process.says(r"Desk is played on (http://127\.0\.0\.1:\d+) ")[1]
    return process


def test_simulate(simulated):
    """The process tells where it plays and with which settings, refuses strangers, and ends with 0 when told to."""
    settings = simulated.says(r"with the settings of its examples:\n((?:  .*\n)+)")[1]
    assert "  time_zone: Europe/Berlin\n" in settings
    assert "  key: desk-s3cret-key\n" in settings  # so that one can try by hand
    asked = urllib.request.Request(f"{simulated.url}/rooms", headers={"X-User": "ada", "X-Key": "desk-s3cret-key"})
    with urllib.request.urlopen(asked, timeout=10) as answer:
        assert ["Attic", "Cellar"] == [room["name"] for room in json.load(answer)["rooms"]]
    with pytest.raises(urllib.error.HTTPError, match="401"):
        urllib.request.urlopen(f"{simulated.url}/rooms", timeout=10)
    with urllib.request.urlopen(f"{simulated.url}/_simulator", timeout=10) as answer:
        assert {"provider": "desk", "calls": 2}.items() <= json.load(answer).items()
    assert 0 == simulated.stop()
    assert "" == simulated.err


def test_interrupted(simulated):
    """Ctrl-C ends it, too, without a trace."""
    assert (0, "") == (simulated.stop(signal.SIGINT), simulated.err)


def test_in_vain(gateway, house, edit):
    """An unknown provider, broken examples and a taken port are said in a line."""
    assert (2, "", "there is no provider `dask`; the mappings describe desk\n") == gateway(
        "simulate", "dask", "--port", 0
    )
    edit("mappings/examples/desk.yaml", "expects: {day: date}", "expects: {day: dat}")
    code, out, err = gateway("simulate", "desk", "--port", 0)
    assert (1, "") == (code, out)
    assert re.match(r"mappings/examples/desk\.yaml:\d+:\d+: error unknown-format: .* did you mean `date`\?\n$", err)
    (house / "mappings" / "examples" / "desk.yaml").unlink()
    code, out, err = gateway("simulate", "desk", "--port", 0)
    assert (1, "", "desk has no examples to be played from\n") == (code, out, err)


def test_a_taken_port(gateway, simulated):
    """A port that is taken is said in a line, and nothing pretends to be played."""
    port = simulated.url.rpartition(":")[2]
    code, out, err = gateway("simulate", "desk", "--port", port)
    assert (1, "") == (code, out)
    assert err.startswith(f"cannot listen on port {port}: ")
    assert 1 == len(err.splitlines())
