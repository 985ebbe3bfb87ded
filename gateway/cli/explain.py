"""`gateway explain`: the resolved operation or hook, or a word of the language; every line says where it comes from."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Collection, Iterator, Mapping

from gateway.cli import options
from gateway.cli.explain_calls import call_text
from gateway.cli.explain_contract import contract, contract_names
from gateway.cli.explained_session import told_session
from gateway.documents.parts import Part
from gateway.documents.yaml import suggestion
from gateway.mapping.codecs import CODECS
from gateway.mapping.compiler.operations.alternatives import NATIVE
from gateway.mapping.expressions.functions import FUNCTIONS, PATH_FUNCTIONS
from gateway.mapping.generated import printing
from gateway.mapping.language import PARTS
from gateway.mapping.nodes.calls import (
    AskingStep,
    CallPlan,
    CallStep,
    ExclusiveStep,
    FoundResult,
    OperationPlan,
    RefuseStep,
    RunPlan,
    RunStep,
    Step,
    StepResult,
    Variable,
    VariantPlan,
    VarsStep,
)
from gateway.mapping.nodes.hooks import EventHook, Hook, RequestHook
from gateway.mapping.nodes.provider import ProviderPlan
from gateway.mapping.nodes.trees import RecordPlan

HELP = "Show what an operation does: every call, every field with the line that makes it. Or explain a word."
EXAMPLES = """examples:
  gateway explain PROVIDER bookings.cancel      one operation of one provider
  gateway explain PROVIDER hooks.events         what the provider sends there: what it means, or asks
  gateway explain PROVIDER                      what the provider can and cannot do
  gateway explain codecs                          the codecs; also: functions, keys
  gateway explain keys step                       the keys of a step
  gateway explain contract bookings.create        an operation that frontends see; also: a type, Booking"""


_HOOKS = "hooks."
_AFTERWARDS = {None: "", True: ", and take back what was written", False: ", and leave what was written"}
_BODIES = {"none": "no body", "text": "plain text", "json": "JSON", "form": "a form"}


def configure(parser: argparse.ArgumentParser) -> None:
    """Describe the verb."""
    parser.add_argument("subject", metavar="PROVIDER|codecs|functions|keys|contract", help="what to explain")
    parser.add_argument("name", nargs="?", metavar="NAME", help="the operation, native.NAME, hooks.NAME; or the word")
    parser.add_argument("--code", action="store_true", help="show the code that is generated, or how much there is")
    options.add_mappings(parser)


def run(arguments: argparse.Namespace) -> int:
    """Explain; 2 when there is nothing of that name."""
    if arguments.subject in _WORDS:
        known, lines = _WORDS[arguments.subject]
        if arguments.name is not None and arguments.name not in known:
            hint = suggestion(arguments.name, known)
            print(f"there is nothing named `{arguments.name}` among the {arguments.subject}{hint}", file=sys.stderr)
            return 2
        return _print(lines(arguments.name))
    providers = options.load_mappings(arguments.mappings)
    plan = options.provider(providers, arguments.subject) if providers is not None else None
    if plan is None:
        return 1 if providers is None else 2
    if arguments.code:
        return _print(printing.tell(plan, arguments.name))
    if arguments.name is None:
        return _print(_provider(plan))
    ways = plan.ways.get(arguments.name)
    hooks = {f"{_HOOKS}{name}": hook for name, hook in plan.hooks.items()}
    if arguments.name in hooks:
        return _print(_hook(plan, hooks[arguments.name]))
    if ways is None:
        reason = plan.unsupported.get(arguments.name)
        hint = suggestion(arguments.name, [*plan.ways, *plan.unsupported, *hooks])
        told = f"cannot be done: {reason}" if reason else f"is not mapped{hint}"
        print(f"{plan.name} {arguments.name} {told}", file=sys.stderr)
        return 0 if reason else 2
    return _print(line for way in ways for line in _operation(plan, way))


def _print(lines: Iterator[str]) -> int:
    print("\n".join(lines))
    return 0


def _codecs(name: str | None) -> Iterator[str]:
    for kind in CODECS.values():
        if name not in (None, kind.name):
            continue
        yield f"{kind.name:16} {kind.law:8} gives {kind.gives:10} {kind.meaning}"
        for option in kind.options:
            yield f"{'':26}{option.name}: {option.meaning}"


def _functions(name: str | None) -> Iterator[str]:
    for known in sorted({*FUNCTIONS, *PATH_FUNCTIONS}):
        if name not in (None, known):
            continue
        declared = [table[known] for table in (FUNCTIONS, PATH_FUNCTIONS) if known in table]
        for function in dict.fromkeys(declared):
            yield f"{function.signature:60} {function.meaning}"
            yield f"{'':26}in {' and '.join(sorted(function.languages, reverse=True))}: {function.example}"


def _keys(name: str | None) -> Iterator[str]:
    return keys_of(PARTS, name)


def keys_of(parts: Mapping[str, Part], name: str | None) -> Iterator[str]:
    """Tell of the keys of all parts, or of the one of this name."""
    for shape, part in parts.items():
        if name not in (None, shape):
            continue
        yield f"{shape}: {part.where.replace('`', '')}"
        for key, rules in part.keys.items():
            about = rules["meta"]
            need = ", required" if rules.get("required") else ""
            yield f"  {key:14} {about['meaning']} ({about['takes']}{need})"


_WORDS: Mapping[str, tuple[Collection[str], Callable[[str | None], Iterator[str]]]] = {
    "codecs": (CODECS, _codecs),
    "functions": ({**PATH_FUNCTIONS, **FUNCTIONS}, _functions),
    "keys": (PARTS, _keys),
    "contract": (contract_names(), contract),
}
"""What can be explained besides providers: the names there are, and what tells of one of them or of all."""


def _provider(plan: ProviderPlan) -> Iterator[str]:
    yield f"{plan.title} ({plan.name}), {plan.file}"
    own = {name: ways for name, ways in plan.ways.items() if name.startswith(NATIVE)}
    for name, ways in plan.ways.items():
        for way in ways if name not in own else ():
            needs = f"(with {' and '.join(way.needs)}) " if way.needs else ""
            yield f"  {name:22} {way.support:12} {way.origin} {needs}{way.notes}".rstrip()
    for name, reason in plan.unsupported.items():
        yield f"  {name:22} {'unsupported':12} {reason}"
    for name, (operation,) in own.items():
        needs = f" (with {' and '.join(operation.needs)})" if operation.needs else ""
        yield f"  {name:47} {operation.origin}{needs}"
    for name, hook in plan.hooks.items():
        needs = f" (with {' and '.join(hook.needs)})" if hook.needs else ""
        yield f"  hooks.{name:41} {hook.origin}{needs}"


def _operation(plan: ProviderPlan, operation: OperationPlan) -> Iterator[str]:
    yield f"{plan.name} {operation.name}: {operation.support}, {operation.effect.value}  ({operation.origin})"
    if operation.notes:
        yield f"  {operation.notes}"
    yield f"  auth: {plan.auth.scheme}{told_session(plan.auth)}"
    for name, reason in operation.needs.items():
        yield f"  only with the setting {name}: {reason}"
    for name, reason in operation.requires.items():
        yield f"  needs {name}: {reason}"
    for name, reason in operation.unsupported.items():
        yield f"  cannot honour {name}: {reason}"
    for name, reason in operation.partial.items():
        yield f"  takes {name} without its full effect: {reason}"
    if operation.window is not None:
        window = operation.window
        yield f"  window: at most {window.max_days or 'any number of'} days in one call"
    for variable in operation.variables:
        yield _variable(variable)
    for number, variant in enumerate(operation.variants, 1):
        if len(operation.variants) > 1:
            yield _line(f"variant {number}: " + (variant.when.text if variant.when else "otherwise"), variant.origin)
        yield from _variant(plan, variant)


def _variant(plan: ProviderPlan, variant: VariantPlan) -> Iterator[str]:
    for step in variant.steps:
        yield from _step(step)
    match variant.result:
        case FoundResult(operation=listing):
            yield _line(f"result: the one of {listing} with this id", variant.origin)
        case RunPlan(operation=run):
            yield _line(f"result: what {run} gives", variant.origin)
        case StepResult(step=name):
            yield _line(f"result: what step {name} gives", variant.origin)
    for rows in variant.rows:
        path = " > ".join(f"{level.name}: {level.text}" if rows.named else level.text for level in rows.levels)
        yield _line(f"result: {'one' if rows.one else 'each of'} {path}", rows.origin)
        yield from _record(rows.record)
    if variant.filters:
        yield _line("rows are chosen by what `filters` says of an argument, else by the argument", variant.origin)
    for rule in (*variant.rules, *plan.rules):
        yield _line(f"error: {rule.text} → {rule.code}", rule.origin)


def _variable(variable: Variable) -> str:
    codec = f" as {variable.codec.name}" if variable.codec is not None else ""
    return _line(f"vars {variable.name} = {variable.value.text}{codec}", variable.origin)


def _step(step: Step) -> Iterator[str]:
    condition = f" when {step.when.text}" if step.when else ""
    match step:
        case VarsStep():
            yield from map(_variable, step.variables)
        case RefuseStep():
            after = _AFTERWARDS[step.takes_back]
            for guard in step.guards:
                yield _line(f"refuse with {guard.code} when {guard.when.text}{after}", guard.origin)
        case ExclusiveStep():
            yield _line(f"wait for other writes of {step.over.text}{condition}", step.origin)
        case CallStep():
            does = f"{call_text(step.call)} [{step.effect.value}]{condition}{_each(step)}"
            yield _line(f"{step.name}: {does}", step.call.origin)
            yield from _afterwards(step)
        case RunStep():
            yield _line(f"{step.name}: run {step.run.operation}{condition}{_each(step)}", step.run.origin)
            yield from _afterwards(step)


def _each(step: AskingStep) -> str:
    fan_out = step.fan_out
    if fan_out is None:
        return ""
    listed = fan_out.elements.text if fan_out.elements else ", ".join(level.text for level in fan_out.levels)
    return f" for each of {listed}, {fan_out.concurrency} at once"


def _afterwards(step: AskingStep) -> Iterator[str]:
    """What becomes of a step that failed, or of its work when a later one fails."""
    if step.ignore_errors:
        yield f"      ignores {', '.join(sorted(step.ignore_errors))}"
    if step.undo is not None:
        yield f"      undone by {_either(step.undo)}"
    if step.recover is not None:
        look = f"looked at by {_either(step.recover.look)}, done when {step.recover.done.text}"
        yield _line(f"    when it fails {look}", step.recover.origin)
    if step.keep_on_failure:
        yield "      may stay when a later step fails"


def _either(part: CallPlan | RunPlan) -> str:
    return call_text(part) if isinstance(part, CallPlan) else f"run {part.operation}"


def _record(record: RecordPlan) -> Iterator[str]:
    for field in record.fields:
        arrow = {"read": "←", "write": "→", "both": "↔"}[field.mode]
        codec = f" as {field.codec} ({field.law})" if field.codec else ""
        yield _line(f"    {record.resource.name}.{field.name} {arrow} {field.text}{codec}", field.origin)


def _hook(plan: ProviderPlan, hook: Hook) -> Iterator[str]:
    yield f"{plan.name} hooks.{hook.name}: {' or '.join(sorted(hook.methods))}, {_BODIES[hook.body]}  ({hook.origin})"
    for name, reason in hook.needs.items():
        yield f"  only with the setting {name}: {reason}"
    yield from _verify(hook)
    yield from _messages(plan, hook) if isinstance(hook, EventHook) else _asks(plan, hook)
    taken = {"taken": hook.reply} if isinstance(hook, EventHook) else {}
    for code, reply in {**taken, **hook.replies}.items():
        yield _line(f"reply, {code}: {reply.status}, {_BODIES[reply.kind]}", reply.origin)


def _messages(plan: ProviderPlan, hook: EventHook) -> Iterator[str]:
    """What the messages of a hook tell of events."""
    if hook.rows is not None:
        yield _line(f"messages: each of {hook.rows.text}", hook.origin)
    again = "; one that has that name again is compared with what is known" if hook.compares else ""
    yield _line("named by " + ", ".join(part.text for part in hook.dedupe) + again, hook.dedupe[0].origin)
    event = hook.type
    yield _line(f"event: {event.at.text if event.at is not None else event.constant}", event.origin)
    for word, means in event.words:
        yield f"      {word} → {means}"
    if event.words:
        yield f"      any other word → {event.other}"
    for name, fields in hook.omits.items():
        yield f"      {name} does not tell {', '.join(sorted(fields))}"
    if hook.fetch is not None:
        yield _line(f"object: fetched by {hook.fetch.operation}", hook.fetch.origin)
    else:
        yield _line(f"object: {hook.at.text}", hook.origin)
        yield from _record(plan.records[hook.record])


def _asks(plan: ProviderPlan, hook: RequestHook) -> Iterator[str]:
    """What may be asked of us, and what is answered."""
    for ask in hook.requests:
        condition = f" when {ask.when.text}" if ask.when else ", otherwise" if ask is not hook.requests[0] else ""
        yield _line(f"requests: {ask.request}{condition}", ask.origin)
        if ask.at is not None:
            yield _line(f"request: {ask.at.text}", ask.origin)
            yield from _record(plan.records[ask.record])
        for name, source in ask.sources.items():
            yield _line(f"    {ask.shape.name}.{name} ← {source}", ask.origin)
        yield _line(f"reply, done: {ask.reply.status}, {_BODIES[ask.reply.kind]}", ask.reply.origin)


def _verify(hook: Hook) -> Iterator[str]:
    """How the sender of a message is known: what all must hold."""
    for proof in hook.verify:
        how = f"{proof.scheme} {proof.algorithm}".rstrip()
        settings = " or ".join(filter(None, (key.setting for key in proof.keys)))
        yield _line(f"verify: {how}" + (f" by the setting {settings}" if settings else ""), proof.origin)
    for check in hook.equals:
        yield _line(f"verify: {check.at.text} is {check.value.text}", check.origin)
    fetch, forged = (hook.fetch, hook.forged) if isinstance(hook, EventHook) else (None, None)
    if forged is not None and fetch is not None:
        codes = ", ".join(f"{code} ({own})" if own else code for code, own in sorted(forged))
        yield _line(f"verify: {fetch.operation} does not end with {codes}", fetch.origin)
    if not hook.verify and forged is None:
        yield "  verify: none, anybody may send"


def _line(text: str, origin: str) -> str:
    return f"  {text:90}  {origin}"
