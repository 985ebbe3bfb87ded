"""Every test of a store runs on each kind of database."""

import pytest

from tests.databases import sqlite_store
from tests.hooked import any_gate, gate, gate_plans, gate_settings, serve_gate
from tests.webhooks.outbound.house import opened

__all__ = ["any_gate", "gate", "gate_plans", "gate_settings", "serve_gate"]


@pytest.fixture
async def house(tmp_path):
    """Give a store in a file with no endpoint and no dispatcher yet."""
    async with opened(sqlite_store(tmp_path / "gateway.db")) as made:
        yield made
