"""The section `changes` of the contract's file → Changes: which change of a booking is which event."""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from types import MappingProxyType

from gateway.model.build.parts import PartInvalid, find, keys
from gateway.model.contract import Changes, Resource
from gateway.values.messages import Json

_KEYS = {"of", "status", "span", "first", "becomes", "moved", "otherwise", "vanished", "removed", "tracked"}
_KEYS |= {"replaces", "channel", "operations", "also"}
_ALSO = frozenset({"copy", "utc", "minutes"})
_HERE = ("changes",)


def build_changes(
    node: Json,
    resources: Mapping[str, Resource],
    operations: Mapping[str, object],
    events: Mapping[str, object],
    lifecycle: Mapping[str, AbstractSet[str]],
) -> Changes:
    """Build the section `changes` of the contract's file; raises Wrong."""
    keys(node, _HERE, _KEYS)
    resource = resources[find(node["of"], resources, (*_HERE, "of"))]
    _check_told(node, operations, events, lifecycle)
    _check_fields(node, resource)
    return Changes(
        resource=node["of"],
        status=node["status"],
        span=(node["span"][0], node["span"][1]),
        first=node["first"],
        becomes=MappingProxyType(node["becomes"]),
        moved=(frozenset(node["moved"]["fields"]), node["moved"]["event"]),
        otherwise=node["otherwise"],
        vanished=node["vanished"],
        removed=node["removed"],
        replaces=node["replaces"],
        channel=node["channel"],
        tracked=tuple(node["tracked"]),
        operations=MappingProxyType(node["operations"]),
        also=MappingProxyType({name: tuple(words) for name, words in node["also"].items()}),
        final=frozenset(status for status, following in lifecycle.items() if not following),
        later=MappingProxyType({status: _later(status, lifecycle) for status in lifecycle}),
    )


def _check_told(
    node: Json,
    operations: Mapping[str, object],
    events: Mapping[str, object],
    lifecycle: Mapping[str, AbstractSet[str]],
) -> None:
    """Refuse events, statuses and operations that the contract does not have; raises Wrong."""
    told = {("first",): node["first"], ("moved", "event"): node["moved"]["event"], ("otherwise",): node["otherwise"]}
    told |= {("removed",): node["removed"]}
    told |= {(section, key): node[section][key] for section in ("becomes", "operations") for key in node[section]}
    for place, event in told.items():
        find(event, events, (*_HERE, *place))
    for status in node["becomes"]:
        find(status, lifecycle, (*_HERE, "becomes", status))
    find(node["vanished"], lifecycle, (*_HERE, "vanished"))
    for operation in node["operations"]:
        find(operation, operations, (*_HERE, "operations", operation))


def _check_fields(node: Json, resource: Resource) -> None:
    """Refuse fields that the resource does not have, and words of `also` that nobody knows; raises PartInvalid."""
    for name, (word, *_) in node["also"].items():
        if word not in _ALSO:
            raise PartInvalid((*_HERE, "also", name), f"`{word}` is none of copy, utc and minutes")
    copied = [name for words in node["also"].values() for name in words[1:]]
    named = (node["status"], node["replaces"], node["channel"], *node["span"], *node["tracked"])
    for name in (*named, *node["moved"]["fields"], *copied):
        if resource.field(name) is None:
            raise PartInvalid(_HERE, f"`{name}` is no field of {node['of']}")


def _later(status: str, lifecycle: Mapping[str, AbstractSet[str]]) -> frozenset[str]:
    """Give all statuses that may follow one, at once or by way of others."""
    found, waiting = set[str](), set(lifecycle[status])
    while waiting:
        found |= waiting
        waiting = {following for one in waiting for following in lifecycle[one]} - found
    return frozenset(found)
