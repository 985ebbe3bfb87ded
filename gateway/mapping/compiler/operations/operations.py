"""Operations, canonical and native, compiled: arguments, variants, steps and where the result is.

Nothing here runs a step; `engine` does. The names a template may use grow from step to step, so that a step can only
refer to what is known by then.
"""

from __future__ import annotations

from gateway.documents.yaml import Place, suggestion
from gateway.mapping.checks.calls import check_possible
from gateway.mapping.checks.given import given_to, given_to_native
from gateway.mapping.checks.operations import check_arguments, check_names, check_native_arguments
from gateway.mapping.checks.type_checks import check_taken_apart
from gateway.mapping.checks.writes import check_remembered
from gateway.mapping.compiler.conditions import condition_of
from gateway.mapping.compiler.context import CALL, REMEMBERED, Context
from gateway.mapping.compiler.http.calls import Http, compile_rules, seconds
from gateway.mapping.compiler.operations.alternatives import compile_needs
from gateway.mapping.compiler.operations.results import compile_result
from gateway.mapping.compiler.operations.steps import compile_steps
from gateway.mapping.compiler.operations.variables import compile_variables
from gateway.mapping.compiler.scene import Scene
from gateway.mapping.compiler.trees import compile_object
from gateway.mapping.expressions import Predicate
from gateway.mapping.language.operations import Argument, Native, Outcome
from gateway.mapping.language.operations import Operation as OperationPart
from gateway.mapping.nodes.calls import OperationPlan, RawResult, VariantPlan
from gateway.mapping.nodes.given import NativeArgument, WindowPlan
from gateway.mapping.nodes.trees import Tree
from gateway.model.model import Operation
from gateway.values.messages import Effect, Json

_BEFORE_THE_CALL = frozenset({"settings", "connection"})


def compile_operation(
    context: Context, operation: Operation, written: Json, place: Place, http: Http, operations: frozenset[str]
) -> OperationPlan | None:
    """Compile one canonical operation; None with findings when its shape is wrong."""
    node = context.read(OperationPart, written, place)
    if not node.sound:
        return None
    window = _compile_window(context, operation, node)
    names = CALL | ({"window"} if window else set()) | _remember(context, operation)
    inner = http.of_class(context, node.rate_class, place)
    scene = Scene(context, inner, operation.effect, operations, frozenset(names), operation.not_found, operation.args)
    args_from, parts = _compile_args_from(context, operation, node)
    check_possible(context, operation, node, parts)
    given = given_to(operation, parts, unsupported=node.unsupported or {}, requires=node.requires or {})
    with context.collecting() as reads, context.knowing(given):
        variables = compile_variables(scene, node.vars or {}, (*place, "vars"))
        variants = _compile_variants(scene.with_variables(variables), operation, node)
    plan = OperationPlan(
        name=operation.name,
        effect=operation.effect,
        support=node.support or "native",
        notes=node.notes or "",
        unsupported=node.unsupported or {},
        partial=node.partial or {},
        requires=node.requires or {},
        args_from=args_from,
        window=window,
        variables=variables,
        variants=variants,
        arguments={},
        not_found=operation.not_found,
        cache=_compile_cache(context, operation.effect, node),
        origin=context.origin(place),
        needs=compile_needs(context, node.needs, place),
    )
    plan = check_arguments(context, operation, plan, reads, place)
    check_remembered(context, reads, place)
    check_names(context, reads, node, operation.effect)
    return plan


def _remember(context: Context, operation: Operation) -> set[str]:
    """What is remembered is told to writes of a booking that is there."""
    writes = operation.name in context.model.changes.operations and "id" in operation.args
    return {REMEMBERED} if writes else set()


def compile_native(context: Context, name: str, node: Native, http: Http) -> OperationPlan | None:
    """Compile one operation of the vendor's own; None with findings when its shape is wrong."""
    place = node.place
    if not node.sound:
        return None
    arguments = {key: _argument(one) for key, one in (node.args or {}).items() if one.sound}
    effect = Effect.SAFE if node.safe else Effect.UNSAFE
    scene = Scene(context, http.of_class(context, node.rate_class, place), effect, frozenset(), CALL, None, {})
    with context.collecting() as reads, context.knowing(given_to_native(arguments)):
        variables = compile_variables(scene, node.vars or {}, (*place, "vars"))
        variant = _compile_native_body(scene.with_variables(variables), node)
    check_native_arguments(context, arguments, reads, place)
    check_names(context, reads, node, effect)
    return OperationPlan(
        name=f"native.{name}",
        effect=effect,
        support="native",
        notes=node.notes or "",
        unsupported={},
        partial={},
        requires={},
        args_from={},
        window=None,
        variables=variables,
        variants=(variant,),
        arguments=arguments,
        not_found=None,
        cache=_compile_cache(context, effect, node),
        origin=context.origin(place),
        needs=compile_needs(context, node.needs, place),
    )


def _argument(node: Argument) -> NativeArgument:
    allowed = tuple(node.allowed or ())
    return NativeArgument(node.type, node.required or False, node.default, allowed, node.meaning or "")


def _compile_native_body(scene: Scene, node: Native) -> VariantPlan:
    """Compile what a native operation does."""
    context, result = scene.context, node.result
    steps, _ = compile_steps(scene, node.call, node.steps or (), node.place)
    at = context.path(result.at, (*result.place, "at")) if result is not None and result.sound else None
    return VariantPlan(
        when=None,
        steps=steps,
        sole=node.call is not None,
        result=RawResult(at) if at is not None else None,
        set=None,
        filters=None,
        rules=compile_rules(context, node.errors),
        not_found=None,
        origin=context.origin(node.place),
    )


def _compile_cache(context: Context, effect: Effect, node: OperationPart | Native) -> float | None:
    """Seconds for which answers are kept. What changes something is asked for every time."""
    if node.cache is None:
        return None
    if effect is not Effect.SAFE:
        message = "only the answers of an operation that changes nothing can be kept"
        context.report((*node.place, "cache"), "cache-of-a-write", message, key=True)
    return seconds(node.cache)


def _compile_window(context: Context, operation: Operation, node: OperationPart) -> WindowPlan | None:
    window = node.window
    if window is None or not window.sound:
        return None
    if operation.window is None:
        context.report(window.place, "no-window", f"{operation.name} has no from and to", key=True)
    elif window.default_days is None and not all(operation.args[name].required for name in operation.window):
        message = f"{operation.name} can be called without from and to; say `default_days`"
        context.report(window.place, "window-without-default", message)
    return WindowPlan(window.max_days, window.default_days)


def _compile_args_from(
    context: Context, operation: Operation, node: OperationPart
) -> tuple[dict[str, Json], dict[str, frozenset[str]]]:
    """Compile `args_from:`: how each argument is taken apart, and into which others."""
    found, parts = {}, {}
    for argument, spec in (node.args_from or {}).items():
        where = (*node.place, "args_from", argument)
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


def _compile_variants(scene: Scene, operation: Operation, node: OperationPart) -> tuple[VariantPlan, ...]:
    if node.choose is None:
        return (_compile_variant(scene, operation, node, None),)
    variants, context = [], scene.context
    for one in node.choose:
        if not one.sound:
            continue
        if one.when is None and one is not node.choose[-1]:
            context.report(one.place, "unreachable-variant", "only the last variant may have no `when:`")
        with context.knowing(context.given):
            when = condition_of(context, one, "when", scene.names)
            context.learn(when, holds=True)
            variants.append(_compile_variant(scene, operation, one, when))
        context.learn(when, holds=False)
    return tuple(variants)


def _compile_variant(scene: Scene, operation: Operation, node: Outcome, when: Predicate | None) -> VariantPlan:
    context, place = scene.context, node.place
    steps, inner = compile_steps(scene, node.call, node.steps or (), place)
    return VariantPlan(
        when=when,
        steps=steps,
        sole=node.call is not None,
        result=compile_result(scene, inner, operation, node, steps),
        set=compile_object(context, node.set, (*place, "set"), inner.names) if node.set is not None else None,
        filters=_compile_filters(inner, operation, node),
        rules=compile_rules(context, node.errors),
        not_found=scene.not_found,
        origin=context.origin(place),
    )


def _compile_filters(scene: Scene, operation: Operation, node: Outcome) -> Tree | None:
    """What arguments stand for where rows are chosen by them: only those by which the gateway chooses."""
    if node.filters is None:
        return None
    where, known = (*node.place, "filters"), operation.filters
    for name in node.filters:
        if name not in known:
            message = f"the gateway chooses no rows by `{name}` here{suggestion(name, known)}"
            scene.context.report((*where, name), "unknown-argument", message, key=True)
    return compile_object(scene.context, node.filters, where, scene.names)
