"""What a marketplace is told of its own accord: every change, its latest state, until it has taken it."""

import asyncio
import json

import pytest

from tests.links.clubs import COURT
from tests.links.linked import DAY, TEN, linked, on, until

PUSH = r"^POST /v1/sync/"


def pushes(house, place=f"c1 {TEN}"):
    """Give what the marketplace was sent of a slot, in order, whether or not it took it."""
    bodies = [json.loads(one.partition("\n")[2]) for one in house.market.seen if one.startswith("POST /v1/sync/")]
    return [
        one["isAvailable"]
        for body in bodies
        for one in body["slots"]
        if f"{one['facilityId']} {one['startDateTime']}" == place
    ]


@on("simplybook", "teambooking")
async def test_the_marketplace_is_away(house):
    """While it takes nothing, changes wait: of each slot the newest state alone is told once it is back."""
    await house.step()
    house.market.fault(PUSH, times=99, status=500)
    booking = await house.takes()
    house.later(200)
    await house.step()
    assert (1, True) == ((await house.status())["outbox"]["waiting"] and 1, house.told())
    await house.works("bookings.cancel", id=booking["id"])
    house.later(200)
    await house.step()
    house.later(3600)
    await house.takes(f"{DAY}T12:00")
    await house.takes()
    await house.step()
    house.market.mend()
    before = len(pushes(house))
    house.later(700)
    await house.step()
    assert [False] == pushes(house)[before:]
    assert [False, False] == [house.told(), house.told(f"c1 {DAY}T12:00")]
    status = await house.status()
    assert ({"waiting": 0, "parked": 0}, None, []) == (status["outbox"], status["last_push_error"], status["attention"])


@on("locaboo", "generic")
async def test_the_marketplace_refuses_us(house, alarms):
    """Wrong credentials stop the telling and are the operator's; afterwards nothing is missing."""
    house.market.fault(PUSH, times=1, status=401)
    await house.step(times=3)
    assert (1, 1) == (len(alarms()), house.market.asked(PUSH))
    assert any("PROVIDER_AUTH_FAILED" in one for one in (await house.status())["attention"])
    house.later(700)
    await house.step()
    assert True is house.told()


@on("locaboo", "teambooking")
async def test_one_slot_is_refused(house, alarms):
    """A slot that the marketplace never takes keeps back no other: it is put aside and is the operator's."""
    house.market.fault("c1-202603101000", times=99, status=422)
    await house.step()
    for _ in range(2):
        house.later(60)
        await house.step()
    assert ({"waiting": 0, "parked": 1}, 1) == ((await house.status())["outbox"], len(alarms()))
    assert (None, True, True) == tuple(house.told(f"c1 {DAY}T{clock}") for clock in ("10:00", "11:00", "16:00"))
    house.market.mend()
    await house.takes()
    house.later(200)
    await house.step()
    assert (False, {"waiting": 0, "parked": 0}) == (house.told(), (await house.status())["outbox"])


@on("locaboo", "teambooking")
async def test_an_answer_of_the_marketplace_is_lost(house):
    """Whether it took what it was told is unknown then: it is told again, for only the state counts."""
    house.market.fault(PUSH, after=True)
    await house.step()
    house.later(6)
    await house.step()
    assert ([True, True], True) == (pushes(house), house.told())


@pytest.mark.parametrize("club", ["teambooking", "generic"])
async def test_only_the_price_changes(tmp_path, club):
    """Another price is told as any other change of a slot."""
    settings = {"services": None, "services_path": "/services"} if club == "generic" else {}
    async with linked(tmp_path, club, settings=settings) as house:
        state = house.club.play.state
        if club == "generic":
            state["services"] = [{**COURT, "price": {"amount": 40, "currency": "EUR", "type": "flat"}}]
        await house.step()
        assert 4000 == house.everything()[f"c1 {TEN}"]["price"]
        one = next(one for one in state["services"] if one["id"] in {"court", "lesson"})
        (one["price"] if club == "generic" else one["payments"])["amount" if club == "generic" else "price"] = 30
        house.later(200)
        await house.step()
        assert (3000, True) == tuple(house.everything()[f"c1 {TEN}"][name] for name in ("price", "isAvailable"))


@on("locaboo", "simplybook")
async def test_a_pull_whose_answer_may_be_lost(house):
    """What a pull tells is told again by a push: nobody knows whether its answer arrived."""
    await house.step()
    booking = await house.takes()
    assert False is (await house.pull(2))[1][f"c1 {TEN}"]["isAvailable"]
    await house.works("bookings.cancel", id=booking["id"])
    house.later(200)
    await house.step()
    assert [True, True] == pushes(house)


@on("locaboo", "teambooking")
async def test_a_reading_that_is_older_than_what_is_known(house):
    """What was read before a booking, and arrives after it, does not make the slot free again."""
    held = house.club.fault("slots", held=True, after=False)
    reading = asyncio.ensure_future(house.pull(2))
    await held.arrived.wait()
    house.later(1)
    assert 200 == await house.book()
    held.go.set()
    assert False is (await reading)[1][f"c1 {TEN}"]["isAvailable"]
    await house.step()
    assert False is house.told()


@pytest.mark.parametrize("club", ["locaboo", "simplybook"])
async def test_a_court_that_is_sold_no_more(tmp_path, club):
    """What is left of a court that the configuration has no longer does not keep back the others."""
    async with linked(tmp_path, club) as house:
        house.market.fault(PUSH, times=99, status=500)
        await house.step()
        house.market.mend()
        fewer = [one for one in house.settings.links[0].facilities if one.facility_id == "c2"]
        house.change(facilities=tuple(fewer))
        await house.gateway()
        house.later(700)
        await house.step(1)
        assert (None, True) == (house.told(), house.told(f"c2 {TEN}"))
        assert {"waiting": 0, "parked": 0} == (await house.status(1))["outbox"]


async def test_two_gateways_on_one_store(tmp_path, store_url):
    """Of gateways that share a store one works for a link at a time, and bookings are made once."""
    async with linked(tmp_path, "locaboo", url=store_url) as house:
        await house.gateway()
        await asyncio.gather(house.step(0), house.step(1))
        assert [True] == pushes(house)
        answers = await asyncio.gather(house.book(which=0), house.book(which=1), house.book(which=1, player="Ben"))
        assert answers in ([200, 200, 409], [409, 409, 200])
        assert ["10:00"] == await house.held()
        assert 200 == await house.cancel(which=1)
        await asyncio.gather(house.step(1), house.step(0))
        assert ([], ["cancelled"], True) == (await house.held(), await house.entries(), house.told())


@on("locaboo", "teambooking")
async def test_what_differs_is_found_and_told_again(house):
    """The operator sees where the marketplace was told something else, and can have everything told anew."""
    await house.step()
    deadline = asyncio.get_running_loop().time() + 10
    links = house.gateways[0].links
    assert (await links.diff("courts", deadline))["in_step"]
    await house.takes()
    found = await links.diff("courts", deadline)
    assert [("c1", "free", "busy")] == [(one["facility_id"], one["told"], one["club"]) for one in found["differences"]]
    await links.resync("courts")
    await house.step()
    assert (await links.diff("courts", deadline))["in_step"]
    assert [True, False] == pushes(house)


@on("locaboo", "simplybook")
async def test_a_push_that_was_taken_and_not_answered(house):
    """What the marketplace has taken is not known then: the state from before, true again, is told again."""
    await house.step()
    assert 200 == await house.book()
    house.market.fault(PUSH, after=True, status=500)
    await house.step()
    assert False is house.told()
    assert 200 == await house.cancel()
    house.later(130)
    await house.step(times=2)
    assert True is house.told()


@on("locaboo")
async def test_a_page_is_no_success(house):
    """A page with status 200, as a proxy gives it, is not the marketplace's: what it was sent is sent again."""
    page = "\n<!DOCTYPE html><html><body>We are back soon.</body></html>"
    house.market.fault(PUSH, times=99, status=200, text=page)
    await house.step()
    status = await house.status()
    assert (None, 0, True) == (house.told(), status["outbox"]["parked"], status["outbox"]["waiting"] > 0)
    assert "PROVIDER_UNAVAILABLE" in status["last_push_error"]
    house.market.mend()
    house.later(10)
    await house.step()
    assert (True, 0) == (house.told(), (await house.status())["outbox"]["waiting"])


@on("locaboo", "generic")
async def test_a_gateway_dies_while_it_pushes(house):
    """What the marketplace took from it is not known then: the state from before, true again, is told again."""
    await house.step()
    assert 200 == await house.book()
    held = house.market.fault(PUSH, held=True)
    pushing = asyncio.ensure_future(house.step())
    await held.arrived.wait()
    pushing.cancel()
    held.go.set()
    await until(lambda: house.told() is False)
    assert 200 == await house.cancel()
    house.later(200)
    await house.step(times=2)
    assert True is house.told()
