"""What a provider was asked for is what the gateway gives: its own choice of rows undoes nothing."""

import pytest

from gateway.simulator.play import Play

DAY = {"from": "2026-03-02T00:00", "to": "2026-03-03T00:00"}
JANE = {"name": "Jane Doe", "email": "jane@example.com"}


def _under(resources, wanted):
    """Give the ids of a resource and of everything that it groups."""
    return {one["id"] for one in resources if wanted in {one["id"], one.get("parent_id")}}


@pytest.mark.parametrize("provider", ["locaboo", "simplybook", "teambooking"])
async def test_slots_of_every_resource(provider, shipped, engine_on, call):
    """Asked for a resource, slots are those of it and of its parts, and so they are by every service and location."""
    engine = await engine_on(shipped(provider))
    every, resources = await call(engine, "slots.list", **DAY), await call(engine, "resources.list")
    assert every
    for one in resources:
        own = _under(resources, one["id"])
        wanted = {slot["id"] for slot in every if slot.get("resource_id") in own}
        assert wanted == {slot["id"] for slot in await call(engine, "slots.list", **DAY, resource_id=[one["id"]])}, one
    for name in ("service_id", "location_id"):
        for key in {slot[name] for slot in every if slot.get(name)}:
            wanted = {slot["id"] for slot in every if slot[name] == key}
            assert wanted == {slot["id"] for slot in await call(engine, "slots.list", **DAY, **{name: key})}


async def test_a_group_of_resources(shipped, engine_on, call):
    """Bookings and services of a resource that only groups its parts are those of the parts, alone or beside others."""
    engine = await engine_on(shipped("locaboo"))
    made = [
        await call(engine, "bookings.create", resource_id=part, start="2026-03-02T10:00", customer=JANE)
        for part in ("49", "50", "52")
    ]
    ids = [one["id"] for one in made]
    for wanted, group in ((ids[:2], ["48"]), (ids[:1], ["49"]), (ids, ["48", "52"]), (ids[2:], ["51", "47"])):
        assert wanted == [one["id"] for one in await call(engine, "bookings.list", **DAY, resource_id=group)]
    for group in (["48"], ["50"]):
        assert "rental:48" in [one["id"] for one in await call(engine, "services.list", resource_id=group)]


async def test_a_search_of_the_providers_own(shipped, engine_on, call):
    """Whom a provider finds by its own search is found, though none of the fields that are told mentions the words."""
    play = shipped("simplybook")
    club = Play(play.examples.played, play.examples, play.script, play.now)
    club.state["clients"] = {
        "7": {"id": "7", "name": "Jane Doe", "email": "jane@example.com", "phone": "020 7946-0001"}
    }
    engine = await engine_on(club)
    for words in ("7946-0001", "doe"):
        assert ["7"] == [one["id"] for one in await call(engine, "customers.list", q=words)]
    assert [] == await call(engine, "customers.list", email="jane@example.com", q="nobody")
