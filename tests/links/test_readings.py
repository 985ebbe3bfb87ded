"""That nothing is told of a club that was read before a link's write there."""

import pytest

from tests.links.clubs import remembering
from tests.links.linked import DAY, TEN, linked


async def listed(house, cursor=None):
    """List the free slots of the club as a caller does, one on a page; gives how many, and the next cursor."""
    query = {"from": f"{DAY}T00:00", "to": f"{DAY}T23:59", "limit": "1"} | ({"cursor": cursor} if cursor else {})
    about = {"params": query, "headers": {"Authorization": "Bearer web-key-0123456789"}}
    async with house.session.get(f"{house.gateways[0].url}/v1/club/slots", **about) as response:
        assert 200 == response.status
        page = (await response.json())["page"]
        return page["total"], page["next_cursor"]


@pytest.mark.parametrize("club_plan", [None, remembering])
async def test_nothing_read_before_a_write_of_a_link_is_told(tmp_path, club_plan):
    """Pages, and answers that a mapping keeps, are those of after a link's booking and cancellation."""
    async with linked(tmp_path, "locaboo", club_plan=club_plan and club_plan()) as house:
        number, cursor = await listed(house)
        asked = house.club.asked("slots")
        assert (number, asked) == ((await listed(house, cursor))[0], house.club.asked("slots"))  # from what was kept
        assert 200 == await house.book()
        assert number - 1 == (await listed(house, cursor))[0] == (await listed(house))[0]
        _, cursor = await listed(house)
        assert 200 == await house.cancel()
        assert number == (await listed(house, cursor))[0] == (await listed(house))[0]
        _, slots = await house.pull(2)
        assert slots[f"c1 {TEN}"]["isAvailable"]
