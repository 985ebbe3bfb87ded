"""Subscriptions: made, changed, removed, and held to the configuration and to their owners' rights."""

from dataclasses import replace
from itertools import count

import pytest
from sqlalchemy import select, update

from gateway.config import WebhookSettings
from gateway.store.database import Database
from gateway.store.deliveries import subscriptions
from gateway.store.deliveries.probes import NOWHERE, TEST, probe
from gateway.store.deliveries.subscriptions import CONFIG, Backlog, Subscription, configured_id, owner_of
from gateway.store.events.events import NewEvent, append
from gateway.store.tables import deliveries, events
from gateway.store.tables import subscriptions as table
from gateway.values.secrets import Secret

NOW = 1_800_000_000_000
WEB = owner_of("web")
SHOP = "https://shop.example/hooks"


@pytest.fixture
async def database(store_url):
    async with Database(store_url, lambda: NOW) as opened:
        yield opened


@pytest.fixture
def fresh():
    """Give ids that tell their order."""
    numbers = count(1)
    return lambda prefix: f"{prefix}_{next(numbers):04}"


def made(key="wh_1", **more):
    """Make a subscription of `web` to everything."""
    usual = Subscription(key, WEB, SHOP, ("*",), None, "native", Secret("whsec_one"), NOW)
    return replace(usual, **more)


def happened(number, connection="club-a", type_="booking.created"):
    """Make an event of a connection."""
    return NewEvent(
        f"evt_{number}",
        connection,
        "p",
        type_,
        "gateway",
        f"b{number}",
        NOW + number,
        lambda sequence: b"%d" % sequence,
    )


def wanted(url=SHOP, **more):
    """Make a subscription as the configuration has it."""
    usual = WebhookSettings(url, ("*",), Secret("whsec_config"), None, "native", None)
    return replace(usual, **more)


def states(connection):
    """Give the state of every delivery by its event, with the reason."""
    rows = connection.execute(select(deliveries).order_by(deliveries.c.sequence))
    return {row.event: (row.state, row.reason) for row in rows}


async def test_what_is_made_can_be_read_again(database):
    """A subscription is read as it was made, by its owner and by nobody else; its secret stays hidden in its repr."""
    one = made(events=("booking.created",), connections=("club-a",), schedule=(5.0, 60.0))
    assert await database.write(lambda connection: subscriptions.add(connection, one, 1))
    assert [one] == await database.read(lambda connection: subscriptions.of_owners(connection, [WEB]))
    assert [] == await database.read(lambda connection: subscriptions.of_owners(connection, [owner_of("other")]))
    assert one == await database.read(lambda connection: subscriptions.one(connection, "wh_1", [WEB]))
    assert await database.read(lambda connection: subscriptions.one(connection, "wh_1", [CONFIG])) is None
    assert "whsec" not in repr(one)


async def test_nobody_has_more_than_so_many(database):
    """An owner with as many subscriptions as allowed makes no more; those of others and removed ones do not count."""

    def work(connection):
        told = [
            subscriptions.add(connection, made("wh_0", owner=owner_of("other")), 2),
            subscriptions.add(connection, made("wh_1"), 2),
            subscriptions.add(connection, made("wh_2"), 2),
            subscriptions.add(connection, made("wh_3"), 2),
        ]
        subscriptions.remove(connection, "wh_1", "over", NOW)
        return [*told, subscriptions.add(connection, made("wh_4"), 2)]

    assert [True, True, True, False, True] == await database.write(work)


async def test_changes(database):
    """A change holds from then on, and what is not named stays."""

    def work(connection):
        subscriptions.add(connection, made(), 1)
        subscriptions.change(connection, "wh_1", {"events": ["booking.cancelled"], "connections": ["club-b"]})
        subscriptions.change(connection, "wh_1", {})
        return subscriptions.one(connection, "wh_1")

    changed = made(events=("booking.cancelled",), connections=("club-b",))
    assert changed == await database.write(work)


async def test_disabled_and_enabled(database):
    """Who is disabled says why and gets no new deliveries; once enabled again it counts as sound."""

    def disabled(connection):
        subscriptions.add(connection, made(failing_since=NOW, paused_until=NOW + 9), 1)
        subscriptions.disable(connection, "wh_1", "it answered 410")
        append(connection, [happened(1)], lambda prefix: f"{prefix}_x")
        return subscriptions.one(connection, "wh_1"), states(connection)

    def enabled(connection):
        subscriptions.enable(connection, "wh_1")
        return subscriptions.one(connection, "wh_1")

    found, told = await database.write(disabled)
    assert ("disabled", "it answered 410", {}) == (found.state, found.reason, told)
    assert made() == await database.write(enabled)


async def test_removed(database, fresh):
    """A removed subscription is gone with its secrets; what was pending is cancelled, with the reason."""

    def work(connection):
        subscriptions.add(connection, made(), 1)
        append(connection, [happened(1), happened(2)], fresh)
        connection.execute(update(deliveries).where(deliveries.c.event == "evt_1").values(state="delivered"))
        subscriptions.remove(connection, "wh_1", "its owner removed it", NOW + 5)
        subscriptions.enable(connection, "wh_1")
        gone = connection.execute(select(table)).one()
        return subscriptions.every(connection), (gone.state, gone.secret, gone.previous_secret), states(connection)

    expected = {"evt_1": ("delivered", None), "evt_2": ("cancelled", "its owner removed it")}
    assert ([], ("removed", Secret(""), None), expected) == await database.write(work)


async def test_rotated(database):
    """After a rotation the new secret signs, and the former one beside it until a moment."""

    def work(connection):
        subscriptions.add(connection, made(), 1)
        subscriptions.rotate(connection, "wh_1", Secret("whsec_two"), NOW + 60)
        return subscriptions.one(connection, "wh_1")

    expected = made(secret=Secret("whsec_two"), previous_secret=Secret("whsec_one"), previous_until=NOW + 60)
    assert expected == await database.write(work)


async def test_the_configuration_is_followed(database, fresh):
    """Subscriptions of the configuration are added, changed in place, removed with what is pending, and come back."""
    key = configured_id(SHOP)

    def synced(now, *given):
        def work(connection):
            subscriptions.sync(connection, given, now)
            append(connection, [happened(now - NOW)], fresh)
            return subscriptions.of_owners(connection, [CONFIG]), states(connection)

        return database.write(work)

    (first,), _ = await synced(NOW, wanted(schedule=(5.0,)))
    assert (key, ("*",), (5.0,), Secret("whsec_config")) == (first.id, first.events, first.schedule, first.secret)

    new = wanted(events=("booking.created",), secret=Secret("whsec_new"))
    (second,), told = await synced(NOW + 1, new)
    assert (
        replace(
            first,
            events=("booking.created",),
            schedule=None,
            secret=Secret("whsec_new"),
            previous_secret=Secret("whsec_config"),
            previous_until=NOW + 1 + subscriptions.OVERLAP,
        )
        == second
    )
    assert {"evt_0": ("pending", None), "evt_1": ("pending", None)} == told

    none, told = await synced(NOW + 2)
    assert ([], "cancelled") == (none, told["evt_0"][0])
    (again,), told = await synced(NOW + 3, new)
    assert (key, "active", Secret("whsec_new"), None) == (again.id, again.state, again.secret, again.previous_secret)
    assert {"evt_0", "evt_1", "evt_3"} == told.keys()


async def test_a_configured_one_that_is_disabled_stays_so(database):
    """A restart does not send to an endpoint that was disabled, whatever the configuration says."""

    def work(connection):
        subscriptions.sync(connection, [wanted()], NOW)
        subscriptions.disable(connection, configured_id(SHOP), "it answered 410")
        subscriptions.sync(connection, [wanted(format="cloudevents")], NOW)
        return subscriptions.one(connection, configured_id(SHOP))

    found = await database.write(work)
    assert ("disabled", "cloudevents") == (found.state, found.format)


@pytest.mark.parametrize(
    ("had", "allowed", "connections", "state", "pending"),
    [
        (None, {WEB: None}, None, "active", {"club-a", "club-b", NOWHERE}),
        (None, {WEB: {"club-b", "club-c"}}, ("club-b", "club-c"), "active", {"club-b", NOWHERE}),
        (("club-a", "club-b"), {WEB: {"club-a"}}, ("club-a",), "active", {"club-a", NOWHERE}),
        (("club-a", "club-b"), {WEB: {"club-a", "club-b", "club-c"}}, ("club-a", "club-b"), "active", None),
        (("club-a", "club-b"), {WEB: {"club-c"}}, ("club-a", "club-b"), "disabled", {NOWHERE}),
        (None, {}, None, "disabled", {NOWHERE}),
    ],
    ids=["all", "all-to-some", "fewer", "more", "none", "no-caller"],
)
async def test_rights_are_followed(database, fresh, had, allowed, connections, state, pending):
    """When its owner may read less, a subscription hears of less, and what is pending of the rest is cancelled."""

    def work(connection):
        subscriptions.add(connection, made(connections=had), 1)
        subscriptions.sync(connection, [wanted()], NOW)
        append(connection, [happened(1, "club-a"), happened(2, "club-b")], fresh)
        probe(connection, happened(3, NOWHERE), "wh_1", "dlv_probe", 1)
        changed = subscriptions.follow_rights(connection, allowed, NOW)
        mine = select(events.c.connection).join(deliveries, deliveries.c.event == events.c.id)
        waiting = mine.where(deliveries.c.subscription == "wh_1", deliveries.c.state == "pending")
        of_config = mine.where(deliveries.c.subscription != "wh_1", deliveries.c.state == "pending")
        found = subscriptions.one(connection, "wh_1")
        return changed, found, set(connection.scalars(waiting)), set(connection.scalars(of_config))

    changed, found, waiting, of_config = await database.write(work)
    assert (connections, state) == (found.connections, found.state)
    assert ({"club-a", "club-b", NOWHERE} if pending is None else pending) == waiting
    assert {"club-a", "club-b"} == of_config
    assert (["wh_1"] if (had, "active") != (connections, state) else []) == changed


async def test_backlogs(database, fresh):
    """The backlog of an endpoint counts what waits and what was given up, and tells since when the oldest waits."""

    def work(connection):
        subscriptions.add(connection, made(), 9)
        subscriptions.add(connection, made("wh_2"), 9)
        append(connection, [happened(number) for number in range(1, 5)], fresh)
        gone = deliveries.c.subscription == "wh_1"
        for event, state in (("evt_1", "dead"), ("evt_2", "delivered")):
            connection.execute(update(deliveries).where(gone, deliveries.c.event == event).values(state=state))
        return subscriptions.backlogs(connection, ["wh_1", "wh_3"])

    assert {"wh_1": Backlog(2, 1, NOW + 3)} == await database.write(work)


async def test_a_test_is_for_one_subscription_alone(database, fresh):
    """A test has its number among the events and one delivery, and no more than so many wait."""

    def work(connection):
        subscriptions.add(connection, made(), 9)
        subscriptions.add(connection, made("wh_2"), 9)
        append(connection, [happened(1)], fresh)
        took = [probe(connection, happened(number, NOWHERE), "wh_1", f"dlv_{number}", 2) for number in (2, 3, 4)]
        rows = connection.execute(select(deliveries).where(deliveries.c.job == TEST).order_by(deliveries.c.sequence))
        append(connection, [happened(5)], fresh)
        last = connection.execute(select(events.c.sequence).where(events.c.id == "evt_5")).scalar_one()
        return took, [(row.sequence, row.subscription, row.state) for row in rows], last

    expected = [True, True, False], [(2, "wh_1", "pending"), (3, "wh_1", "pending")], 4
    assert expected == await database.write(work)
