"""A short run of the kills that `make chaos` makes many of, and of the measurement of `make bench-events`."""

import pytest

from tests import throughput
from tests.chaos.webhooks import run


@pytest.mark.timeout(240)
async def test_nothing_is_lost_by_kills(store_url, tmp_path):
    """Killed while it starts and while it works, the gateway loses, invents and disorders nothing."""
    books = await run(store_url, 4, 11, tmp_path, margin=1.0)
    assert dict.fromkeys(books.wrong, 0) == books.wrong
    assert books.told["acknowledged"] == books.told["delivered"] > 0


async def test_what_is_measured_has_gone_through(tmp_path):
    """The measurement ends when every subscriber has every event, and counts both."""
    row = await throughput.run(f"sqlite:///{tmp_path / 'gateway.db'}", 20, 4, 2, tmp_path)
    assert (20, 2, 0) == (row["events"], row["subscribers"], row["refused"])
    assert row["accepted/s"] > 0
    assert row["p50 ms"] <= row["p99 ms"]
