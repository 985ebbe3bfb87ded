"""Steps, guards and rows of an operation, compiled.

The names a template may use grow from step to step: a step can only refer to what is known by then.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TypedDict

from gateway.documents.yaml import Place
from gateway.mapping.checks.given import GivenArguments
from gateway.mapping.checks.header_names import check_name
from gateway.mapping.checks.kinds import element_of
from gateway.mapping.checks.operations import check_ignored, check_refusals
from gateway.mapping.checks.usage import Reads
from gateway.mapping.checks.writes import check_taking_back
from gateway.mapping.compiler.conditions import condition_of
from gateway.mapping.compiler.context import CALL, RESERVED, Context
from gateway.mapping.compiler.operations.runs import compile_call, compile_recover, compile_run, compile_undo
from gateway.mapping.compiler.operations.variables import compile_variables
from gateway.mapping.compiler.records.rows import compile_levels
from gateway.mapping.compiler.scene import Scene
from gateway.mapping.compiler.trees import compile_object, compile_tree
from gateway.mapping.expressions import Path, Predicate, Template
from gateway.mapping.language import steps as written
from gateway.mapping.language.http import Call
from gateway.mapping.nodes.calls import (
    AskingStep,
    CallPlan,
    CallStep,
    ComputeStep,
    ExclusiveStep,
    FanOut,
    RecoverPlan,
    Refusal,
    RefuseStep,
    RunPlan,
    RunStep,
    Step,
    VarsStep,
)
from gateway.mapping.nodes.trees import Tree
from gateway.values.messages import Effect, Json


class _Common(TypedDict):
    """What every step that asks the provider has."""

    name: str
    when: Predicate | None
    fan_out: FanOut | None
    keep: Path | None
    ignore_errors: frozenset[str]
    effect: Effect
    keep_on_failure: bool
    undo: CallPlan | RunPlan | None
    recover: RecoverPlan | None
    origin: str


def compile_steps(
    scene: Scene, call: Call | None, steps: Sequence[written.Step], place: Place
) -> tuple[tuple[Step, ...], Scene]:
    """Compile `call` or `steps` of what stands at a place; gives the scene in which the result stands."""
    context = scene.context
    if call is not None:
        plan = compile_call(scene, call, scene.effect)
        if plan is None:
            return (), scene
        return (CallStep(name="answer", call=plan, effect=scene.effect, origin=context.origin(place)),), scene
    found: list[Step] = []
    sound = True
    for node in steps:
        step = _compile_step(scene, node) if node.sound else None
        if step is None:  # what it would give is known all the same: one mistake is told once
            sound = False
            scene = scene.knowing(*_names_in(node.raw))
            continue
        found.append(step)
        scene = scene.with_variables(step.variables) if isinstance(step, VarsStep) else scene.knowing(*step.names)
        if sound and isinstance(step, RefuseStep):
            check_taking_back(context, found[:-1], step, node.place)
    return tuple(found), scene


def _names_in(node: Json) -> list[str]:
    """Give the names that a step as it is written would give, whatever else is wrong with it."""
    if not isinstance(node, dict):
        return []
    variables = node.get("vars")
    names = [node.get("name"), *(variables if isinstance(variables, dict) else ())]
    return [name for name in names if isinstance(name, str) and name]


def _compile_step(scene: Scene, node: written.Step) -> Step | None:
    context, place = scene.context, node.place
    if isinstance(node, written.CallStep | written.RunStep | written.ComputeStep):
        _check_name(scene, node.name, (*place, "name"))
    listed = node.for_each if isinstance(node, written.CallStep | written.RunStep) else None
    with context.collecting() as reads:
        fan_out = _compile_fan_out(scene, listed) if listed is not None and listed.sound else None
    inner = scene.knowing(*fan_out.names) if fan_out else scene
    when = condition_of(context, node, "when", inner.names)
    with context.knowing(_naming(context.given, fan_out, reads)):
        context.learn(when, holds=True)
        plan = _compile_kind(scene, inner, node, (when, fan_out))
        learned = context.given
    if context.given is not None and learned is not None:
        conditional = when is not None or fan_out is not None  # then what was asked inside may not have been
        names = fan_out.names if fan_out is not None else ()
        owed = {name: fields for name, fields in learned.owed.items() if name not in names}
        context.given = replace(context.given, owed=owed) if conditional else learned
    return plan


def _check_name(scene: Scene, name: str, place: Place) -> None:
    if name in scene.names or name in RESERVED:
        scene.context.report(place, "reserved-name", f"`{name}` is already a name here")


def _naming(given: GivenArguments | None, fan_out: FanOut | None, listed: Reads) -> GivenArguments | None:
    """What is known inside `for_each`, whose elements are the caller's where the list is."""
    if given is None or fan_out is None or fan_out.elements is None:
        return given
    element = element_of(fan_out.elements.holes[0].tree, given)
    return given.naming(fan_out.names[0], element, given.owing(listed.names))


def _compile_kind(
    scene: Scene, inner: Scene, node: written.Step, around: tuple[Predicate | None, FanOut | None]
) -> Step | None:
    """Compile what a step does, inside of its condition and its list. An undo stands outside of the list."""
    place, when, origin = node.place, around[0], scene.context.origin(node.place)
    match node:
        case written.RefuseStep():
            guards = _compile_refusals(inner, node.refuse)
            return RefuseStep(guards=guards, takes_back=node.takes_back, when=when, origin=origin)
        case written.VarsStep():
            return VarsStep(variables=compile_variables(inner, node.vars, (*place, "vars")), when=when, origin=origin)
        case written.ComputeStep():
            value = _compile_value(inner, node.compute, node.name, (*place, "compute"))
            return ComputeStep(name=node.name, value=value, when=when, origin=origin)
        case written.ExclusiveStep():
            over = _compile_exclusive(inner, node.exclusive, (*place, "exclusive"))
            return ExclusiveStep(over=over, when=when, origin=origin) if over is not None else None
    return _compile_asking(inner, node, around)


def _compile_asking(
    scene: Scene, node: written.AskingStep, around: tuple[Predicate | None, FanOut | None]
) -> AskingStep | None:
    """Compile a step that asks the provider, by a call or by another operation."""
    context, place, ignore_errors = scene.context, node.place, node.ignore_errors or []
    for code in ignore_errors:
        context.error_code(code, (*place, "ignore_errors"))
    check_ignored(context, ignore_errors, scene.not_found, (*place, "ignore_errors"))
    effect, keep_on_failure = _effect(scene, node), bool(node.keep_on_failure)
    call = compile_call(scene, node.call, effect) if isinstance(node, written.CallStep) else None
    run = compile_run(scene, node.run, node.with_, place) if isinstance(node, written.RunStep) else None
    harmless = keep_on_failure or effect is Effect.SAFE
    common = _Common(
        name=node.name,
        when=around[0],
        fan_out=around[1],
        keep=_compile_kept(context, node),
        ignore_errors=frozenset(ignore_errors),
        effect=effect,
        keep_on_failure=keep_on_failure,
        undo=compile_undo(scene, node.name, node.undo) if node.undo is not None else None,
        recover=compile_recover(scene, node.recover, harmless=harmless) if node.recover is not None else None,
        origin=context.origin(place),
    )
    if run is not None:
        return RunStep(run=run, **common)
    if call is not None and isinstance(node.keep, dict):
        call = replace(call, whole=True)
    return CallStep(call=call, **common) if call is not None else None


def _compile_kept(context: Context, node: written.AskingStep) -> Path | None:
    """Compile what a step keeps: what a path finds, or by name parts of the whole answer, which is then its value."""
    if not isinstance(node.keep, dict):
        return context.path(node.keep, (*node.place, "keep")) if node.keep is not None else None
    if isinstance(node, written.RunStep):
        message = "an operation that is run has no header and no status: write a path on what it gives"
        context.report((*node.place, "keep"), "wrong-form", message)
        return None
    parts = []
    for name, one in node.keep.items():
        where = (*node.place, "keep", name)
        if not one.sound or (one.at is not None and context.target(one.at, where) is None):
            return None
        if one.status is False:
            context.report((*where, "status"), "not-allowed", "`status: true` keeps it; leave it out otherwise")
        if one.header is not None:
            check_name(context, one.header, (*where, "header"))
        found = f'headers."{one.header.lower()}"' if one.header is not None else f"body | ({one.at})"
        parts.append(f"{name}: {'status' if one.status else found}")
    return context.path(f"{{{', '.join(parts)}}}", (*node.place, "keep"))


def _compile_value(scene: Scene, node: Json, name: str, place: Place) -> Tree:
    """Compile what a step makes; of nothing but arguments, it is the caller's as well."""
    context = scene.context
    with context.collecting() as reads:
        tree = compile_tree(context, node, place, scene.names)
    if context.given is not None:
        context.given = context.given.naming(name, None, context.given.owing(reads.names))
    return tree


def _compile_exclusive(scene: Scene, text: str, place: Place) -> Template | None:
    """What a write is exclusive over. What changes nothing has no need to be alone."""
    if scene.effect is Effect.SAFE:
        message = "an operation that changes nothing waits for nobody; remove the step"
        scene.context.report(place, "exclusive-reading", message, key=True)
    return scene.context.expression(text, place, scene.names)


def _effect(scene: Scene, node: written.AskingStep) -> Effect:
    """A reading step is safe; what may stay is no unknown outcome when its answer is lost, and is not sent again."""
    if node.safe:
        return Effect.SAFE
    return Effect.IDEMPOTENT if node.keep_on_failure else scene.effect


def _compile_fan_out(scene: Scene, node: written.ForEach) -> FanOut | None:
    """One name for the elements of a list, or named levels for the elements of nested ones."""
    context, place = scene.context, node.place
    if isinstance(node.in_, list) == ("as" in node):
        context.report(place, "missing-key", "`as` names the elements of one list; levels have names of their own")
        return None
    if isinstance(node.in_, list):
        public = (scene.names - CALL) | {"args", "settings", "window"}
        levels = tuple(compile_levels(context, node.in_, (*place, "in"), frozenset(public), scene.names))
        names = tuple(level.name for level in levels)
        fan_out = FanOut(None, levels, names, node.concurrency) if levels else None
    else:
        elements = context.expression(node.in_, (*place, "in"), scene.names)
        names = (node.as_ or "",)
        fan_out = FanOut(elements, (), names, node.concurrency) if elements is not None else None
    for name in names:
        _check_name(scene, name, place)
    return fan_out


def _compile_refusals(scene: Scene, nodes: Sequence[written.Refusal]) -> tuple[Refusal, ...]:
    context, refusals = scene.context, []
    check_refusals(context, nodes)
    for node in nodes:
        if not node.sound:
            continue
        where = node.place
        context.error_code(node.is_, (*where, "is"))
        when = condition_of(context, node, "when", scene.names)
        with context.where(when):
            details = compile_object(context, node.details, (*where, "details"), scene.names) if node.details else None
        context.learn(when, holds=False)  # from here on: else the operation has ended
        if when is not None:
            refusals.append(Refusal(when, node.is_, node.message, details, context.origin(where)))
    return tuple(refusals)
