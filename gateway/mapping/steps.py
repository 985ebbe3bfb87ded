"""Steps, guards and rows of an operation, compiled.

The names a template may use grow from step to step: a step can only refer to what is known by then.
"""

from __future__ import annotations

from dataclasses import replace

from gateway.document import Place, suggestion
from gateway.mapping.calls import compile_call
from gateway.mapping.checks import check_accepted, check_refusals
from gateway.mapping.checks_writes import check_success, check_taking_back
from gateway.mapping.context import CALL, RESERVED, Context
from gateway.mapping.expressions import Template
from gateway.mapping.given import Given
from gateway.mapping.kinds import element_of
from gateway.mapping.language.http import Call
from gateway.mapping.nodes.trees import MadeOf, Tree
from gateway.mapping.plan import (
    CallPlan,
    FanOut,
    GivesPlan,
    RecoverPlan,
    Refusal,
    RunPlan,
    StepPlan,
)
from gateway.mapping.reads import Reads
from gateway.mapping.rows import compile_levels
from gateway.mapping.scene import Scene
from gateway.mapping.takes import compile_takes
from gateway.mapping.trees import compile_object, compile_sourced_object, compile_tree
from gateway.model.model import Operation
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


def compile_steps(scene: Scene, shape: dict[str, Json], place: Place) -> tuple[tuple[StepPlan, ...], Scene]:
    """Compile `call` or `steps`; gives the scene in which the result stands."""
    if "call" in shape:
        call = _compile_call(scene, shape["call"], (*place, "call"), scene.effect)
        where = scene.context.origin(place)
        step = StepPlan(
            "answer", call, None, (), (), None, None, None, None, frozenset(), scene.effect, False, None, None, where
        )
        return ((step,) if call else ()), scene
    steps = []
    for index, node in enumerate(shape.get("steps", [])):
        where_step = (*place, "steps", index)
        checked = scene.context.check("step", node, where_step)
        step_plan = _compile_step(scene, checked, where_step) if checked is not None else None
        if step_plan is not None:
            steps.append(step_plan)
            known = [step_plan.name] if step_plan.name else []
            scene = scene.knowing(*known).taking(step_plan.takes)
            check_taking_back(scene.context, steps, where_step)
    return tuple(steps), scene


def _compile_step(scene: Scene, shape: dict[str, Json], place: Place) -> StepPlan | None:
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
) -> StepPlan:
    """Compile what a step does, inside of its condition and its list."""
    context, name, (when, fan_out) = scene.context, shape.get("name", ""), around
    for code in shape.get("accept", []):
        context.error_code(code, (*place, "accept"))
    check_accepted(context, shape.get("accept", []), scene.not_found, (*place, "accept"))
    effect, stays = _effect(scene, shape), shape.get("stays", False)
    return StepPlan(
        name=name,
        call=_compile_call(inner, shape["call"], (*place, "call"), effect) if "call" in shape else None,
        run=compile_run(inner, shape, place) if "run" in shape else None,
        refuse=_compile_refusals(inner, shape.get("refuse", []), (*place, "refuse")),
        takes=compile_takes(inner, shape.get("take", {}), (*place, "take")),
        make=_compile_make(inner, shape["make"], name, (*place, "make")) if "make" in shape else None,
        when=when,
        fan_out=fan_out,
        keep=context.path(shape["keep"], (*place, "keep")) if "keep" in shape else None,
        accept=frozenset(shape.get("accept", [])),
        effect=effect,
        stays=stays,
        undo=_compile_undo(inner, name, shape["undo"], (*place, "undo")) if "undo" in shape else None,
        recover=_compile_recover(inner, shape["recover"], (*place, "recover"), harmless=stays or effect is Effect.SAFE)
        if "recover" in shape
        else None,
        origin=context.origin(place),
        takes_back=shape.get("takes_back"),
        exclusive=_compile_exclusive(inner, shape, place),
    )


def _compile_make(scene: Scene, node: Json, name: str, place: Place) -> Tree:
    """Compile what a step makes; of nothing but arguments, it is the caller's as well."""
    context = scene.context
    with context.collecting() as reads:
        tree = compile_tree(context, node, place, scene.names)
    if context.given is not None:
        context.given = context.given.naming(name, None, context.given.owing(reads.names))
    return tree


def _compile_exclusive(scene: Scene, shape: dict[str, Json], place: Place) -> Template | None:
    """What a write is exclusive over. What changes nothing has no need to be alone."""
    if "exclusive" not in shape:
        return None
    if scene.effect is Effect.SAFE:
        message = "an operation that changes nothing waits for nobody; remove the step"
        scene.context.report((*place, "exclusive"), "exclusive-reading", message, key=True)
    return scene.context.expression(shape["exclusive"], (*place, "exclusive"), scene.names)


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


def compile_run(scene: Scene, shape: dict[str, Json], place: Place) -> RunPlan:
    """Compile `run` and `with` of a step, an undo or a result."""
    name = shape["run"]
    if name not in scene.operations:
        hint = suggestion(name, scene.operations)
        scene.context.report((*place, "run"), "unknown-operation", f"`{name}` is not mapped here{hint}")
    else:
        _check_with(scene.context, scene.context.model.operations.get(name), shape.get("with"), place)
    origin = scene.context.origin(place)
    if "with" not in shape:
        same = MadeOf(frozenset({("args", "id")}), scene.context.given.owed if scene.context.given is not None else {})
        return RunPlan(name, None, MadeOf(members={"id": same}), origin)
    arguments, made_of = compile_sourced_object(scene.context, shape["with"], (*place, "with"), scene.names)
    return RunPlan(name, arguments, made_of, origin)


def _check_with(context: Context, operation: Operation | None, given: Json, place: Place) -> None:
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


def _compile_undo(scene: Scene, name: str, node: Json, place: Place) -> CallPlan | RunPlan | None:
    """Compile an undo: of what makes something it names that, and nothing that another call may have made."""
    shape = scene.context.check("undo", node, place)
    if shape is None:
        return None
    with scene.context.collecting() as reads:
        undo = _compile_either(scene.knowing(name), shape, place, "an undo", Effect.UNSAFE)
    read = {use[0] for use in reads.names} | reads.roots
    if scene.arguments and "id" not in scene.arguments and read.isdisjoint(scene.own | {name}):
        message = f"it does not say what `{name}` made: use the answer, or an id taken from `uuid()`"
        scene.context.report(place, "undo-of-others", message)
    return undo


def _compile_either(
    scene: Scene, shape: dict[str, Json], place: Place, what: str, effect: Effect
) -> CallPlan | RunPlan | None:
    """Compile what is done by one of `call` and `run`."""
    if ("run" in shape) == ("call" in shape):
        scene.context.report(place, "step-without-kind", f"{what} has exactly one of `call` and `run`")
        return None
    if "call" in shape and "with" in shape:
        scene.context.report((*place, "with"), "unknown-key", "`with` does not go with `call`", key=True)
    if "run" in shape:
        return compile_run(scene, shape, place)
    return _compile_call(scene, shape["call"], (*place, "call"), effect)


def _compile_call(scene: Scene, node: Json, place: Place, effect: Effect) -> CallPlan | None:
    plan = compile_call(scene.context, scene.context.read(Call, node, place), scene.names, scene.http)
    if plan is not None and effect is not Effect.SAFE and node.get("answer", scene.http.answer) == "text":
        check_success(scene.context, plan, place)
    return plan


def _compile_recover(scene: Scene, node: Json, place: Place, *, harmless: bool) -> RecoverPlan | None:
    """Compile a look: it only reads, and is asked where a write is in doubt."""
    context = scene.context
    shape = context.check("recover", node, place)
    if shape is None:
        return None
    if harmless:
        message = "`recover` tells what became of a write; this step only reads, or may stay"
        context.report(place, "unknown-key", message, key=True)
    look = _compile_either(scene, shape, place, "a `recover`", Effect.SAFE)
    operation = context.model.operations.get(shape.get("run", ""))
    if operation is not None and operation.effect is not Effect.SAFE:
        message = f"a look must change nothing, and {operation.name} does; run an operation that reads"
        context.report((*place, "run"), "look-that-writes", message)
    keep = context.path(shape["keep"], (*place, "keep")) if "keep" in shape else None
    done = context.expression(shape["done"], (*place, "done"), scene.names | {"body"})
    if look is None or done is None:
        return None
    return RecoverPlan(look, keep, done, context.origin(place))


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


def compile_gives(scene: Scene, node: Json, place: Place) -> GivesPlan | None:
    """Compile `gives`."""
    shape = scene.context.check("gives", node, place)
    if shape is None:
        return None
    if ("run" in shape) == ("step" in shape):
        scene.context.report(
            place, "missing-key", "`gives` names either an operation to `run` or the `step` that ran one"
        )
        return None
    step = shape.get("step")
    if step is not None and "with" in shape:
        scene.context.report((*place, "with"), "unknown-key", "`with` does not go with `step`", key=True)
    if step is not None:
        scene.context.reads.roots.add(step)
    if step is not None and step not in scene.names:
        scene.context.report(
            (*place, "step"), "unknown-name", f"`{step}` is no step here{suggestion(step, scene.names)}"
        )
    return GivesPlan(compile_run(scene, shape, place) if step is None else None, step)
