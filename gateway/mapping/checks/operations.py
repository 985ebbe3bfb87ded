"""What a whole operation must hold: nothing promised is ignored, nothing declared is idle, no rule is out of reach.

Pure: compiled parts and what they read come in, findings go out through the Context.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Final, TypeGuard

from gateway.documents.yaml import Place, suggestion
from gateway.mapping.checks.type_checks import report_unwritable
from gateway.mapping.checks.usage import Reads
from gateway.mapping.compiler.conditions import constant
from gateway.mapping.compiler.context import Context
from gateway.mapping.language.operations import Native
from gateway.mapping.language.operations import Operation as OperationPart
from gateway.mapping.language.steps import CallStep, ComputeStep, Refusal, RunStep, Step, VarsStep
from gateway.mapping.nodes.calls import NOT_MAPPED, Condition, FoundResult, OperationPlan, RunPlan
from gateway.mapping.nodes.calls import RunStep as PlannedRun
from gateway.mapping.nodes.given import NativeArgument
from gateway.mapping.nodes.trees import RecordPlan
from gateway.model.model import Operation
from gateway.model.types.types import Field
from gateway.values.messages import Effect

_STAR: Final = ".*"
"""Behind an argument: those of its members that are left, which the mapping neither uses nor declares by name."""
_ASSUMED: Final = "no provider of this kind is known to keep it"
"""Why what the contract says is `unkept_by:` a kind of providers is lost, where the mapping says nothing of it."""


def check_arguments(
    context: Context, operation: Operation, plan: OperationPlan, reads: Reads, place: Place
) -> OperationPlan:
    """Every canonical argument is used, filtered by the gateway itself, or declared unsupported; so is each member.

    Gives the plan with what its `customer.*` stand for. Of the arguments that are none of this, those that no provider
    of the kind keeps are taken to be declared; to send one of the others, which the mapping may be older than, is
    refused.
    """
    used = set(reads.of_args())
    _check_named(context, operation, plan, {use[0] for use in used}, place)
    lost = {
        key: {name: reason for name, reason in named.items() if not name.endswith(_STAR)}
        for key, named in (("unsupported", plan.unsupported), ("partial", plan.partial))
    }
    stars = {star for star in (*plan.unsupported, *plan.partial) if star.endswith(_STAR)}
    for name in _leave(context, operation, plan, reads, {**lost["unsupported"], **lost["partial"]}):
        star = f"{name.rpartition('.')[0]}{_STAR}"
        key = _declares(operation, plan, name, star)
        if key is not None:
            lost[key][name] = (plan.partial if key == "partial" else plan.unsupported)[star]
            stars.discard(star)
        elif context.document.data.get("kind") in _field(operation, name).unkept_by:
            lost["unsupported" if operation.patch else "partial"][name] = _ASSUMED
        elif _is_ignored(context, operation, name, place):
            lost["unsupported"][name] = NOT_MAPPED
    for star in sorted(stars):
        if _is_argument(operation, star):
            key = "unsupported" if star in plan.unsupported else "partial"
            message = f"`{star}` stands for nothing: every member is used, or declared by its name; remove it"
            context.report((*place, key, star), "star-of-nothing", message, key=True)
    return replace(plan, unsupported=lost["unsupported"], partial=lost["partial"])


def _leave(
    context: Context, operation: Operation, plan: OperationPlan, reads: Reads, declared: Collection[str]
) -> list[str]:
    """Arguments, and members of some, that the mapping neither uses nor declares by name."""
    used = set(reads.of_args())
    if ("args",) in reads.whole or any(isinstance(variant.result, FoundResult) for variant in plan.variants):
        return []
    known = {use[0] for use in used} | plan.args_from.keys() | operation.common.keys()
    known |= _seen_to(context, operation, plan)
    known |= {part for name in known & operation.args.keys() for part in operation.args[name].holds}
    left: list[str] = []
    for name, argument in operation.args.items():
        if name in declared:
            continue
        if name not in known:
            left.append(name)
        elif ("args", name) not in reads.whole:
            told = {use[1] for use in used if use[0] == name and len(use) > 1}
            members = [f"{name}.{member}" for member in _ignored_members(argument, told)]
            left += [full for full in members if not any(f"{one}.".startswith(f"{full}.") for one in declared)]
    return left


def _declares(operation: Operation, plan: OperationPlan, name: str, star: str) -> str | None:
    """Tell whether a star stands for an argument that is left, and under which key; what is required has to be used."""
    if _field(operation, name).required:
        return None
    if star in plan.partial and (operation.describes(name) or star not in plan.unsupported):
        return "partial"
    return "unsupported" if star in plan.unsupported else None


def _field(operation: Operation, dotted: str) -> Field:
    """Give an argument, or a member of one, that is there."""
    first, _, rest = dotted.partition(".")
    found = operation.args[first].type.field(rest) if rest else operation.args[first]
    if found is None:
        raise KeyError(dotted)
    return found


def _check_named(context: Context, operation: Operation, plan: OperationPlan, used: set[str], place: Place) -> None:
    """Whatever is named as an argument is one."""
    for key, named in (("unsupported", plan.unsupported), ("partial", plan.partial), ("requires", plan.requires)):
        for argument in named:
            if not _is_argument(operation, argument) or (key == "requires" and argument.endswith(_STAR)):
                hint = suggestion(argument, operation.args)
                message = f"{operation.name} has no argument `{argument}`{hint}"
                context.report((*place, key, argument), "unknown-argument", message, key=True)
    for argument in sorted(used - operation.args.keys()):
        hint = suggestion(argument, operation.args)
        context.report(place, "unknown-argument", f"`args.{argument}`: {operation.name} has no such argument{hint}")


def _is_argument(operation: Operation, dotted: str) -> bool:
    first, _, rest = dotted.partition(".")
    argument = operation.args.get(first)
    if argument is None or f".{rest}" == _STAR:
        return argument is not None and argument.type.kind == "object" and bool(argument.type.fields)
    return not rest or argument.type.field(rest) is not None


def _is_ignored(context: Context, operation: Operation, name: str, place: Place) -> bool:
    """Report an argument, or a member of one, that nothing reads; tell whether a call can do without it."""
    needed = _field(operation, name).required
    message = f"{operation.name} promises `{name}`: use it, or say under `unsupported:` why it cannot be honoured"
    code = "unused-argument" if needed else "argument-not-mapped"
    context.report(place, code, message if needed else f"{message}; sending it is refused as `{NOT_MAPPED}`", key=True)
    return not needed


def _ignored_members(argument: Field, told: set[str]) -> Iterator[str]:
    """Members of an object that nothing reads, and that are not held by one that is read, as a full name holds both."""
    fields = argument.type.fields if argument.type.kind == "object" else {}
    held = {part for name in told if name in fields for part in fields[name].holds}
    return (name for name in fields if name not in told | held)


def _seen_to(context: Context, operation: Operation, plan: OperationPlan) -> set[str]:
    """Arguments that the gateway itself sees to, whatever the mapping does."""
    known = {name for name, argument in operation.args.items() if argument.type.kind == "time_zone"}
    known |= {operation.sort} if operation.sort else set()
    if plan.window is not None and operation.window is not None:
        known |= set(operation.window)
    if any(run.arguments is None for run in _runs(plan)):
        known |= {"id"}  # which a run without `with:` takes
    rows = [rows for variant in plan.variants for rows in variant.rows]
    produced = [set(_produce(context, one.record, "")) for one in rows]
    for name, rule in operation.filters.items():
        every = rule.word == "lasts"
        if produced and all((all if every else any)(_has(one, path) for path in rule.fields) for one in produced):
            known.add(name)
    return known


def _runs(plan: OperationPlan) -> Iterator[RunPlan]:
    """The other operations that an operation runs, as its result and in its steps."""
    for variant in plan.variants:
        if isinstance(variant.result, RunPlan):
            yield variant.result
        yield from (step.run for step in variant.steps if isinstance(step, PlannedRun))


def _produce(context: Context, record: RecordPlan, prefix: str) -> Iterator[str]:
    """The dotted names of the fields that a record reads, those of embedded records among them."""
    for line in record.fields:
        inner = context.records.get(line.embeds)
        if line.mode != "write" and inner is not None:
            yield from _produce(context, inner, f"{prefix}{line.name}.")
        elif line.mode != "write":
            yield prefix + line.name


def _has(produced: set[str], path: str) -> bool:
    """Whether a field is produced, itself or as a part of one that is given whole."""
    steps = path.split(".")
    return any(".".join(steps[:end]) in produced for end in range(1, len(steps) + 1))


def check_native_arguments(
    context: Context, arguments: Mapping[str, NativeArgument], reads: Reads, place: Place
) -> None:
    """Every declared argument of a native operation is sent, and every one that is read is declared."""
    used = {use[0] for use in reads.of_args()}
    for name in arguments:
        if name not in used and ("args",) not in reads.whole:
            message = f"`{name}` is declared and never sent; send it, or remove it"
            context.report((*place, "args", name), "unused-argument", message, key=True)
    for name in sorted(used - arguments.keys()):
        context.report(place, "unknown-argument", f"`args.{name}` is not declared{suggestion(name, arguments)}")


def check_names(context: Context, reads: Reads, node: OperationPart | Native, effect: Effect) -> None:
    """Every variable is read, and so is the value of every step that does nothing but read."""
    known = {use[0] for use in reads.names} | reads.roots
    choose = node.choose if isinstance(node, OperationPart) else None
    steps = [step for body in (node, *(choose or ())) for step in body.steps or () if step.sound]
    for part in (node, *(step for step in steps if isinstance(step, VarsStep))):
        for name in part.vars or ():
            if name not in known:
                where = (*part.place, "vars", name)
                context.report(where, "unused-name", f"nothing reads `{name}`; use it, or remove it", key=True)
    for step in steps:
        if _only_reads(step, context, effect) and step.name not in known:
            message = f"nothing reads `{step.name}`, and its step changes nothing; use it, or remove the step"
            context.report((*step.place, "name"), "unused-step", message)


def _only_reads(step: Step, context: Context, effect: Effect) -> TypeGuard[CallStep | RunStep | ComputeStep]:
    """Whether a step has a value and does nothing but give it."""
    if not isinstance(step, CallStep | RunStep):
        return isinstance(step, ComputeStep)
    runs = context.model.operations.get(step.run) if isinstance(step, RunStep) else None
    return bool(step.safe) or (runs.effect if runs is not None else effect) is Effect.SAFE


def check_rules(context: Context, rules: Sequence[tuple[Place, Condition]]) -> None:
    """Every error rule can be reached: none of the rules before it catches all that it could."""
    rules = [(place, one) for place, one in rules if one != Condition()]  # those have findings of their own
    for at, (place, condition) in enumerate(rules):
        if condition.when is not None and constant(condition.when) is False:
            context.report(place, "unreachable-rule", "never reached: its condition never holds; correct it")
            continue
        for status in condition.status or {None}:
            earlier = next((where for where, other in rules[:at] if _catches(other, condition, status)), None)
            if earlier is None:
                break
        else:
            message = f"never reached: {context.origin(earlier or place)} catches all that it could; move this one up"
            context.report(place, "unreachable-rule", message)


def _catches(first: Condition, second: Condition, status: int | None) -> bool:
    """Whether the first holds wherever the second does, of answers with this status (None: with any)."""
    if first.status is not None and status not in first.status:
        return False
    if not {(name, one.text) for name, one in first.headers} <= {(name, one.text) for name, one in second.headers}:
        return False
    same = first.when is not None and second.when is not None and first.when.text == second.when.text
    return same or first.when is None or constant(first.when) is True


def check_refusals(context: Context, nodes: Sequence[Refusal]) -> None:
    """No guard has the condition of one before it."""
    seen: dict[str, Place] = {}
    for node in nodes:
        when = node.raw.get("when") if isinstance(node.raw, dict) else None  # also of one that does not fit
        if isinstance(when, str) and when in seen:
            message = f"never reached: {context.origin(seen[when])} has the same condition; remove one of them"
            context.report(node.place, "unreachable-refusal", message)
        elif isinstance(when, str):
            seen[when] = node.place


def check_ignored(context: Context, codes: Sequence[str], not_found: str | None, place: Place) -> None:
    """No step accepts the general code of what it ends with in the operation's own form."""
    for index, code in enumerate(codes):
        own = context.model.errors.get(not_found or "")
        if own is not None and own.form_of == code:
            message = f"`{code}` is `{own.code}` here; name that"
            context.report((*place, index), "never-ignored", message)


def check_record_names(context: Context, record: RecordPlan, names: Collection[str], place: Place) -> None:
    """An operation that a record reads for has every name that the record's templates use."""
    used = {use[0] for use in context.record_reads[record.name].names}
    for name in sorted(used - set(names)):
        message = f"record `{record.name}` uses `{name}`, which is no step and no variable here; add it"
        context.report(place, "unknown-name", message)


def check_written_records(context: Context) -> None:
    """Every enum of a record that is written has a word for whatever the contract allows."""
    for name in sorted(context.written_records & context.records.keys()):
        for line in context.records[name].fields:
            if line.mode != "read":
                report_unwritable(context, line.name, line.unwritable, ("records", name, "fields", line.name))
