"""Operations, canonical and native, compiled: arguments, variants, steps and where the result is.

Nothing here runs a step; `engine` does. The names a template may use grow from step to step, so that a step can only
refer to what is known by then.
"""

from __future__ import annotations

from dataclasses import replace

from gateway.documents.yaml import Place, suggestion
from gateway.mapping.checks.calls import check_possible
from gateway.mapping.checks.given import given_to, given_to_native
from gateway.mapping.checks.operations import check_arguments, check_names, check_native_arguments
from gateway.mapping.checks.type_checks import check_taken_apart, check_tree
from gateway.mapping.checks.writes import check_remembered
from gateway.mapping.compiler.context import CALL, REMEMBERED, Context
from gateway.mapping.compiler.http.calls import Http, compile_rules, seconds
from gateway.mapping.compiler.operations.alternatives import compile_needs
from gateway.mapping.compiler.operations.runs import compile_gives
from gateway.mapping.compiler.operations.steps import compile_steps
from gateway.mapping.compiler.operations.takes import compile_takes
from gateway.mapping.compiler.records.rows import Wanted, compile_rows
from gateway.mapping.compiler.scene import Scene
from gateway.mapping.compiler.trees import compile_object
from gateway.mapping.language.http import Call
from gateway.mapping.language.operations import Native
from gateway.mapping.nodes.calls import OperationPlan, VariantPlan
from gateway.mapping.nodes.given import NativeArgument, WindowPlan
from gateway.mapping.nodes.trees import Tree
from gateway.model.model import Operation
from gateway.values.messages import Effect, Json

_RESULT_NAMES = frozenset({"args", "settings", "window"})
_BEFORE_THE_CALL = frozenset({"settings", "connection"})
_ONE, _MANY = "`at:` for the one object", "`rows:` for the list"


def compile_operation(
    context: Context, operation: Operation, node: Json, place: Place, http: Http, operations: frozenset[str]
) -> OperationPlan | None:
    """Compile one canonical operation; None with findings when its shape is wrong."""
    shape = context.check("operation", node, place)
    if shape is None:
        return None
    window = _compile_window(context, operation, shape, place)
    names = CALL | ({"window"} if window else set()) | _remembered(context, operation)
    inner = http.of_class(context, shape.get("class"), place)
    scene = Scene(context, inner, operation.effect, operations, frozenset(names), operation.not_found, operation.args)
    args_from, parts = _compile_args_from(context, operation, shape, place)
    check_possible(context, operation, shape, parts, place)
    given = given_to(operation, parts, unsupported=shape.get("unsupported", {}), requires=shape.get("requires", {}))
    with context.collecting() as reads, context.knowing(given):
        takes = compile_takes(scene, shape.get("take", {}), (*place, "take"))
        scene = scene.taking(takes)
        variants = _compile_variants(scene, operation, shape, place)
    plan = OperationPlan(
        name=operation.name,
        effect=operation.effect,
        support=shape.get("support", "native"),
        notes=shape.get("notes", ""),
        unsupported=shape.get("unsupported", {}),
        loses=shape.get("loses", {}),
        requires=shape.get("requires", {}),
        args_from=args_from,
        window=window,
        takes=takes,
        variants=variants,
        arguments={},
        not_found=operation.not_found,
        cache=_compile_cache(context, operation.effect, shape, place),
        origin=context.origin(place),
        needs=compile_needs(context, shape.get("needs"), place),
    )
    ignored = check_arguments(context, operation, plan, reads, place)
    plan = replace(plan, unsupported={**plan.unsupported, **ignored})
    check_remembered(context, reads, place)
    check_names(context, reads, shape, operation.effect, place)
    return plan


def _remembered(context: Context, operation: Operation) -> set[str]:
    """What is remembered is told to writes of a booking that is there."""
    writes = operation.name in context.model.changes.operations and "id" in operation.args
    return {REMEMBERED} if writes else set()


def compile_native(context: Context, name: str, node: Json, place: Place, http: Http) -> OperationPlan | None:
    """Compile one operation of the vendor's own; None with findings when its shape is wrong."""
    shape = context.check("native", node, place)
    if shape is None:
        return None
    arguments = {}
    for argument, spec in shape.get("args", {}).items():
        checked = context.check("argument", spec, (*place, "args", argument))
        if checked is not None:
            allowed = tuple(checked.get("allowed", ()))
            arguments[argument] = NativeArgument(
                checked["type"],
                checked.get("required", False),
                checked.get("default"),
                allowed,
                checked.get("meaning", ""),
            )
    effect = Effect.SAFE if shape["safe"] else Effect.UNSAFE
    scene = Scene(context, http.of_class(context, shape.get("class"), place), effect, frozenset(), CALL, None, {})
    with context.collecting() as reads, context.knowing(given_to_native(arguments)):
        takes = compile_takes(scene, shape.get("take", {}), (*place, "take"))
        scene = scene.taking(takes)
        variant = _compile_variant(scene, None, shape, place)
    check_native_arguments(context, arguments, reads, place)
    check_names(context, reads, shape, effect, place)
    return OperationPlan(
        name=f"native.{name}",
        effect=effect,
        support="native",
        notes=shape.get("notes", ""),
        unsupported={},
        loses={},
        requires={},
        args_from={},
        window=None,
        takes=takes,
        variants=(variant,) if variant else (),
        arguments=arguments,
        not_found=None,
        cache=_compile_cache(context, effect, shape, place),
        origin=context.origin(place),
        needs=compile_needs(context, shape.get("needs"), place),
    )


def _compile_cache(context: Context, effect: Effect, shape: dict[str, Json], place: Place) -> float | None:
    """Seconds for which answers are kept. What changes something is asked for every time."""
    if "cache" not in shape:
        return None
    if effect is not Effect.SAFE:
        message = "only the answers of an operation that changes nothing can be kept"
        context.report((*place, "cache"), "cache-of-a-write", message, key=True)
    return seconds(shape["cache"])


def _compile_window(context: Context, operation: Operation, shape: dict[str, Json], place: Place) -> WindowPlan | None:
    if "window" not in shape:
        return None
    node = context.check("window", shape["window"], (*place, "window"))
    if node is None:
        return None
    if operation.window is None:
        context.report((*place, "window"), "no-window", f"{operation.name} has no from and to", key=True)
    elif "default_days" not in node and not all(operation.args[name].required for name in operation.window):
        message = f"{operation.name} can be called without from and to; say `default_days`"
        context.report((*place, "window"), "window-without-default", message)
    return WindowPlan(node.get("max_days"), node.get("default_days"))


def _compile_args_from(
    context: Context, operation: Operation, shape: dict[str, Json], place: Place
) -> tuple[dict[str, Json], dict[str, frozenset[str]]]:
    """Compile `args_from:`: how each argument is taken apart, and into which others."""
    found, parts = {}, {}
    for argument, spec in shape.get("args_from", {}).items():
        where = (*place, "args_from", argument)
        codec = context.codec(spec, where)
        if argument not in operation.args:
            hint = suggestion(argument, operation.args)
            context.report(where, "unknown-argument", f"{operation.name} has no argument `{argument}`{hint}", key=True)
        if codec is None:
            continue
        if codec.encode is None or codec.parts is None:
            context.report(where, "not-invertible", "only a join codec takes an argument apart")
            continue
        for part, inner in codec.parts.items():
            if part not in operation.args:
                hint = suggestion(part, operation.args)
                context.report(where, "unknown-argument", f"{operation.name} has no argument `{part}`{hint}")
            check_taken_apart(context, operation.args.get(part), part, inner, where)
        for name in sorted({use[0] for use in codec.uses} - _BEFORE_THE_CALL):
            context.report(where, "unknown-name", f"the codec uses `{name}`, which is not known before the call begins")
        found[argument], parts[argument] = codec, frozenset(codec.parts)
    return found, parts


def _compile_variants(
    scene: Scene, operation: Operation, shape: dict[str, Json], place: Place
) -> tuple[VariantPlan, ...]:
    if "choose" not in shape:
        variant = _compile_variant(scene, operation, shape, place)
        return (variant,) if variant else ()
    for key in ("call", "steps", "errors", "at", "rows", "row", "union", "gives", "set", "filters", "find"):
        if key in shape:
            scene.context.report(
                (*place, key), "beside-choose", f"`{key}` belongs into the variants of `choose:`", key=True
            )
    variants = []
    context = scene.context
    for index, node in enumerate(shape["choose"]):
        where = (*place, "choose", index)
        checked = scene.context.check("variant", node, where)
        if checked is None:
            continue
        last = index == len(shape["choose"]) - 1
        if "when" not in checked and not last:
            scene.context.report(where, "unreachable-variant", "only the last variant may have no `when:`")
        with context.knowing(context.given):
            variant = _compile_variant(scene, operation, checked, where)
        if variant is not None:
            variants.append(variant)
            context.learn(variant.when, holds=False)
    return tuple(variants)


def _compile_variant(
    scene: Scene, operation: Operation | None, shape: dict[str, Json], place: Place
) -> VariantPlan | None:
    context = scene.context
    when = context.deciding(shape["when"], (*place, "when"), scene.names) if "when" in shape else None
    context.learn(when, holds=True)
    if "call" in shape and "steps" in shape:
        context.report(place, "two-bodies", "`call` or `steps`, not both")
    call = context.read(Call, shape["call"], (*place, "call")) if "call" in shape else None
    written = context.read_key(Native, "steps", shape.get("steps", []), (*place, "steps"))
    steps, inner = compile_steps(scene, call, written, place)
    sole = "call" in shape
    result_names = _RESULT_NAMES | (inner.names - scene.names) | (scene.names - CALL)
    resource = operation.resource.name if operation is not None and operation.resource is not None else ""
    wanted = Wanted(resource, None if sole else result_names, inner.names)
    rows = compile_rows(context, shape, place, wanted) if operation else ()
    gives = compile_gives(inner, shape["gives"], (*place, "gives")) if "gives" in shape else None
    find = shape.get("find")
    if find is not None and find not in scene.operations:
        context.report((*place, "find"), "unknown-operation", scene.not_mapped(find))
    if not any(key in shape for key in ("call", "steps", "rows", "at", "union", "gives", "find")):
        context.report(place, "nothing-to-do", "`call`, `steps`, `rows`, `gives` or `find` is needed")
    if operation is not None:
        _check_result(context, operation, shape, place)
    at = context.path(shape["at"], (*place, "at")) if operation is None and "at" in shape else None
    return VariantPlan(
        when=when,
        steps=steps,
        sole=sole,
        rows=rows,
        gives=gives,
        set=compile_object(context, shape["set"], (*place, "set"), inner.names) if "set" in shape else None,
        filters=_compile_filters(inner, operation, shape, place),
        find=find,
        at=at,
        rules=compile_rules(context, shape.get("errors"), (*place, "errors")),
        not_found=scene.not_found,
        origin=context.origin(place),
    )


def _compile_filters(scene: Scene, operation: Operation | None, shape: dict[str, Json], place: Place) -> Tree | None:
    """What arguments stand for where rows are chosen by them: only those by which the gateway chooses."""
    if "filters" not in shape:
        return None
    where, known = (*place, "filters"), operation.filters if operation is not None else {}
    for name in shape["filters"]:
        if name not in known:
            message = f"the gateway chooses no rows by `{name}` here{suggestion(name, known)}"
            scene.context.report((*where, name), "unknown-argument", message, key=True)
    return compile_object(scene.context, shape["filters"], where, scene.names)


def _check_result(context: Context, operation: Operation, shape: dict[str, Json], place: Place) -> None:
    """What the contract promises is given, in its kind: one object, a list, or nothing."""
    given = [key for key in ("at", "rows", "union", "gives", "find") if key in shape]
    if operation.resource is None:
        for key in (*given, *({"set"} & shape.keys())):
            context.report((*place, key), "wrong-result", f"{operation.name} gives nothing", key=True)
        return
    one = operation.gives == "one"
    if not given:
        message = f"{operation.name} gives {operation.resource.name}: write {_ONE if one else _MANY}, or `gives:`"
        context.report(place, "result-missing", message)
    if len(given) > 1:
        context.report((*place, given[1]), "wrong-result", f"`{given[0]}` is the result already", key=True)
    for key in given:
        if key in ("rows", "union") if one else key == "at":
            context.report((*place, key), "wrong-result", f"write {_ONE if one else _MANY}", key=True)
    _check_other(context, operation, shape, place)
    for name in shape.get("set", ()):
        if name not in operation.resource.fields:
            hint = suggestion(name, operation.resource.fields)
            message = f"{operation.resource.name} has no field `{name}`{hint}"
            context.report((*place, "set", name), "unknown-field", message, key=True)
        else:
            check_tree(context, operation.resource.fields[name], shape["set"][name], (*place, "set", name))


def _check_other(context: Context, operation: Operation, shape: dict[str, Json], place: Place) -> None:
    """An operation whose result is taken gives the same: `find` looks in a list, `gives` repeats what was given."""
    gives = shape.get("gives")
    for key, name, kind in (
        ("find", shape.get("find"), "list"),
        ("gives", gives.get("run") if isinstance(gives, dict) else None, operation.gives),
    ):
        other = context.model.operations.get(name) if isinstance(name, str) else None
        if other is not None and (other.gives != kind or other.resource != operation.resource):
            context.report((*place, key), "wrong-result", f"`{name}` does not give what {operation.name} gives")
    if "find" in shape and "id" not in operation.args:
        context.report((*place, "find"), "wrong-result", f"{operation.name} has no id to look for", key=True)
    name = gives.get("step") if isinstance(gives, dict) else None
    for step in shape.get("steps", ()) if name is not None else ():
        if isinstance(step, dict) and step.get("name") == name:
            other = context.model.operations.get(str(step.get("run")))
            if other is None or other.resource != operation.resource or "for_each" in step:
                message = f"the step `{name}` runs no operation that gives what {operation.name} gives"
                context.report((*place, "gives"), "wrong-result", message)
