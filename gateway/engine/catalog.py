"""What is running: the compiled mappings and the connections bound to them, in one immutable value.

A catalog is whole or it is not: any error in any file or connection gives findings and no catalog.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from gateway.config import IN_MEMORY, ConnectionSettings, Settings
from gateway.documents.finding_kinds import ERROR
from gateway.documents.yaml import Document, Finding, Place, read, suggestion
from gateway.mapping.compile import compile_provider
from gateway.mapping.compiler.hooks.verify_keys import weak_keys
from gateway.mapping.compiler.operations.alternatives import fit
from gateway.mapping.generated.binding import Generated
from gateway.mapping.nodes.calls import GENERATED
from gateway.mapping.nodes.given import Setting
from gateway.mapping.nodes.provider import FittedPlan, ProviderPlan, SessionAuth
from gateway.mapping.nodes.sessions import Agreed, Beginning, Given
from gateway.model.model import Model
from gateway.model.types.times import ZONE, zone_names
from gateway.model.types.types import TypeRefused, scalar
from gateway.values.messages import Json
from gateway.values.secrets import Redactor, Secret


@dataclass(frozen=True, slots=True)
class Connection:
    """One account at one provider.

    `scope` is what templates see (secrets as `Secret`), `revealed` what auth schemes see, `public` what paths may see.
    """

    name: str
    provider: FittedPlan
    """As this connection has it: without the operations whose needs its settings do not meet."""
    zone: str
    currency: str
    scope: Mapping[str, Json]
    revealed: Mapping[str, Json]
    public: Mapping[str, Json]
    redactor: Redactor
    digest: str
    """Changes when the provider's mapping or any setting changes."""


@dataclass(frozen=True, slots=True)
class Catalog:
    """Everything that is running. `version` is a hash of mappings and connections, without secrets."""

    version: str
    providers: Mapping[str, ProviderPlan]
    connections: Mapping[str, Connection]


def load(paths: Sequence[Path], settings: Settings | None, model: Model) -> tuple[Catalog | None, list[Finding]]:
    """Read, compile and bind everything. The catalog is None when any finding is an error; all findings are given."""
    return join(*load_providers(paths, model), settings, model)


def join(
    providers: Mapping[str, ProviderPlan], told: Sequence[Finding], settings: Settings | None, model: Model
) -> tuple[Catalog | None, list[Finding]]:
    """Bind the connections to mappings that are compiled, with what was `told` of these; gives what `load` gives."""
    findings = list(told)
    connections: dict[str, Connection] = {}
    if settings is not None:
        bad = {finding.file for finding in findings if finding.level == ERROR}
        for wanted in settings.connections.values():
            found = _bind(wanted, settings.document, providers, findings, complete=not bad)
            if found is not None:
                connections[wanted.name] = found
        _check_hooks(connections.values(), settings, findings)
        _check_sessions(connections.values(), settings, findings)
        _check_webhooks(settings, model, findings)
        _check_polling(connections.values(), settings, findings)
    if any(finding.level == ERROR for finding in findings):
        return None, findings
    parts = [plan.digest for plan in providers.values()]
    parts += [f"{one.name} {json.dumps(dict(one.public), sort_keys=True)}" for one in connections.values()]
    version = hashlib.sha256("\n".join(parts).encode()).hexdigest()[:12]
    return Catalog(version, MappingProxyType(dict(providers)), MappingProxyType(connections)), findings


def load_providers(paths: Sequence[Path], model: Model) -> tuple[dict[str, ProviderPlan], list[Finding]]:
    """Read and compile mapping files, folders in name order. Two files for one provider are a finding."""
    providers: dict[str, ProviderPlan] = {}
    findings: list[Finding] = []
    for file in mapping_files(paths, findings):
        document, problems = read(file)
        findings += problems
        if document is None:
            continue
        plan, problems = compile_provider(document, model)
        findings += problems
        if plan is None:
            continue
        if plan.name in providers:
            message = f"`{plan.name}` is already described by {providers[plan.name].file}"
            findings.append(document.finding(("provider",), "duplicate-provider", message))
        providers[plan.name] = plan
    return providers, findings


def mapping_files(paths: Iterable[Path], findings: list[Finding]) -> Iterator[Path]:
    """The mapping files of folders and files; a path that is neither is a finding."""
    for path in paths:
        if path.is_dir():
            yield from sorted(path.glob("*.yaml"))
        elif path.is_file():
            yield path
        else:
            findings.append(Finding(str(path), 1, 1, "no-such-file", "there is no such file or folder"))


def _bind(
    wanted: ConnectionSettings,
    document: Document,
    providers: Mapping[str, ProviderPlan],
    findings: list[Finding],
    *,
    complete: bool,
) -> Connection | None:
    place: Place = ("connections", wanted.name)
    plan = providers.get(wanted.provider)
    if plan is None:
        if complete:  # with broken mappings, "unknown" would only hide the real finding
            hint = suggestion(wanted.provider, providers)
            message = f"no mapping describes the provider `{wanted.provider}`{hint}"
            findings.append(document.finding((*place, "provider"), "unknown-provider", message))
        return None
    values = _settings(wanted, plan, document, (*place, "settings"), findings)
    return None if values is None else bind(wanted.name, plan, values)


def _check_hooks(connections: Iterable[Connection], settings: Settings, findings: list[Finding]) -> None:
    """Refuse what a hook of a connection could not be verified with: weak keys, and an address that is not said."""
    document = settings.document
    for connection in connections:
        place: Place = ("connections", connection.name, "settings")
        for hook in connection.provider.hooks.values():
            for setting, message in weak_keys(hook.verify, connection.revealed):
                findings.append(document.finding((*place, setting) if setting else place, "weak-secret", message))
            applied = [plan for plan in hook.verify if plan.applies(connection.revealed)]
            if not settings.public_url and any(piece.kind == "url" for plan in applied for piece in plan.signed):
                message = f"the hook `{hook.name}` signs its own address: say `public_url`, where the provider calls us"
                findings.append(document.finding(place, "public-url-missing", message))


def _check_sessions(connections: Iterable[Connection], settings: Settings, findings: list[Finding]) -> None:
    """Tell of sessions that a restart ends for good, and of persons who log in and could not come back."""
    kept = settings.state_keys and settings.store != IN_MEMORY
    for connection in connections:
        place: Place = ("connections", connection.name)
        provider = connection.provider
        sessions = [one for one in (provider.auth, *provider.auth_schemes.values()) if isinstance(one, SessionAuth)]
        if not kept and any(_ends(one.begins) for one in sessions):
            must = "say `state_key`" if settings.store != IN_MEMORY else "name a `store` that lasts, and a `state_key`"
            message = f"what renews its session is lost at the end of the gateway: {must}"
            findings.append(settings.document.finding(place, "tokens-not-kept", message, key=True))
        if not settings.public_url and any(isinstance(one.begins, Agreed) for one in sessions):
            message = "a person logs in for it: say `public_url`, where the provider sends the browser back to"
            findings.append(settings.document.finding(place, "public-url-missing", message, key=True))


def _ends(begins: Beginning) -> bool:
    """Whether a session ends for good with what it lives by."""
    return isinstance(begins, Agreed) or (isinstance(begins, Given) and begins.rotates)


def _check_webhooks(settings: Settings, model: Model, findings: list[Finding]) -> None:
    """Refuse events that the contract does not have, for nobody would ever be told of them."""
    for index, webhook in enumerate(settings.webhooks):
        for number, event in enumerate(webhook.events):
            if event != "*" and event not in model.events:
                message = f"the contract has no event `{event}`{suggestion(event, model.events)}"
                place = ("webhooks", index, "events", number)
                findings.append(settings.document.finding(place, "unknown-event-type", message))


def _check_polling(connections: Iterable[Connection], settings: Settings, findings: list[Finding]) -> None:
    """Warn of an interval that is written below that of a mapping: its connections are polled less often than that."""
    written = settings.document.data.get("polling") or {}
    if settings.polling is None or "interval" not in written:
        return
    own = {one.provider.name: one.provider.polling.interval for one in connections if one.provider.polling is not None}
    slower = [f"`{name}` every {seconds:g} s" for name, seconds in own.items() if seconds > settings.polling.interval]
    if slower:
        message = f"is less than mappings ask for, which are polled as they say: {', '.join(slower)}"
        findings.append(settings.document.finding(("polling", "interval"), "interval-not-kept", message))


def bind(name: str, plan: ProviderPlan, values: Mapping[str, Json], *, generated: bool = True) -> Connection:
    """Make a connection of checked settings, secrets among them as `Secret`.

    Without `generated` the evaluator alone says what its mapping means.
    """
    about = {"id": name, "time_zone": values["time_zone"], "currency": values["currency"]}
    plain = {key: value.reveal() if isinstance(value, Secret) else value for key, value in values.items()}
    digest = hashlib.sha256((plan.digest + name + json.dumps(plain, sort_keys=True, default=str)).encode()).hexdigest()
    scope: dict[str, Json] = {"settings": dict(values), "connection": about}
    return Connection(
        name=name,
        provider=fit(plan, values),
        zone=values["time_zone"],
        currency=values["currency"],
        scope=_with_code(plan, scope, generated=generated),
        revealed=_with_code(plan, {"settings": plain, "connection": about}, generated=generated),
        public=MappingProxyType({key: value for key, value in values.items() if not isinstance(value, Secret)}),
        redactor=Redactor(value for value in values.values() if isinstance(value, Secret)),
        digest=digest,
    )


def _with_code(plan: ProviderPlan, scope: dict[str, Json], *, generated: bool) -> Mapping[str, Json]:
    """Give what templates see, with the code that is generated for it."""
    return MappingProxyType(scope | ({GENERATED: Generated(plan.made, scope)} if generated else {}))


def _settings(
    wanted: ConnectionSettings, plan: ProviderPlan, document: Document, place: Place, findings: list[Finding]
) -> dict[str, Json] | None:
    """The connection's settings with defaults in, or None with a finding for each that does not fit."""
    before = len(findings)
    for name in wanted.settings:
        if name not in plan.settings:
            message = f"{plan.name} has no setting `{name}`{suggestion(name, plan.settings)}"
            findings.append(document.finding((*place, name), "unknown-setting", message, key=True))
    values: dict[str, Json] = {}
    for setting in plan.settings.values():
        given = wanted.settings.get(setting.name)
        if given is None and setting.required:
            message = f"`{setting.name}` is missing ({setting.meaning or setting.type})"
            findings.append(document.finding(place, "missing-setting", message))
        elif given is None:
            values[setting.name] = setting.default
        else:
            values[setting.name] = _value(setting, given, document, (*place, setting.name), findings)
    return values if len(findings) == before else None


_PATH = re.compile(r"(/[A-Za-z0-9_~-][A-Za-z0-9._~-]*)+/?")
_EXPECTED = {
    "string": "text",
    "secret": "text that is not empty",
    "boolean": "true or false",
    "integer": "a whole number",
}
_KINDS: dict[str, type] = {"string": str, "boolean": bool, "object": dict, "list": list}


def _value(setting: Setting, given: Json, document: Document, place: Place, findings: list[Finding]) -> Json:
    """One checked setting. Messages never hold what was given: it may be a secret in the wrong place."""
    expected = _EXPECTED.get(setting.type, setting.type)
    fits = False
    match setting.type:
        case "secret":
            fits = isinstance(given, str) and bool(given)
        case "integer":
            fits = isinstance(given, int) and not isinstance(given, bool)
        case "path":
            fits = isinstance(given, str) and bool(_PATH.fullmatch(given))
            expected = "a path of URL-safe segments, such as /v1/bookings"
        case "time_zone":
            fits, expected = isinstance(given, str) and given in zone_names(), ZONE
        case "url" | "currency":
            try:
                fits = scalar(setting.type).accept(given) is not None
            except TypeRefused as refused:
                expected = refused.expected
        case kind:
            fits = isinstance(given, _KINDS[kind])
    if fits and setting.allowed and given not in setting.allowed:
        fits, expected = False, f"one of {', '.join(map(str, setting.allowed))}"
    if not fits:
        findings.append(document.finding(place, "wrong-setting", f"`{setting.name}` must be {expected}"))
        return None
    return Secret(given) if setting.type == "secret" else given
