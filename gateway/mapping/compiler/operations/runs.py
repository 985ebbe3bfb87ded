"""What a step asks, compiled: a call or another operation, what takes that back, and what looks what became of it."""

from __future__ import annotations

from collections.abc import Mapping

from gateway.documents.yaml import Place, suggestion
from gateway.mapping.checks.writes import check_success
from gateway.mapping.compiler.conditions import condition_of
from gateway.mapping.compiler.context import Context
from gateway.mapping.compiler.http.calls import compile_call as compile_one
from gateway.mapping.compiler.scene import Scene
from gateway.mapping.compiler.trees import compile_sourced_object
from gateway.mapping.language.http import Call
from gateway.mapping.language.steps import Recover, Undo
from gateway.mapping.nodes.calls import CallPlan, RecoverPlan, RunPlan
from gateway.mapping.nodes.trees import MadeOf
from gateway.model.model import Operation
from gateway.values.messages import Effect, Json


def compile_run(scene: Scene, name: str, given: Mapping[str, Json] | None, place: Place) -> RunPlan:
    """Compile `run` and `with` of what stands at a place: a step, an undo or a result."""
    context = scene.context
    if name not in scene.operations:
        context.report((*place, "run"), "unknown-operation", scene.not_mapped(name))
    else:
        _check_with(context, context.model.operations.get(name), given, place)
    origin = context.origin(place)
    if given is None:
        same = MadeOf(frozenset({("args", "id")}), context.given.owed if context.given is not None else {})
        return RunPlan(name, None, MadeOf(members={"id": same}), origin)
    arguments, made_of = compile_sourced_object(context, given, (*place, "with"), scene.names)
    return RunPlan(name, arguments, made_of, origin)


def _check_with(context: Context, operation: Operation | None, given: Mapping[str, Json] | None, place: Place) -> None:
    """What is handed to an operation is among its arguments, and what it needs is handed over."""
    if operation is None or (given is not None and any(key.startswith("$") for key in given)):
        return
    for key in given or ():
        if key not in operation.args:
            message = f"{operation.name} has no argument `{key}`{suggestion(key, operation.args)}"
            context.report((*place, "with", key), "unknown-argument", message, key=True)
    for argument in operation.args.values():
        if argument.required and argument.name not in (["id"] if given is None else given):
            context.report((*place, "with"), "missing-key", f"{operation.name} needs `{argument.name}`")


def compile_undo(scene: Scene, name: str, node: Undo) -> CallPlan | RunPlan | None:
    """Compile an undo: of what makes something it names that, and nothing that another call may have made."""
    with scene.context.collecting() as reads:
        undo = _compile_either(scene.knowing(name), node, Effect.UNSAFE)
    read = {use[0] for use in reads.names} | reads.roots
    if undo is not None and scene.arguments and "id" not in scene.arguments and read.isdisjoint(scene.own | {name}):
        message = f"it does not say what `{name}` made: use the answer, or an id taken from `uuid()`"
        scene.context.report(node.place, "undo-of-others", message)
    return undo


def compile_recover(scene: Scene, node: Recover, *, harmless: bool) -> RecoverPlan | None:
    """Compile a look: it only reads, and is asked where a write is in doubt."""
    context, place = scene.context, node.place
    if not node.sound:
        return None
    if harmless:
        message = "`recover` tells what became of a write; this step only reads, or may stay"
        context.report(place, "unknown-key", message, key=True)
    look = _compile_either(scene, node, Effect.SAFE)
    operation = context.model.operations.get(node.run or "")
    if operation is not None and operation.effect is not Effect.SAFE:
        message = f"a look must change nothing, and {operation.name} does; run an operation that reads"
        context.report((*place, "run"), "look-that-writes", message)
    keep = context.path(node.keep, (*place, "keep")) if node.keep is not None else None
    done = condition_of(context, node, "done", scene.names | {"body"}, may_be_null=True)
    if look is None or done is None:
        return None
    return RecoverPlan(look, keep, done, context.origin(place))


def _compile_either(scene: Scene, node: Undo | Recover, effect: Effect) -> CallPlan | RunPlan | None:
    """Compile what is done by one of `call` and `run`."""
    if node.run is not None:
        return compile_run(scene, node.run, node.with_, node.place)
    return compile_call(scene, node.call, effect) if node.call is not None else None


def compile_call(scene: Scene, node: Call, effect: Effect) -> CallPlan | None:
    """Compile a call; one that writes and reads a text says what its success looks like."""
    plan = compile_one(scene.context, node, scene.names, scene.http, reads=effect is Effect.SAFE)
    if plan is not None and effect is not Effect.SAFE and plan.answer == "text":
        check_success(scene.context, plan, node.place)
    return plan
