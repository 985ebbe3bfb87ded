"""The parts that trees are built of, as functions of the scope: objects, lists and loops. Nothing here is compiled."""

from __future__ import annotations

from gateway.effort import budgeted, spend
from gateway.mapping.expressions.sizes import check_size
from gateway.mapping.plan import LEFT_OUT, Build, Scope
from gateway.values.errors import MappingFault
from gateway.values.messages import Json


def list_of(builds: list[Build]) -> Build:
    """Make a list of what is not left out."""
    return lambda scope: [value for build in builds if (value := build(scope)) is not LEFT_OUT]


def object_of(builds: dict[str, Build]) -> Build:
    """Make an object of what is not left out."""
    pairs = tuple(builds.items())
    return lambda scope: {key: value for key, build in pairs if (value := build(scope)) is not LEFT_OUT}


def merged(builds: list[Build], origin: str) -> Build:
    """Lay objects over each other, the later ones over the earlier."""

    def build(scope: Scope) -> Json:
        laid: dict[str, Json] = {}
        for value in (part(scope) for part in builds):
            if value is LEFT_OUT or value is None:
                continue
            if not isinstance(value, dict):
                raise MappingFault(f"{origin}: every part of `$merge` must be an object", origin=origin)
            spend()
            laid |= value
        return laid

    return build


def looped(name: str, elements: Build, give: Build, key: Build | None, origin: str) -> Build:
    """Make one value for each element of a list, which has a name; with `key` an object of them."""

    def build(scope: Scope) -> Json:
        values = elements(scope)
        if not isinstance(values, list):
            raise MappingFault(f"{origin}: `$in` must give a list", origin=origin)
        return budgeted(lambda: loop(scope, values), origin, "$for")

    def loop(scope: Scope, values: list[Json]) -> Json:
        spend(len(values))
        made: list[Json] = []
        kept: list[Scope] = []  # for the keys alone, since a long list makes as many
        for value in values:
            inner = {**scope, name: value}
            if (given := give(inner)) is not LEFT_OUT:
                made.append(given)
                if key is not None:
                    kept.append(inner)
        check_size(made)
        if key is None:
            return made
        keys = [key(inner) for inner in kept]
        if not all(isinstance(one, str) for one in keys):
            raise MappingFault(f"{origin}: `$key` must give text", origin=origin)
        return dict(zip(keys, made, strict=True))

    return build
