"""A marketplace that sends an id of its own with bookings and cancellations: what has it is one booking, and no other.

And that nothing of what the contract lets a marketplace say is taken and ignored.
"""

import asyncio
import json

import pytest

from gateway.model.model import load
from gateway.values.messages import MarketplaceRequest
from tests.links.clubs import CALLABLE, KINDS, referring
from tests.links.linked import DAY, TEN, linked

TWO = f"{DAY}T14:00"


@pytest.fixture
async def house(request, tmp_path):
    """Give a marketplace that sends ids of its own, linked to a club of the kind that the test names."""
    async with linked(tmp_path, request.param, plan=referring()) as made:
        yield made


def on(*clubs):
    return pytest.mark.parametrize("house", clubs, indirect=True)


async def customers(house):
    """Give the names of the customers of what the club has on the day, in order."""
    day = {"from": f"{DAY}T00:00", "to": "2026-03-11T00:00"}
    listed = await house.works("bookings.list", **day)
    return sorted(one["customer"]["name"] for one in listed if one["status"] != "cancelled")


@on(*KINDS)
async def test_a_cancellation_that_comes_again_after_the_slot_was_sold_again(house):
    """The second player's booking stays, also when he has the first one's name, and can be cancelled by its own id."""
    assert [200, 200] == [await house.book(reference="b1"), await house.cancel(reference="b1")]
    await house.step()
    assert 200 == await house.book(reference="b2")
    assert [200, 200] == [await house.cancel(reference="b1"), await house.cancel(reference="b1")]
    assert (["cancelled", "confirmed"], ["10:00"]) == (await house.entries(), await house.held())
    assert 200 == await house.cancel(reference="b2")
    assert (["cancelled", "cancelled"], []) == (await house.entries(), await house.held())
    assert 2 == house.club.asked("cancel")


@on("locaboo", "generic")
async def test_two_references_are_two_bookings(house):
    """Of one slot and one player the second is refused, however often, and the first is confirmed, however often."""
    references = ["b1", "b2", "b1", "b2"]
    assert [200, 409, 200, 409] == [await house.book(reference=one) for one in references]
    house.later(3600)
    assert [200, 409] == [await house.book(reference=one) for one in references[:2]]
    assert (1, ["10:00"]) == (house.club.asked("create"), await house.held())
    assert 404 == await house.cancel(reference="b2")
    assert ["10:00"] == await house.held()


@on("locaboo", "simplybook")
async def test_two_messages_at_once(house):
    """Of one reference they are one booking and both confirmed, of two one is refused, whoever plays."""
    same = await asyncio.gather(*(house.book(reference="b1") for _ in range(2)))
    other = await asyncio.gather(*(house.book(TWO, reference=one) for one in ("b2", "b3")))
    assert ([200, 200], [200, 409]) == (same, sorted(other))
    assert ["10:00", "14:00"] == await house.held()


@on("locaboo", "teambooking")
async def test_a_booking_that_comes_again_after_its_cancellation(house):
    """It is answered as what it is: 409, at once and later, while the slot is free and when it is sold again."""
    assert [200, 200] == [await house.book(reference="b1"), await house.cancel(reference="b1")]
    assert 409 == await house.book(reference="b1")
    house.later(3600)
    await house.step()
    assert (409, []) == (await house.book(reference="b1"), await house.held())
    assert [200, 409] == [await house.book(reference="b2", player="Ben"), await house.book(reference="b1")]
    assert (["cancelled", "confirmed"], ["10:00"]) == (await house.entries(), await house.held())


@on("locaboo", "simplybook")
async def test_a_booking_that_comes_again_while_it_is_cancelled(house):
    """Once its cancellation was taken it is not confirmed any more, though the club has not cancelled it yet."""
    assert 200 == await house.book(reference="b1")
    house.club.fault("cancel", status=503)
    assert [503, 409] == [await house.cancel(reference="b1"), await house.book(reference="b1")]
    house.later(60)
    await house.step()
    assert (["cancelled"], []) == (await house.entries(), await house.held())


@on("locaboo", "teambooking")
async def test_a_reference_of_another_slot(house):
    """A booking with the reference of one of another court or time is refused as contradicting itself."""
    assert 200 == await house.book(reference="b1")
    assert [400, 400] == [await house.book(TWO, reference="b1"), await house.book(TEN, "c2", reference="b1")]
    assert ["10:00"] == await house.held()


@on("locaboo", "simplybook")
async def test_a_booking_that_was_undone_may_be_asked_for_again(house):
    """What the marketplace was told is not confirmed, and was undone, is booked when it comes again; and cancelled."""
    house.club.fault("create", after=True)
    house.club.fault("list", status=503)
    assert 503 == await house.book(reference="b1")
    house.later(20)
    await house.step(times=3)
    assert (["cancelled"], []) == (await house.entries(), await house.held())
    assert (200, ["10:00"]) == (await house.book(reference="b1"), await house.held())
    assert [200, 409, 200] == [
        await house.cancel(reference="b1"),
        await house.book(reference="b1"),
        await house.cancel(reference="b1"),
    ]
    assert [] == await house.held()


@on("locaboo", "simplybook")
async def test_what_the_club_did_to_a_booking(house):
    """One that the club has moved is confirmed and cancelled by its reference; one that it has cancelled is over."""
    assert [200, 200] == [await house.book(reference="b1"), await house.book(court="c2", reference="b2")]
    house.later(3600)
    first, second = await house.rows()
    await house.works("bookings.reschedule", id=first.booking, start=f"{TWO}+01:00", end=f"{DAY}T15:00+01:00")
    await house.works("bookings.cancel", id=second.booking)
    assert [200, 409] == [await house.book(reference="b1"), await house.book(court="c2", reference="b2")]
    assert ["14:00"] == await house.held()
    assert [200, 200] == [await house.cancel(reference="b1"), await house.cancel(court="c2", reference="b2")]
    assert (["cancelled", "cancelled"], []) == (await house.entries(), await house.held())


@on("locaboo", "generic")
async def test_a_booking_from_before_there_were_references(house):
    """It is known by court and time to the first message that has a reference, and from then on by that."""
    assert [200, 200] == [await house.book(), await house.book(TWO)]
    assert [200, 409, 200] == [
        await house.book(reference="b1"),
        await house.book(reference="b2"),
        await house.book(reference="b1"),
    ]
    assert [200, 200] == [await house.cancel(reference="b1"), await house.cancel(TWO, reference="b3")]
    assert (["cancelled", "cancelled"], []) == (await house.entries(), await house.held())
    assert 2 == house.club.asked("create")


@on("simplybook", "generic")
async def test_a_reference_that_nobody_knows(house):
    """Nothing is cancelled: 404 where the slot is free or of another reference, 403 where somebody else has it."""
    await house.takes()
    assert 403 == await house.cancel(reference="b1")
    assert 200 == await house.book(TWO, reference="b2")
    assert [404, 404] == [await house.cancel(TWO, reference="b1"), await house.cancel(f"{DAY}T16:00", reference="b1")]
    assert ["10:00", "14:00"] == await house.held()


@on("locaboo", "simplybook")
async def test_messages_without_a_reference(house):
    """Court and time say what they mean, as ever: also a booking that has a reference."""
    assert [200, 200, 409] == [await house.book(reference="b1"), await house.book(), await house.book(player="Ben")]
    assert (200, []) == (await house.cancel(), await house.held())
    assert (200, 409) == (await house.cancel(reference="b1"), await house.book(reference="b1"))


@on("simplybook")
async def test_a_slot_that_is_sold_again_is_the_next_player_s(house):
    """The club has the second booking under the second player's name: he is another customer."""
    for number, player in enumerate(("Ada", "Ben", "Cem")):
        assert 200 == await house.book(player=player, reference=f"b{number}")
        assert [player] == await customers(house)
        assert 200 == await house.cancel(reference=f"b{number}")
        await house.step()


@pytest.mark.parametrize(
    ("club", "customer", "told"),
    [
        ("simplybook", {"name": "{player}"}, {"email": "jane@play.example", "phone": "+33611111111"}),
        ("simplybook", CALLABLE, {"phone": "+33612345678"}),
        ("generic", {"name": "{player}"}, {"email": "jane@play.example"}),
        ("generic", {"name": "{player}", "email": "court@club.example"}, {"email": "court@club.example"}),
    ],
)
async def test_who_plays(tmp_path, club, customer, told):
    """The club is told what the marketplace tells of the player and it takes; the configuration comes first."""
    async with linked(tmp_path, club, link={"customer": customer}, plan=referring()) as house:
        assert 200 == await house.book(reference="b1", email="jane@play.example", phone="+33611111111")
        (entry,) = await house.rows()
        kept = json.loads(entry.customer)
        assert told == {name: kept[name] for name in told}
        assert "phone" in kept or "phone" not in told
        sent = " ".join(house.club.seen)
        assert all(value in sent for value in told.values())


class _Read(dict):
    """Data of a request that notes which of its fields are read, those of its objects by `name.field`."""

    def __init__(self, data, read, path=""):
        super().__init__(
            {
                name: _Read(value, read, f"{path}{name}.") if isinstance(value, dict) else value
                for name, value in data.items()
            }
        )
        self.read, self.path = read, path

    def get(self, name, otherwise=None):
        self.read.add(f"{self.path}{name}")
        return super().get(name, otherwise)

    def __getitem__(self, name):
        self.read.add(f"{self.path}{name}")
        return super().__getitem__(name)


def leaves(type_, path=""):
    """Give the fields of a type, those of its objects by `name.field`."""
    for name, one in type_.fields.items():
        if one.type.kind == "object":
            yield from leaves(one.type, f"{path}{name}.")
        else:
            yield f"{path}{name}"


FULL = {
    "center_id": "WYZ",
    "days": 1,
    "resource_id": "c1",
    "start": f"{TEN}:00+01:00",
    "end": f"{DAY}T11:00:00+01:00",
    "slot_id": "c1-202603101000",
    "customer": {"name": "Jane Doe", "email": "jane@play.example", "phone": "+33611111111"},
    "reference": "b1",
}


async def test_every_field_of_the_contract_is_taken_in(tmp_path):
    """No field of what a marketplace may ask is ignored by its flow: each is read when it is answered."""
    async with linked(tmp_path, "teambooking", link={"customer": {"name": "{player}"}}, plan=referring()) as house:
        gateway = house.gateways[0]
        for name, one in load().requests.items():
            fields, read = set(leaves(one.resource.type)), set()
            data = {key: value for key, value in FULL.items() if key in one.resource.type.fields}
            assert fields == {*leaves_of(data)}, f"{name} has another field: say in FULL what it may hold"
            deadline = asyncio.get_running_loop().time() + 10
            await gateway.links.answer(
                gateway.engine.connection("market"), MarketplaceRequest(name, _Read(data, read)), "r", deadline
            )
            assert fields <= read, name


def leaves_of(data, path=""):
    for name, value in data.items():
        if isinstance(value, dict):
            yield from leaves_of(value, f"{path}{name}.")
        else:
            yield f"{path}{name}"
