"""A mapping file → a ProviderPlan, or all that is wrong with it. The only constructor of plans.

No I/O here: a Document and the Model come in. A file with error findings gives no plan; warnings come beside one.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Collection, Iterable, Iterator
from functools import partial
from typing import Final

from gateway.documents.finding_kinds import ERROR
from gateway.documents.yaml import Document, Finding, Place, suggestion
from gateway.mapping.checks.operations import check_written_records
from gateway.mapping.compiler.context import Context
from gateway.mapping.compiler.hooks.hooks import compile_hooks
from gateway.mapping.compiler.hooks.polling import compile_polling, compile_remembered, remembered_names
from gateway.mapping.compiler.http.calls import Http, compile_http, compile_rules
from gateway.mapping.compiler.http.schemes import check_forms, compile_auth
from gateway.mapping.compiler.operations.alternatives import NATIVE, Ways, check_runs, compile_ways, runs_of
from gateway.mapping.compiler.operations.operations import compile_native, compile_operation
from gateway.mapping.compiler.records.records import compile_records
from gateway.mapping.language.auth import Auth
from gateway.mapping.language.file import LANGUAGE, File
from gateway.mapping.language.file import Setting as SettingPart
from gateway.mapping.language.operations import Operation
from gateway.mapping.nodes.calls import NOT_MAPPED, OperationPlan
from gateway.mapping.nodes.given import Setting
from gateway.mapping.nodes.hooks import Hook
from gateway.mapping.nodes.polling import PollingPlan
from gateway.mapping.nodes.provider import AuthPlan, ProviderPlan
from gateway.model.model import Model
from gateway.values.messages import Json

_REST = "*"
"""Under `unsupported:`, all operations that are left: for a mapping in the making, and a warning."""
_STANDARD_SETTINGS = ("time_zone", "currency")


def compile_provider(document: Document, model: Model) -> tuple[ProviderPlan | None, list[Finding]]:
    """Compile one mapping file. The plan is None when any finding is an error."""
    context = Context(document, model)
    plan = _compile(context)
    failed = any(finding.level == ERROR for finding in context.findings)
    found = dict.fromkeys(context.findings)  # what is wrong in a fragment is found again with each use of it
    return (None if failed else plan), sorted(found, key=lambda finding: (finding.line, finding.column))


def _compile(context: Context) -> ProviderPlan | None:
    if not _speaks(context, context.document.data):
        return None
    file = context.read(File, context.document.data, ())
    if not file.sound:
        return None
    _compile_settings(context, file.settings)
    context.know_settings()
    http = compile_http(context, file.http)
    _compile_codecs(context, file.codecs or {})
    context.step_names = frozenset(
        _names_in([file.raw.get(part, {}) for part in ("operations", "native", "fragments")])
    )
    context.fragments = file.fragments or {}
    compile_records(context, file.records or {}, ("records",))
    context.remembered = remembered_names(context, file)
    if http is None:
        return None
    schemes = file.auth_schemes or {}
    context.auth_schemes = frozenset(schemes)
    auth = compile_auth(context, file.auth, ("auth",), http)
    auth_schemes = {name: compile_auth(context, node, ("auth_schemes", name), http) for name, node in schemes.items()}
    rules = compile_rules(context, file.errors)
    operations = _compile_operations(context, file.operations, http)
    found = {name: compile_native(context, name, node, http) for name, node in (file.native or {}).items()}
    native = {name: plan for name, plan in found.items() if plan is not None}
    hooks = compile_hooks(context, file.hooks or {}, http, operations)
    polling = compile_polling(context, file, http, operations), compile_remembered(context, file)
    check_written_records(context)
    _check_coverage(context, file)
    _check_circles(context, operations)
    check_runs(context, operations)
    _check_unused(context, file)
    return _provider(context, file, http, (auth, auth_schemes), rules, operations, native, hooks=hooks, polling=polling)


def _provider(
    context: Context,
    file: File,
    http: Http,
    auth_schemes: tuple[AuthPlan, dict[str, AuthPlan]],
    rules: Json,
    operations: dict[str, Ways],
    native: dict[str, OperationPlan],
    *,
    hooks: dict[str, Hook],
    polling: tuple[PollingPlan | None, dict[str, frozenset[str]]],
) -> ProviderPlan:
    text = json.dumps(context.document.data, sort_keys=True, ensure_ascii=True)
    return ProviderPlan(
        name=file.provider,
        title=file.title,
        kind=file.kind,
        settings=context.settings,
        auth=auth_schemes[0],
        auth_schemes=auth_schemes[1],
        limits=http.limits,
        rules=rules,
        unsupported=_refuse(context, file),
        ways=operations | {f"{NATIVE}{name}": (plan,) for name, plan in native.items()},
        records=context.records,
        hooks=hooks,
        polling=polling[0],
        remembered=polling[1],
        digest=hashlib.sha256(text.encode()).hexdigest()[:16],
        file=context.document.path,
    )


def _speaks(context: Context, data: Json) -> bool:
    """Whether a file is written in the language that is spoken here; of another nothing else is told."""
    language = data.get("language") if isinstance(data, dict) else None
    if not isinstance(language, int) or isinstance(language, bool) or language == LANGUAGE:
        return True
    message = f"this gateway speaks language {LANGUAGE}, and the file is written in {language}"
    if language < LANGUAGE:
        message += f": change its keys as `docs/from-language-1-to-2.md` says, and write `language: {LANGUAGE}`"
    context.report(("language",), "language-version", message)
    return False


_SECRET: Final = re.compile(
    r"(^|_)(password|passwd|passphrase|secret|token|credentials?|(api|secret|private|access|signing|auth)_?key)$"
)
"""Names of settings that nobody gives to what may be seen."""


def _compile_settings(context: Context, nodes: dict[str, SettingPart]) -> None:
    for name, setting in nodes.items():
        if not setting.sound:
            continue
        if setting.required and "default" in setting:
            context.report(
                ("settings", name), "required-with-default", f"`{name}` is required and has a default: one of the two"
            )
        if setting.type == "secret" and "default" in setting:
            place = ("settings", name, "default")
            context.report(place, "wrong-value", "a secret has no default: what stands in a file is none")
        if setting.type == "string" and _SECRET.search(name):
            message = f"`{name}` looks like a secret, and a text is shown in traces and errors: write `type: secret`"
            context.report(("settings", name, "type"), "unmasked-secret", message)
        context.settings[name] = Setting(
            name=name,
            type=setting.type,
            required=setting.required or False,
            default=setting.default,
            allowed=tuple(setting.allowed or ()),
            meaning=setting.meaning or "",
        )
    for name in _STANDARD_SETTINGS:
        declared = context.settings.get(name)
        if declared is None or not declared.required or declared.type != name:
            message = f"every provider has the setting `{name}: {{type: {name}, required: true}}`"
            context.report(("settings",), "standard-setting", message)


def _compile_codecs(context: Context, nodes: dict[str, Json]) -> None:
    """Named codecs in file order: one may use those above it."""
    for name, node in nodes.items():
        if not isinstance(node, str | dict):
            context.report(("codecs", name), "wrong-type", "a codec is a name or an object")
            continue
        codec = context.codec(node, ("codecs", name))
        if codec is not None:
            context.codecs[name] = codec


def _compile_operations(context: Context, nodes: dict[str, Operation | list[Operation]], http: Http) -> dict[str, Ways]:
    found = {}
    for name, node in nodes.items():
        place: Place = ("operations", name)
        operation = context.model.operations.get(name)
        if operation is None:
            hint = suggestion(name, context.model.operations)
            context.report(place, "unknown-operation", f"the contract has no operation `{name}`{hint}", key=True)
            continue
        compile_one = partial(compile_operation, context, operation, http=http, operations=frozenset(nodes))
        ways = compile_ways(context, node, place, compile_one)
        if ways:
            found[name] = ways
    return found


def _names_in(node: Json) -> Iterator[str]:
    """Every name the file gives to a step, a level, a fanned-out element or a variable."""
    if isinstance(node, list):
        for item in node:
            yield from _names_in(item)
    elif isinstance(node, dict):
        yield from (node[key] for key in ("name", "as") if isinstance(node.get(key), str))
        if isinstance(node.get("vars"), dict):
            yield from node["vars"]
        for item in node.values():
            yield from _names_in(item)


def _refuse(context: Context, file: File) -> dict[str, str]:
    """Every operation that is not mapped, with the reason; `"*"` gives one for all of which none is told."""
    refused = dict(file.unsupported or {})
    rest = refused.pop(_REST, None)
    reason = NOT_MAPPED if rest is None else rest
    left = {name: reason for name in context.model.operations if name not in file.operations}
    return left | refused


def _check_coverage(context: Context, file: File) -> None:
    """Every canonical operation is mapped, or refused with a reason: of one that is neither, callers are told so."""
    mapped, refused = file.operations, file.unsupported or {}
    for name in refused:
        if name == _REST:
            continue
        if name not in context.model.operations:
            hint = suggestion(name, context.model.operations)
            context.report(
                ("unsupported", name), "unknown-operation", f"the contract has no operation `{name}`{hint}", key=True
            )
        elif name in mapped:
            context.report(
                ("unsupported", name), "both-ways", f"`{name}` is mapped above and declared unsupported", key=True
            )
    left = [name for name in context.model.operations if name not in mapped and name not in refused]
    if _REST in refused:
        if left:
            message = f"not mapped yet: {', '.join(left)}"
            context.report(("unsupported", _REST), "operations-left", message, key=True)
        return
    for name in left:
        message = f"`{name}` is not mapped, and callers are told so: map it, or say why not under `unsupported:`"
        context.report(("operations",), "operation-missing", message, key=True)


def _check_circles(context: Context, operations: dict[str, Ways]) -> None:
    """An operation that runs itself, on whatever way, would never end."""
    runs = {name: {run for way in ways for run in runs_of(way)} & set(operations) for name, ways in operations.items()}
    for name in operations:
        reached, waiting = set[str](), list(runs[name])
        while waiting:
            other = waiting.pop()
            if other not in reached:
                reached.add(other)
                waiting.extend(runs[other])
        if name in reached:
            message = f"`{name}` runs itself, by way of {', '.join(sorted(reached))}"
            context.report(("operations", name), "operation-cycle", message, key=True)


def _check_unused(context: Context, file: File) -> None:
    """What is declared and never used is a mistake or a leftover."""
    schemes = file.auth_schemes or {}
    used_settings = {use[1] for use in context.reads.names if use[0] == "settings" and len(use) > 1}
    _report_unused(context, "setting", ("settings",), context.settings, used_settings | {*_STANDARD_SETTINGS})
    _report_unused(context, "scheme", ("auth_schemes",), schemes, context.used_schemes)
    if isinstance(file.auth, Auth):
        check_forms(context, file.auth, "")
    for name, node in schemes.items():
        check_forms(context, node, name)
    _report_unused(context, "rate-class", ("http", "rates"), file.http.rates or {}, context.used_limits | {"default"})
    _report_unused(context, "codec", ("codecs",), file.codecs or {}, context.used_codecs)
    _report_unused(context, "record", ("records",), file.records or {}, context.used_records)
    _report_unused(context, "fragment", ("fragments",), context.fragments, context.used_fragments)


def _report_unused(context: Context, kind: str, place: Place, declared: Iterable[str], used: Collection[str]) -> None:
    for name in declared:
        if name not in used:
            message = f"{kind.replace('-', ' ')} `{name}` is never used"
            context.report((*place, name), f"unused-{kind}", message, key=True)
