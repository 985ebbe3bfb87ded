"""The OpenAPI documents of the demo, proven on real sockets; `make contract` asks far more."""

import asyncio

import pytest
import pytest_asyncio

from tests.contract import DELIVERIES, TIMEOUT, WHOLE, prove
from tests.demonstration import demonstrated

EXAMPLES = 4

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def url(tmp_path_factory):
    async with demonstrated(tmp_path_factory.mktemp("demo"), timeout=TIMEOUT, deliveries=DELIVERIES) as (url, _):
        yield url


@pytest.mark.parametrize("connection", ["club-a", "club-b", "club-c", "club-d"])
async def test_a_connection(url, connection):
    """What a connection answers is what its own document says: statuses, codes, bodies and headers."""
    document = f"/v1/{connection}/openapi.json"
    outcome = await asyncio.to_thread(prove, url, document, connection, EXAMPLES, ("fuzzing",))
    assert [] == outcome.told()
    assert len(outcome.operations) < outcome.cases
    assert 200 in outcome.statuses


async def test_the_whole_surface(url):
    """What the gateway answers at every bound of every schema is what its document says."""
    outcome = await asyncio.to_thread(prove, url, WHOLE, "club-a", EXAMPLES, ("coverage",))
    assert [] == outcome.told()
    assert {200, 400, 401, 404, 405, 501} <= outcome.statuses.keys()
    assert 50 * outcome.statuses[501] < outcome.cases  # what is refused unread proves nothing of its bounds
