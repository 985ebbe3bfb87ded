"""A marketplace linked to a club, which a test names by the parameter `house`, and what operators are told."""

import pytest

from tests.links.linked import linked


@pytest.fixture
async def house(request, tmp_path):
    """Give a marketplace linked to a club of the kind that the test names."""
    async with linked(tmp_path, request.param) as made:
        yield made


@pytest.fixture
def alarms(caplog):
    """Give the function that tells what operators were told of so far: the reasons, in order."""
    return lambda: [record.fields["reason"] for record in caplog.records if record.getMessage() == "link.attention"]
