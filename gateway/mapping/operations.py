"""Operations, canonical and native, compiled: arguments, variants, steps and where the result is.

Nothing here runs a step; `engine` does. The names a template may use grow from step to step, so that a step can only
refer to what is known by then.
"""

from __future__ import annotations

from gateway.document import Place, suggestion
from gateway.mapping.calls import Http, compile_rules
from gateway.mapping.context import CALL, Context
from gateway.mapping.plan import NativeArgument, OperationPlan, VariantPlan, WindowPlan
from gateway.mapping.rows import compile_rows
from gateway.mapping.steps import Scene, compile_gives, compile_steps, compile_takes
from gateway.mapping.trees import compile_object
from gateway.messages import Effect, Json
from gateway.model.model import Operation

_RESULT_NAMES = frozenset({"args", "settings", "window"})
_ONE, _MANY = "`at:` for the one object", "`rows:` for the list"


def compile_operation(
    context: Context, operation: Operation, node: Json, place: Place, http: Http, operations: frozenset[str]
) -> OperationPlan | None:
    """Compile one canonical operation; None with findings when its shape is wrong."""
    shape = context.check("operation", node, place)
    if shape is None:
        return None
    before, context.uses = context.uses, set()
    window = _compile_window(context, operation, shape, place)
    names = CALL | ({"window"} if window else set())
    scene = Scene(context, http, operation.effect, operations, frozenset(names), operation.not_found)
    takes = compile_takes(scene, shape.get("take", {}), (*place, "take"))
    scene = scene.knowing(*(take.name for take in takes))
    variants = _compile_variants(scene, operation, shape, place)
    uses, context.uses = frozenset(context.uses), before | context.uses
    args_from = _compile_args_from(context, operation, shape, place)
    plan = OperationPlan(
        name=operation.name,
        effect=operation.effect,
        support=shape.get("support", "native"),
        notes=shape.get("notes", ""),
        unsupported=shape.get("unsupported", {}),
        requires=shape.get("requires", {}),
        args_from=args_from,
        window=window,
        takes=takes,
        variants=variants,
        arguments={},
        uses=uses,
        not_found=operation.not_found,
        origin=context.origin(place),
    )
    _check_arguments(context, operation, plan, place)
    return plan


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
    before, context.uses = context.uses, set()
    effect = Effect.SAFE if shape["safe"] else Effect.UNSAFE
    scene = Scene(context, http, effect, frozenset(), CALL, None)
    takes = compile_takes(scene, shape.get("take", {}), (*place, "take"))
    scene = scene.knowing(*(take.name for take in takes))
    variant = _compile_variant(scene, None, shape, place)
    uses, context.uses = frozenset(context.uses), before | context.uses
    used = {use[1] for use in uses if use[0] == "args" and len(use) > 1}
    everything = ("args",) in uses
    for argument in arguments:
        if argument not in used and not everything:
            context.report(
                (*place, "args", argument), "unused-argument", f"`{argument}` is declared and never sent", key=True
            )
    for argument in sorted(used - set(arguments)):
        context.report(place, "unknown-argument", f"`args.{argument}` is not declared{suggestion(argument, arguments)}")
    return OperationPlan(
        name=f"native.{name}",
        effect=effect,
        support="native",
        notes=shape.get("notes", ""),
        unsupported={},
        requires={},
        args_from={},
        window=None,
        takes=takes,
        variants=(variant,) if variant else (),
        arguments=arguments,
        uses=uses,
        not_found=None,
        origin=context.origin(place),
    )


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


def _compile_args_from(context: Context, operation: Operation, shape: dict[str, Json], place: Place) -> dict[str, Json]:
    found = {}
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
        for part in codec.parts:
            if part not in operation.args:
                hint = suggestion(part, operation.args)
                context.report(where, "unknown-argument", f"{operation.name} has no argument `{part}`{hint}")
        found[argument] = codec.encode
    return found


def _check_arguments(context: Context, operation: Operation, plan: OperationPlan, place: Place) -> None:
    """Every canonical argument is used, filtered by the gateway itself, or declared unsupported."""
    for key in ("unsupported", "requires"):
        for argument in getattr(plan, key):
            if argument not in operation.args:
                hint = suggestion(argument, operation.args)
                context.report(
                    (*place, key, argument),
                    "unknown-argument",
                    f"{operation.name} has no argument `{argument}`{hint}",
                    key=True,
                )
    used = {use[1] for use in plan.uses if use[0] == "args" and len(use) > 1}
    for argument in sorted(used - set(operation.args)):
        hint = suggestion(argument, operation.args)
        context.report(place, "unknown-argument", f"`args.{argument}`: {operation.name} has no such argument{hint}")
    if any(variant.find for variant in plan.variants):
        return
    known = used | set(plan.unsupported) | set(plan.args_from) | set(operation.common) | _filtered(operation, plan)
    known |= {name for name, argument in operation.args.items() if argument.type.kind == "time_zone"}
    known |= {operation.sort} if operation.sort else set()
    if plan.window is not None and operation.window is not None:
        known |= set(operation.window)
    if any(variant.gives and variant.gives.run and variant.gives.run.arguments is None for variant in plan.variants):
        known |= {"id"}
    for argument in operation.args:
        if argument not in known:
            message = (
                f"{operation.name} promises `{argument}`: use it, or say under `unsupported:` why it cannot be honoured"
            )
            context.report(place, "unused-argument", message, key=True)


def _filtered(operation: Operation, plan: OperationPlan) -> set[str]:
    """Arguments the gateway can apply itself, because every row has the field they look at."""
    produced: set[str] | None = None
    for variant in plan.variants:
        for rows in variant.rows:
            fields = {field.name.split(".")[0] for field in rows.record.fields if field.mode != "write"}
            produced = fields if produced is None else produced & fields
    known = produced or set()
    return {name for name, rule in operation.filters.items() if known & {path.split(".")[0] for path in rule.fields}}


def _compile_variants(
    scene: Scene, operation: Operation, shape: dict[str, Json], place: Place
) -> tuple[VariantPlan, ...]:
    if "choose" not in shape:
        variant = _compile_variant(scene, operation, shape, place)
        return (variant,) if variant else ()
    for key in ("call", "steps", "errors", "at", "rows", "row", "union", "gives", "set", "find"):
        if key in shape:
            scene.context.report(
                (*place, key), "beside-choose", f"`{key}` belongs into the variants of `choose:`", key=True
            )
    variants = []
    for index, node in enumerate(shape["choose"]):
        where = (*place, "choose", index)
        checked = scene.context.check("variant", node, where)
        if checked is None:
            continue
        last = index == len(shape["choose"]) - 1
        if "when" not in checked and not last:
            scene.context.report(where, "unreachable-variant", "only the last variant may have no `when:`")
        variant = _compile_variant(scene, operation, checked, where)
        if variant is not None:
            variants.append(variant)
    return tuple(variants)


def _compile_variant(
    scene: Scene, operation: Operation | None, shape: dict[str, Json], place: Place
) -> VariantPlan | None:
    context = scene.context
    when = context.condition(shape["when"], (*place, "when"), scene.names) if "when" in shape else None
    if "call" in shape and "steps" in shape:
        context.report(place, "two-bodies", "`call` or `steps`, not both")
    steps, inner = compile_steps(scene, shape, place)
    sole = "call" in shape
    result_names = _RESULT_NAMES | (inner.names - scene.names) | (scene.names - CALL)
    resource = operation.resource.name if operation is not None and operation.resource is not None else ""
    rows = compile_rows(context, shape, place, None if sole else result_names, resource) if operation else ()
    gives = compile_gives(inner, shape["gives"], (*place, "gives")) if "gives" in shape else None
    find = shape.get("find")
    if find is not None and find not in scene.operations:
        context.report(
            (*place, "find"), "unknown-operation", f"`{find}` is not mapped here{suggestion(find, scene.operations)}"
        )
    if not steps and not rows and gives is None and find is None:
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
        find=find,
        at=at,
        rules=compile_rules(context, shape.get("errors"), (*place, "errors")),
        not_found=scene.not_found,
        origin=context.origin(place),
    )


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
