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
    asked = urllib.request.Request(f"{simulated.url}/nosuch", headers={"X-User": "ada", "X-Key": "desk-s3cret-key"})
    with pytest.raises(urllib.error.HTTPError, match="404"):
        urllib.request.urlopen(asked, timeout=10)
    assert 0 == simulated.stop()
    refused, unknown = simulated.err.splitlines()
    assert "GET /rooms → 401: it does not carry what `auth:` sends with the settings shown above" == refused
    assert "GET /nosuch → 404: the mapping has no such call" == unknown


def test_the_address_to_copy(house, start):
    """The setting that is an address is shown as it must be written to reach the simulator, path and all."""
    path = house / "mappings" / "examples" / "desk.yaml"
    text = path.read_text(encoding="utf-8")
    assert "https://desk.example" in text
    path.write_text(text.replace("https://desk.example", "https://desk.example/v2"), encoding="utf-8")
    process = start("simulate", "desk", "--port", 0, folder=house)
    url = process.says(r"base_url: (http://127\.0\.0\.1:\d+/v2)\n")[1]
    asked = urllib.request.Request(f"{url}/rooms/1", headers={"X-User": "ada", "X-Key": "desk-s3cret-key"})
    with urllib.request.urlopen(asked, timeout=10) as answer:
        assert "Attic" == json.load(answer)["room"]["name"]
    assert (0, "") == (process.stop(), process.err)


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
