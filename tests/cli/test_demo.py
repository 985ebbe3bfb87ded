"""`gateway demo` on a configuration of one's own: variables made up, and what stops it before anything runs."""

import re
import socket

import pytest


@pytest.mark.parametrize("own", [{}, {"WEB_KEY": "my-own-key-0123456789"}], ids=["made up", "own"])
def test_variables(house, edit, started, free_port, own):
    """A variable that is set is used as it is; one that is not gets a value for this machine, and SIGTERM ends all."""
    edit("config.yaml", "http://127.0.0.1:1", f"http://127.0.0.1:{free_port()}")
    with started("demo", "--config", "config.yaml", folder=house, **own) as process:
        key = process.says(r"Authorization: Bearer (\S+)'")[1]
        assert own.get("WEB_KEY", "demo-web-key-0001") == key
        process.says("the whole surface: ")
        assert (0, "") == (process.stop(), process.err)


def test_a_taken_port(gateway, edit):
    """When a port is taken nothing runs, and one line says what to do."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        edit("config.yaml", "http://127.0.0.1:1", f"http://127.0.0.1:{taken.getsockname()[1]}")
        code, out, err = gateway("demo", "--config", "config.yaml")
    assert (1, "") == (code, out)
    assert re.fullmatch(r"a port of the demo is taken \(.*\): stop what listens there, or change config\.yaml\n", err)


@pytest.mark.parametrize(
    "url", ["https://app.example", "http://10.0.0.1:8080", "https://127.0.0.1:9101", "http://127.0.0.1"]
)
def test_a_real_provider(gateway, edit, url):
    """A connection that leads elsewhere is refused: a demo asks nobody outside this machine."""
    edit("config.yaml", "http://127.0.0.1:1", url)
    expected = "club: `base_url` must be http://127.0.0.1:PORT in a demo; it leads to a real provider\n"
    assert (1, "", expected) == gateway("demo", "--config", "config.yaml")


def test_no_examples(gateway, house):
    """A provider without examples cannot be played, and that is said."""
    (house / "mappings" / "examples" / "desk.yaml").unlink()
    assert (1, "", "desk has no examples to be played from\n") == gateway("demo", "--config", "config.yaml")


def test_no_configuration(gateway, house):
    """Without a configuration the shipped one is looked for, and its absence is a finding."""
    code, out, err = gateway("demo")
    assert (1, "") == (code, out)
    assert err.startswith("config.example.yaml:1:1: error unreadable: ")
