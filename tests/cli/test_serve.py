"""`gateway serve` as a process: it says where it listens, answers, and ends in order."""

import json
import signal
import urllib.error
import urllib.request

import pytest

KEY = {"Authorization": "Bearer web-key-0123456789"}


def get(url, **headers):
    with urllib.request.urlopen(urllib.request.Request(url, headers=headers), timeout=10) as answer:
        return json.load(answer)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_serve(house, start, number):
    """It listens, logs JSON lines on standard output and nothing else anywhere, and ends with 0 when told to."""
    process = start("serve", folder=house)
    url = process.says(r'"event":"started","url":"([^"]+)"')[1]
    assert "ready" == get(f"{url}/ready")["status"]
    assert ["club"] == [one["id"] for one in get(f"{url}/v1/connections", **KEY)["data"]]
    with pytest.raises(urllib.error.HTTPError, match="401"):
        get(f"{url}/v1/connections")
    assert 0 == process.stop(number)
    assert "" == process.err
    events = [json.loads(line)["event"] for line in process.out.splitlines()]
    assert ("started", "stopped") == (events[0], events[-1])
    assert "store.in_memory" not in events
    assert (house / "gateway.db").exists()
    assert events.count("call.done") == 2


def test_a_store_in_memory(house, start):
    """Asked for, the store is in memory: the log says at the start that it is lost, and no file is made."""
    config = house / "config.yaml"
    config.write_text(f'{config.read_text(encoding="utf-8")}store: "sqlite://"\n', encoding="utf-8")
    process = start("serve", folder=house)
    url = process.says(r'"event":"started","url":"([^"]+)"')[1]
    assert "ready" == get(f"{url}/ready")["status"]
    assert 0 == process.stop()
    events = [json.loads(line)["event"] for line in process.out.splitlines()]
    assert ["started", "store.in_memory", "stopped"] == events
    assert [] == list(house.glob("gateway.db*"))


def test_a_stop_with_streams_open(house, start):
    """Streams that are open end when it is told to stop, each whole and with word of when to come again."""
    process = start("serve", folder=house)
    url = process.says(r'"event":"started","url":"([^"]+)"')[1]
    request = urllib.request.Request(f"{url}/v1/club/events/stream", headers=KEY)
    with urllib.request.urlopen(request, timeout=10) as one, urllib.request.urlopen(request, timeout=10) as other:
        assert 0 == process.stop()
        assert all(stream.read().endswith(b"retry: 3000\n\n") for stream in (one, other))


def test_port(house, start, free_port):
    """--host and --port go before the configuration."""
    port = free_port()
    process = start("serve", "--host", "127.0.0.1", "--port", port, folder=house)
    process.says(f'"url":"http://127.0.0.1:{port}"')
    second = start("serve", "--port", port, folder=_beside(house))
    assert 1 == second.ended()
    assert second.err.startswith(f"cannot listen on 127.0.0.1 port {port}: ")
    assert 1 == len(second.err.splitlines())
    assert 0 == process.stop()


def _beside(house):
    """Give a second folder with the same files, for the output of a second process."""
    other = house / "other"
    other.mkdir()
    for name in ("mappings", "config.yaml"):
        (other / name).symlink_to(house / name)
    return other


def test_workers(gateway, house):
    """More workers than one are refused with the reason."""
    code, out, err = gateway("serve", "--workers", 2)
    assert (2, "") == (code, out)
    assert err.startswith("gateway serve: --workers 2: one worker only: to use more")


def test_refused(house, start, edit):
    """With anything wrong it does not start: findings on standard error, exit code 1, no line of log."""
    edit("mappings/desk.yaml", "{rows: rooms, ", '{rows: "lenght(rooms)", ')
    process = start("serve", folder=house)
    assert 1 == process.ended()
    assert "" == process.out
    assert "error bad-path: `lenght` is no function of paths; did you mean `length`?" in process.err
