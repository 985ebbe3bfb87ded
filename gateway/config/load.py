"""The gateway's own configuration file and its variables → frozen Settings.

The only place that reads the environment. What a provider's `settings` must hold is not known here: its mapping says
that, and the catalog checks it.
"""

from __future__ import annotations

import ipaddress
import os
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

from gateway.config.keys import SCHEMA
from gateway.config.linked import compare_links
from gateway.config.links import link_of, seconds
from gateway.config.renamed import with_new_names
from gateway.config.settings import (
    Caller,
    ConnectionSettings,
    DeliverySettings,
    Listen,
    PollingSettings,
    RetentionSettings,
    Settings,
    WebhookSettings,
)
from gateway.documents.environment import resolve
from gateway.documents.schema_check import check
from gateway.documents.yaml import Document, Finding, Place, read, suggestion
from gateway.values.messages import Json
from gateway.values.secrets import Secret

_SIZES: Mapping[str, int] = {"KiB": 1 << 10, "MiB": 1 << 20}


def environment() -> Mapping[str, str]:
    """Give the process's environment as it is now."""
    return MappingProxyType(dict(os.environ))


def load(path: Path, environ: Mapping[str, str]) -> tuple[Settings | None, list[Finding]]:
    """Read the configuration file with its variables put in; Settings are None exactly when a finding is an error."""
    written, findings = read(path)
    if written is None:
        return None, findings
    document, warnings = with_new_names(written)
    data = resolve(document.data, (), document, environ, findings)
    told = {(finding.line, finding.column) for finding in findings}
    found: list[Finding] = []
    checked = check(SCHEMA, data, document, (), found)
    if checked:
        _compare(checked, document, found)
    # A variable without a value is told once: how its place looks without the value is no news.
    findings += [one for one in found if (one.line, one.column) not in told]
    settings = _settings(checked, document, path.parent) if checked and not findings else None
    return settings, warnings + findings


def _compare(checked: Mapping[str, Json], document: Document, findings: list[Finding]) -> None:
    """Check what the keys say of one another: whose key is whose, and that connections exist."""
    owners = {"admin.token": Secret(checked["admin"]["token"])} if "admin" in checked else {}
    for name, caller in checked["callers"].items():
        key = Secret(caller["key"])
        twin = next((owner for owner, theirs in owners.items() if theirs == key), None)
        if twin is not None:
            place = ("callers", name, "key")
            findings.append(document.finding(place, "shared-key", f"is also the key of `{twin}`; keys must differ"))
        owners[name] = key
        _compare_connections(caller, checked, document, ("callers", name), findings)
    _compare_secrets(owners, checked, document, findings)
    urls: dict[str, int] = {}
    for index, webhook in enumerate(checked["webhooks"]):
        _compare_connections(webhook, checked, document, ("webhooks", index), findings)
        first = urls.setdefault(webhook["url"], index)
        if first != index:
            message = f"is also the address of number {first + 1}; put the events of one consumer together"
            findings.append(document.finding(("webhooks", index, "url"), "duplicate-webhook", message))
    compare_links(checked, document, findings)


def _compare_secrets(
    owners: Mapping[str, Secret], checked: Mapping[str, Json], document: Document, findings: list[Finding]
) -> None:
    """Check that what opens the gateway is known to nobody else: no provider and no consumer shares a key with it."""
    others: list[tuple[Place, Json]] = [
        (("connections", name, "settings", setting), value)
        for name, one in checked["connections"].items()
        for setting, value in one["settings"].items()
    ]
    others += [(("webhooks", index, "secret"), one["secret"]) for index, one in enumerate(checked["webhooks"])]
    for place, value in others:
        twin = next((owner for owner, key in owners.items() if isinstance(value, str) and Secret(value) == key), None)
        if twin is not None:
            message = f"is also the key of `{twin}`; whoever knows this value could call the gateway with it"
            findings.append(document.finding(place, "shared-key", message))


def _compare_connections(
    node: Mapping[str, Json], checked: Mapping[str, Json], document: Document, place: Place, findings: list[Finding]
) -> None:
    for index, wanted in enumerate(node.get("connections", ())):
        if wanted not in checked["connections"]:
            message = f"there is no such connection{suggestion(wanted, checked['connections'])}"
            findings.append(document.finding((*place, "connections", index), "unknown-connection", message))


def _settings(checked: Mapping[str, Json], document: Document, folder: Path) -> Settings:
    size, unit = checked["max_body"][:-3], checked["max_body"][-3:]
    return Settings(
        document=document,
        listen=Listen(**checked["listen"]),
        mappings=tuple(folder / text for text in checked["mappings"]),
        timeout=float(checked["timeout"][:-1]),
        max_body=int(size) * _SIZES[unit],
        limits_store=checked["limits_store"],
        admin_token=Secret(checked["admin"]["token"]) if "admin" in checked else None,
        traces=checked["admin"]["traces"] if "admin" in checked else 0,
        state_keys=tuple(map(Secret, _list(checked.get("state_key", [])))),
        callers=MappingProxyType({name: _caller(name, one) for name, one in checked["callers"].items()}),
        cors_origins=frozenset(checked["cors"]["origins"]),
        egress=tuple(map(ipaddress.ip_network, checked["egress"]["allow"])),
        connections=MappingProxyType(
            {
                name: ConnectionSettings(name, one["provider"], MappingProxyType(one["settings"]))
                for name, one in checked["connections"].items()
            }
        ),
        store=checked["store"],
        public_url=checked.get("public_url", ""),
        webhooks=tuple(map(_webhook, checked["webhooks"])),
        emit_confirmed_on_create=checked["events"]["emit_confirmed_on_create"],
        deliveries=_deliveries(checked["deliveries"]),
        polling=_polling(checked["polling"]) if "polling" in checked else None,
        retention=RetentionSettings(**checked["retention"]),
        links=tuple(map(link_of, checked["links"])),
    )


def _list(one: str | list[str]) -> list[str]:
    """Give one or several as a list."""
    return [one] if isinstance(one, str) else one


def _webhook(one: Mapping[str, Json]) -> WebhookSettings:
    connections = tuple(one["connections"]) if "connections" in one else None
    schedule = tuple(map(seconds, one["schedule"])) if "schedule" in one else None
    return WebhookSettings(
        one["url"], tuple(one["events"]), Secret(one["secret"]), connections, one["format"], schedule
    )


def _deliveries(one: Mapping[str, Json]) -> DeliverySettings:
    schedule = tuple(map(seconds, one["schedule"]))
    return DeliverySettings(schedule, seconds(one["timeout"]), one["concurrency"], one["per_second"], one["http"])


def _polling(one: Mapping[str, Json]) -> PollingSettings:
    return PollingSettings(seconds(one["interval"]), one.get("window_days"))


def _caller(name: str, one: Mapping[str, Json]) -> Caller:
    connections = frozenset(one["connections"]) if "connections" in one else None
    return Caller(name, Secret(one["key"]), frozenset(one["may"]), connections)
