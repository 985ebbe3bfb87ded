"""Steps, guards and rows of an operation, compiled.

The names a template may use grow from step to step: a step can only refer to what is known by then.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TypedDict

from gateway.document import Place
from gateway.mapping.checks import check_accepted, check_refusals
from gateway.mapping.checks_writes import check_taking_back
from gateway.mapping.context import CALL, RESERVED, Context
from gateway.mapping.expressions import Path, Template
from gateway.mapping.given import Given
from gateway.mapping.kinds import element_of
from gateway.mapping.nodes.trees import Tree
from gateway.mapping.plan import (
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
from gateway.mapping.reads import Reads
from gateway.mapping.rows import compile_levels
from gateway.mapping.runs import compile_call, compile_recover, compile_run, compile_undo
from gateway.mapping.scene import Scene
from gateway.mapping.takes import compile_takes
from gateway.mapping.trees import compile_object, compile_tree
from gateway.values.messages import Effect, Json

_AFTER_A_CALL = frozenset({"name", "when", "for_each", "keep", "accept", "safe", "stays", "undo", "recover"})
_BESIDE: dict[str, frozenset[str]] = {
    "call": _AFTER_A_CALL,
    "run": _AFTER_A_CALL | {"with"},
    "refuse": frozenset({"when", "takes_back"}),
    "take": frozenset({"when"}),
    "make": frozenset({"name", "when"}),
    "exclusive": frozenset({"when"}),
}
"""What a step does → the keys that mean something beside it."""


class _Common(TypedDict):
    """What every step that asks the provider has."""

    name: str
    when: Template | None
    fan_out: FanOut | None
    keep: Path | None
    accept: frozenset[str]
    effect: Effect
    stays: bool
    undo: CallPlan | RunPlan | None
    recover: RecoverPlan | None
    origin: str


def compile_steps(scene: Scene, shape: dict[str, Json], place: Place) -> tuple[tuple[Step, ...], Scene]:
    """Compile `call` or `steps`; gives the scene in which the result stands."""
    if "call" in shape:
        call = compile_call(scene, shape["call"], (*place, "call"), scene.effect)
        if call is None:
            return (), scene
        return (CallStep(name="answer", call=call, effect=scene.effect, origin=scene.context.origin(place)),), scene
    steps: list[Step] = []
    sound = True
    for index, node in enumerate(shape.get("steps", [])):
        where_step = (*place, "steps", index)
        checked = scene.context.check("step", node, where_step)
        step = _compile_step(scene, checked, where_step) if checked is not None else None
        if step is None:  # what it would give is known all the same: one mistake is told once
            sound = False
            scene = scene.knowing(*_names_in(node))
            continue
        steps.append(step)
        scene = scene.taking(step.takes) if isinstance(step, VarsStep) else scene.knowing(*step.names)
        if sound and isinstance(step, RefuseStep):
            check_taking_back(scene.context, steps[:-1], step, where_step)
    return tuple(steps), scene


def _names_in(node: Json) -> list[str]:
    """Give the names that a step as it is written would give, whatever else is wrong with it."""
    if not isinstance(node, dict):
        return []
    taken = node.get("take")
    names = [node.get("name"), *(taken if isinstance(taken, dict) else ())]
    return [name for name in names if isinstance(name, str) and name]


def _compile_step(scene: Scene, shape: dict[str, Json], place: Place) -> Step | None:
    context = scene.context
    kinds = [kind for kind in _BESIDE if kind in shape]
    if len(kinds) != 1:
        message = f"a step has exactly one of {', '.join(f'`{kind}`' for kind in _BESIDE)}"
        context.report(place, "step-without-kind", message)
        return None
    _check_beside(context, shape, kinds[0], place)
    name = shape.get("name", "")
    if kinds in (["call"], ["run"], ["make"]) and not name:
        context.report(place, "missing-key", "`name` is missing (the name its value is known by)")
    if name in scene.names or name in RESERVED:
        context.report((*place, "name"), "reserved-name", f"`{name}` is already a name here")
    with context.collecting() as listed:
        fan_out = _compile_fan_out(scene, shape["for_each"], (*place, "for_each")) if "for_each" in shape else None
    inner = scene.knowing(*fan_out.names) if fan_out else scene
    when = context.deciding(shape["when"], (*place, "when"), inner.names) if "when" in shape else None
    with context.knowing(_naming(context.given, fan_out, listed)):
        context.learn(when, holds=True)
        plan = _compile_kind(scene, inner, shape, place, (when, fan_out))
        learned = context.given
    if context.given is not None and learned is not None:
        conditional = when is not None or fan_out is not None  # then what was asked inside may not have been
        names = fan_out.names if fan_out is not None else ()
        owed = {name: fields for name, fields in learned.owed.items() if name not in names}
        context.given = replace(context.given, owed=owed) if conditional else learned
    return plan


def _naming(given: Given | None, fan_out: FanOut | None, listed: Reads) -> Given | None:
    """What is known inside `for_each`, whose elements are the caller's where the list is."""
    if given is None or fan_out is None or fan_out.elements is None:
        return given
    element = element_of(fan_out.elements.holes[0].tree, given)
    return given.naming(fan_out.names[0], element, given.owing(listed.names))


def _compile_kind(
    scene: Scene, inner: Scene, shape: dict[str, Json], place: Place, around: tuple[Template | None, FanOut | None]
) -> Step | None:
    """Compile what a step does, inside of its condition and its list."""
    name, (when, fan_out), origin = shape.get("name", ""), around, scene.context.origin(place)
    if "refuse" in shape:
        guards = _compile_refusals(inner, shape["refuse"], (*place, "refuse"))
        return RefuseStep(guards=guards, takes_back=shape.get("takes_back"), when=when, origin=origin)
    if "take" in shape:
        return VarsStep(takes=compile_takes(inner, shape["take"], (*place, "take")), when=when, origin=origin)
    if "make" in shape:
        value = _compile_make(inner, shape["make"], name, (*place, "make"))
        return ComputeStep(name=name, value=value, when=when, origin=origin)
    if "exclusive" in shape:
        over = _compile_exclusive(inner, shape["exclusive"], (*place, "exclusive"))
        return ExclusiveStep(over=over, when=when, origin=origin) if over is not None else None
    return _compile_asking(inner, shape, place, (when, fan_out))


def _compile_asking(
    scene: Scene, shape: dict[str, Json], place: Place, around: tuple[Template | None, FanOut | None]
) -> AskingStep | None:
    """Compile a step that asks the provider, by a call or by another operation."""
    context, name, (when, fan_out) = scene.context, shape.get("name", ""), around
    for code in shape.get("accept", []):
        context.error_code(code, (*place, "accept"))
    check_accepted(context, shape.get("accept", []), scene.not_found, (*place, "accept"))
    effect, stays = _effect(scene, shape), shape.get("stays", False)
    call = compile_call(scene, shape["call"], (*place, "call"), effect) if "call" in shape else None
    run = compile_run(scene, shape, place) if "run" in shape else None
    common = _Common(
        name=name,
        when=when,
        fan_out=fan_out,
        keep=context.path(shape["keep"], (*place, "keep")) if "keep" in shape else None,
        accept=frozenset(shape.get("accept", [])),
        effect=effect,
        stays=stays,
        undo=compile_undo(scene, name, shape["undo"], (*place, "undo")) if "undo" in shape else None,
        recover=compile_recover(scene, shape["recover"], (*place, "recover"), harmless=stays or effect is Effect.SAFE)
        if "recover" in shape
        else None,
        origin=context.origin(place),
    )
    if run is not None:
        return RunStep(run=run, **common)
    return CallStep(call=call, **common) if call is not None else None


def _compile_make(scene: Scene, node: Json, name: str, place: Place) -> Tree:
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


def _check_beside(context: Context, shape: dict[str, Json], kind: str, place: Place) -> None:
    for key in shape:
        if key != kind and key not in _BESIDE[kind]:
            context.report((*place, key), "unknown-key", f"`{key}` does not go with `{kind}`", key=True)


def _effect(scene: Scene, shape: dict[str, Json]) -> Effect:
    """A reading step is safe; what may stay is no unknown outcome when its answer is lost, and is not sent again."""
    if shape.get("safe"):
        return Effect.SAFE
    return Effect.IDEMPOTENT if shape.get("stays") else scene.effect


def _compile_fan_out(scene: Scene, node: Json, place: Place) -> FanOut | None:
    """One name for the elements of a list, or named levels for the elements of nested ones."""
    shape = scene.context.check("for_each", node, place)
    if shape is None:
        return None
    several = isinstance(shape["in"], list)
    if several == ("as" in shape):
        scene.context.report(
            place, "missing-key", "`as` names the elements of one list; levels have names of their own"
        )
        return None
    if several:
        public = (scene.names - CALL) | {"args", "settings", "window"}
        levels = tuple(compile_levels(scene.context, shape["in"], (*place, "in"), frozenset(public), scene.names))
        names = tuple(level.name for level in levels)
        fan_out = FanOut(None, levels, names, shape["at_once"]) if levels else None
    else:
        elements = scene.context.expression(shape["in"], (*place, "in"), scene.names)
        names = (shape["as"],)
        fan_out = FanOut(elements, (), names, shape["at_once"]) if elements is not None else None
    for name in names:
        if name in scene.names or name in RESERVED:
            scene.context.report(place, "reserved-name", f"`{name}` is already a name here")
    return fan_out


def _compile_refusals(scene: Scene, nodes: Json, place: Place) -> tuple[Refusal, ...]:
    context, refusals = scene.context, []
    check_refusals(context, nodes, place)
    for index, node in enumerate(nodes):
        where = (*place, index)
        shape = context.check("refusal", node, where)
        if shape is None:
            continue
        context.error_code(shape["is"], (*where, "is"))
        when = context.deciding(shape["when"], (*where, "when"), scene.names)
        with context.where(when):
            details = (
                compile_object(context, shape["details"], (*where, "details"), scene.names)
                if "details" in shape
                else None
            )
        context.learn(when, holds=False)  # from here on: else the operation has ended
        if when is not None:
            refusals.append(Refusal(when, shape["is"], shape["message"], details, context.origin(where)))
    return tuple(refusals)
