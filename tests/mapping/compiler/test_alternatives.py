"""What a connection has of an operation: decided by its settings when it is bound, and by nothing later."""

import pytest

from gateway.mapping.compiler.operations.alternatives import fit, way_of
from gateway.values.errors import NotMapped, Unsupported

MAPPING = """
settings:
  user: {type: string}
  desk: {type: integer}
http: {headers: {X-User: "{{ settings.user | default('') }}", X-Desk: "{{ settings.desk | default(0) }}"}}
operations:
  bookings.delete:
    - {needs: {user: users delete, desk: at a desk}, support: degraded, call: {delete: "/desk/{{ args.id }}"}}
    - {needs: {user: users delete}, notes: For users., call: {delete: "/user/{{ args.id }}"}}
native:
  open: {needs: {desk: doors are opened at a desk}, call: {post: /open}}
  shut: {call: {post: /shut}}
"""


@pytest.fixture
def plan(compiled):
    """Give the compiled mapping, fitted to no connection."""
    return compiled(MAPPING)


@pytest.mark.parametrize(
    ("settings", "support", "natives", "reasons"),
    [
        ({}, None, {"shut"}, {"bookings.delete": "users delete", "native.open": "doors are opened at a desk"}),
        ({"user": None, "desk": None}, None, {"shut"}, {"bookings.delete": "users delete"}),
        ({"user": "ada"}, "native", {"shut"}, {"native.open": "doors are opened at a desk"}),
        ({"user": "", "desk": 0}, "degraded", {"open", "shut"}, {}),
        ({"desk": 1}, None, {"open", "shut"}, {"bookings.delete": "users delete"}),
    ],
)
def test_fitted(plan, settings, support, natives, reasons):
    """The first way whose needs are met is there, any value meets a need; of the others the first reason is told."""
    found = fit(plan, settings)
    way = way_of(found, "bookings.delete")
    assert support == (way and way.support)
    assert natives == set(found.native)
    assert reasons.items() <= found.unsupported.items()
    assert (way is None) == ("bookings.delete" in found.unsupported)
    assert ("open" in natives) == ("native.open" not in found.unsupported)


def test_fitted_again(plan):
    """What is fitted to one connection can be fitted to another; nothing is lost on the way."""
    assert fit(plan, {"user": "ada", "desk": 1}) == fit(fit(plan, {}).compiled, {"user": "ada", "desk": 1})


def test_unfitted(plan):
    """A plan that is fitted to nothing has every way of everything, in its order."""
    assert ("degraded", True) == (plan.ways["bookings.delete"][0].support, "native.open" in plan.ways)
    assert "native.close" not in plan.ways


async def test_run(gateway):
    """A connection goes its own way, and what it has not is refused before anything is sent."""
    club = gateway(MAPPING, {}, user="ada")
    assert "native" == (await club.run("bookings.delete", id="7")).support
    assert ["DELETE /user/7"] == club.sent
    with pytest.raises(Unsupported, match=r"Example cannot do native\.open: doors are opened at a desk"):
        await club.run("native.open")
    with pytest.raises(NotMapped, match="no native operation `close`"):
        await club.run("native.close")
    assert 1 == len(club.sent)
