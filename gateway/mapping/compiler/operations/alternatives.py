"""The ways of an operation, and which of them a connection has.

A setting may open another way to do something, or the only one. That is decided once, when a connection is bound, and
never by a template: so its capabilities and its OpenAPI document can say what is true of it. Nothing here runs a step.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import fields
from typing import Final, TypeAlias

from gateway.documents.yaml import Place, suggestion
from gateway.mapping.compiler.context import Context
from gateway.mapping.nodes.calls import FoundResult, OperationPlan, RunPlan, VariantPlan, parts_of
from gateway.mapping.nodes.hooks import Hook
from gateway.mapping.nodes.provider import FittedPlan, ProviderPlan
from gateway.values.messages import Json

NATIVE = "native."
"""What the names of a provider's own operations begin with."""
Ways: TypeAlias = tuple[OperationPlan, ...]
_FITTED: Final = frozenset({"ways", "unsupported", "hooks"})
"""What a connection has its own of."""


def fit(provider: ProviderPlan, settings: Mapping[str, Json]) -> FittedPlan:
    """The provider as a connection with these settings has it.

    Of each operation there is the first way whose needs are met. Where none is, it is unsupported, for the reason of
    the first setting that is lacking. A hook whose needs are not met is not there.
    """
    found: dict[str, OperationPlan] = {}
    unsupported = {name: reason for name, reason in provider.unsupported.items() if name not in provider.ways}
    for name, ways in provider.ways.items():
        lacking = [next(_lacking(way, settings), None) for way in ways]
        if None in lacking:
            found[name] = ways[lacking.index(None)]
        elif lacking[0] is not None:
            unsupported[name] = lacking[0]
    common = {one.name: getattr(provider, one.name) for one in fields(provider) if one.name not in _FITTED}
    return FittedPlan(
        **common,
        compiled=provider,
        operations={name: way for name, way in found.items() if not name.startswith(NATIVE)},
        native={name.removeprefix(NATIVE): way for name, way in found.items() if name.startswith(NATIVE)},
        unsupported=unsupported,
        hooks={name: hook for name, hook in provider.hooks.items() if not any(_lacking(hook, settings))},
    )


def way_of(provider: FittedPlan, name: str) -> OperationPlan | None:
    """The operation of this name, canonical or `native.` and its own, as the provider has it; None where it has not."""
    return provider.operations.get(name) or provider.native.get(name.removeprefix(NATIVE))


def _lacking(way: OperationPlan | Hook, settings: Mapping[str, Json]) -> Iterator[str]:
    """The reasons of the settings that a way, or a hook, needs and that are not given."""
    return (reason for name, reason in way.needs.items() if settings.get(name) is None)


def compile_ways(
    context: Context, node: Json, place: Place, compile_one: Callable[[Json, Place], OperationPlan | None]
) -> Ways:
    """Compile an operation, or the ways of one in their order; what has findings may be missing."""
    if not isinstance(node, list) or not node:
        plan = compile_one(node, place)
        return (plan,) if plan is not None else ()
    ways = []
    for index, one in enumerate(node):
        where = (*place, index)
        way = compile_one(one, where)
        if way is None:
            continue
        if not way.needs and index < len(node) - 1:
            context.report(where, "unreachable-way", "only the last way may need nothing")
        ways.append(way)
    return tuple(ways)


def compile_needs(context: Context, needs: dict[str, str] | None, place: Place) -> dict[str, str]:
    """Compile `needs`: settings that the file declares and that a connection may go without."""
    needs = needs or {}
    for name in needs:
        where = (*place, "needs", name)
        setting = context.settings.get(name)
        if setting is None:
            hint = suggestion(name, context.settings)
            context.report(where, "unknown-setting", f"`{name}` is not declared{hint}", key=True)
        elif setting.required or setting.default is not None:
            why = "it is required" if setting.required else "it has a default"
            context.report(where, "always-given", f"every connection has `{name}`: {why}", key=True)
    return needs


def check_runs(context: Context, operations: Mapping[str, Ways]) -> None:
    """What an operation runs, every connection that has the operation must have as well."""
    for name, ways in operations.items():
        for index, way in enumerate(ways):
            place: Place = ("operations", name, index) if len(ways) > 1 else ("operations", name)
            for other in sorted(set(runs_of(way)) & operations.keys()):
                if not any(found.needs.keys() <= way.needs.keys() for found in operations[other]):
                    needed = ", ".join(f"`{setting}`" for setting in operations[other][-1].needs)
                    message = f"it runs {other}, which a connection without {needed} does not have"
                    context.report(place, "run-not-given", message)


def runs_of(plan: OperationPlan) -> Iterator[str]:
    """The operations that one way of an operation runs."""
    return (name for variant in plan.variants for name in runs_in(variant))


def runs_in(variant: VariantPlan) -> Iterator[str]:
    """The operations that are run for a result, and by steps."""
    if isinstance(variant.result, FoundResult):
        yield variant.result.operation
    parts = (variant.result, *(part for step in variant.steps for part in parts_of(step)))
    yield from (part.operation for part in parts if isinstance(part, RunPlan))
