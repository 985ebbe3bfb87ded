"""`gateway replay`: what it makes, what it prints, and that a gateway on the same store sends it."""

import asyncio
import re
from dataclasses import replace
from functools import partial

import pytest

from gateway.application import new_id, wall_clock
from gateway.store.database import Database
from gateway.store.deliveries import replays, subscriptions
from gateway.store.deliveries.subscriptions import Subscription
from gateway.store.events.events import Receipt, append, receive
from gateway.transport.client import Client
from gateway.values.secrets import Secret
from tests.applications import built, configured
from tests.subscribers import Endpoint, endpoint, happened

__all__ = ["endpoint"]
SECRET = Secret("whsec_" + "QUFB" * 8)


@pytest.fixture
def url(house):
    """Give the store of the configuration."""
    path = house / "config.yaml"
    path.write_text(path.read_text(encoding="utf-8") + "store: sqlite:///events.db\n", encoding="utf-8")
    return f"sqlite:///{house / 'events.db'}"


@pytest.fixture
async def database(url, endpoint: Endpoint):
    """Give that store with two events, a year apart, that were delivered to an endpoint long ago."""

    def work(connection):
        made = Subscription("wh_1", "config", endpoint.url, ("*",), None, "native", SECRET, 1)
        subscriptions.add(connection, made, 9)
        append(connection, [happened(1, "club"), happened(2, "club", 1_831_536_000_000)], lambda _prefix: new_id("dlv"))
        connection.execute(subscriptions.deliveries.update().values(state="delivered", created_at=1))

    async with Database(url, wall_clock) as opened:
        await opened.write(work)
        yield opened


@pytest.fixture
async def sender(database):
    """Let a gateway's dispatcher work on the store."""
    found = configured({"club": "example"})
    settings = replace(found, deliveries=replace(found.deliveries, schedule=(0.0,)))
    async with Client(["127.0.0.0/8"]) as client:
        made = built(database, wall_clock, settings=settings, send=client.send).dispatcher
        running = asyncio.create_task(made.run())
        yield made
        await made.stop()
        await running


async def replay(gateway, *words):
    """Run the verb beside the test, which goes on."""
    return await asyncio.to_thread(gateway, "replay", *words)


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["--event", "evt_x2"], ["evt_x2"]),
        (["--from", "2027-01-01"], ["evt_x1", "evt_x2"]),
        (["--from", "2027-01-01", "--to", "2027-06-01T00:00:00Z"], ["evt_x1"]),
        (["--from", "2027-01-01", "--subscription", "wh_1", "--connection", "club"], ["evt_x1", "evt_x2"]),
        (["--dead"], []),
    ],
    ids=["event", "from", "from-to", "narrowed", "dead"],
)
async def test_sent(gateway, sender, endpoint, words, expected):
    """What is asked for is sent again with its id, and the verb ends when all of it is delivered."""
    code, out, err = await replay(gateway, *words)
    assert (0, "") == (code, err)
    assert sorted(expected) == sorted(headers["webhook-id"] for headers, _ in endpoint.got)
    assert out.endswith(f"done, {len(expected)} of {len(expected)} delivered\n")


async def test_what_was_given_up(gateway, sender, endpoint):
    """What its endpoint does not take again makes the verb fail; later it can be sent with `--dead`."""
    endpoint.status = 500
    code, out, _ = await replay(gateway, "--event", "evt_x1")
    assert (1, True) == (code, out.endswith("done, 0 of 1 delivered\n"))
    endpoint.status = 204
    code, out, _ = await replay(gateway, "--dead")
    assert (0, True) == (code, out.endswith("done, 1 of 1 delivered\n"))
    assert "done, 0 of 0 delivered" in (await replay(gateway, "--dead"))[1]


async def test_nobody_sends(gateway, database, monkeypatch):
    """Without a gateway the verb says so after a while and fails; with `--no-wait` it begins the replay and leaves."""
    monkeypatch.setattr("gateway.cli.replay.STILL_SECONDS", 0.1)
    code, out, err = await replay(gateway, "--event", "evt_x1")
    assert (1, True) == (code, "1 pending" in out)
    assert "is a gateway running" in err
    code, out, err = await replay(gateway, "--event", "evt_x1", "--no-wait")
    assert (0, "") == (code, err)
    key = re.fullmatch(r"(job_\w+): 1 delivery to make\n", out)[1]
    assert replays.RUNNING == (await database.read(partial(replays.job, key=key))).state


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (["--event", "evt_none"], 2, "Event not found"),
        (["--event", "evt_x1", "--subscription", "wh_none"], 2, "Subscription not found"),
        (["--event", "evt_x1", "--subscription", "wh_off"], 1, "disabled"),
        (["--event", "evt_x1", "--connection", "clubb"], 2, "club"),
        (["--event", "evt_x1", "--to", "2027-01-01"], 2, "--from"),
        (["--event", "evt_x1", "--dead"], 2, "not allowed with"),
        (["--from", "2027-01-02", "--to", "2027-01-01"], 2, "--to must be later than --from"),
        (["--from", "yesterday"], 2, "2026-03-19T08:00:00Z"),
        (["--dead-letters", "--subscription", "wh_1"], 2, "--subscription"),
        ([], 2, "required"),
    ],
)
async def test_refused(gateway, database, words, code, told):
    """What cannot be replayed is refused in a sentence."""

    def work(connection):
        off = Subscription("wh_off", "config", "https://x.example", ("*",), None, "native", SECRET, 1)
        subscriptions.add(connection, off, 9)
        subscriptions.disable(connection, "wh_off", "it answered 410")

    await database.write(work)
    found, _, err = await replay(gateway, *words)
    assert code == found
    assert told in err


async def test_the_store_cannot_be_opened(gateway, house):
    """A store that is not there is told in a sentence."""
    path = house / "config.yaml"
    path.write_text(
        path.read_text(encoding="utf-8") + "store: postgresql://u:hunter2@127.0.0.1:1/x\n", encoding="utf-8"
    )
    code, out, err = await replay(gateway, "--dead")
    assert (1, "", 1) == (code, out, len(err.splitlines()))
    assert err.startswith("`store` cannot be opened")
    assert "hunter2" not in err


async def test_dead_letters(gateway, database):
    """Every dead letter is read again and its end is told; those that cannot be read stay and make the verb fail."""

    def work(connection):
        for number in range(3):
            name = "club" if number else "gone"
            about = {"hook": "events", "digest": "d", "received_at": number, "request": b"{}\n", "state": "dead"}
            receive(connection, Receipt(f"rcp_{number}", name, dedupe=f"{number}", **about))

    assert (0, "0 of 0 dead letters stored\n", "") == await replay(gateway, "--dead-letters")
    await database.write(work)
    code, out, err = await replay(gateway, "--dead-letters", "--connection", "club")
    assert (1, "") == (code, err)
    first, second, last = out.splitlines()
    assert first.startswith("rcp_2 club/events: ")
    assert second.startswith("rcp_1 club/events: ")
    assert "0 of 2 dead letters stored" == last


async def test_help(gateway):
    """The help shows how it is used and what the exit codes mean."""
    code, out, _ = await replay(gateway, "--help")
    assert 0 == code
    assert "gateway replay --dead-letters" in out
    assert "exit codes" in out
