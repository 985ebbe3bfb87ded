"""Every test of a store runs on each kind of database."""

import pytest

from tests.hooked import any_gate, gate, gate_plans, gate_settings, serve_gate
from tests.webhooks.house import opened

__all__ = ["any_gate", "gate", "gate_plans", "gate_settings", "serve_gate"]


@pytest.fixture
async def house(tmp_path):
    """Give a store in a file with no endpoint and no dispatcher yet."""
    async with opened(f"sqlite:///{tmp_path / 'gateway.db'}") as made:
        yield made
