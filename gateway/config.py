"""The gateway's own configuration file and its variables → frozen Settings.

The only place that reads the environment. What a provider's `settings` must hold is not known here: its mapping says
that, and the catalog checks it.
"""

from __future__ import annotations

import importlib.util
import ipaddress
import os
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import TypeAlias
from urllib.parse import unquote, urlsplit

from gateway.document import Document, Finding, Place, read, suggestion
from gateway.messages import Json
from gateway.observe import Secret
from gateway.shape import Rules, check

Network: TypeAlias = ipaddress.IPv4Network | ipaddress.IPv6Network

_VARIABLE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")
_MAX_VARIABLE = 64 * 1024
_UNITS: Mapping[str, int] = {"KiB": 1 << 10, "MiB": 1 << 20}
# Visible ASCII, because it travels in an Authorization header; long enough not to be guessed.
_KEY = r"[!-~]{16,256}"
_KEY_MEANING = "16 to 256 visible ASCII characters"
_LATER = frozenset(("store", "webhooks", "links", "watch"))
_REDIS = re.compile(r"rediss?://([^\s/@]*@)?([A-Za-z0-9.-]+|\[[0-9A-Fa-f:]+\]):[0-9]{1,5}(/[0-9]{1,3})?")


def _key(kind: str, meaning: str, *, example: Json = None, **rules: Json) -> Rules:
    return {"type": kind, **rules, "meta": {"meaning": meaning, "example": example}}


def _network(field: str, text: str, refuse: Callable[[str, str], None]) -> None:
    try:
        ipaddress.ip_network(text)
    except ValueError:
        refuse(field, "is no network in CIDR notation without host bits, such as `10.1.0.0/16`")


def _store(field: str, text: str, refuse: Callable[[str, str], None]) -> None:
    if text != "memory://" and not _REDIS.fullmatch(text):
        refuse(field, "is neither `memory://` nor a Redis URL such as `redis://:${PASSWORD}@redis.internal:6379/0`")
    elif text != "memory://" and importlib.util.find_spec("redis") is None:
        refuse(field, "needs the Redis client, which is not installed: pip install 'booking-gateway[redis]'")


SCHEMA: Rules = {
    "listen": _key(
        "dict",
        "where callers reach the gateway",
        default={},
        schema={
            "host": _key("string", "address of one interface, or 0.0.0.0 for all", default="127.0.0.1", minlength=1),
            "port": _key("integer", "TCP port; 0 takes a free one", default=8080, min=0, max=65535),
        },
    ),
    "mappings": _key(
        "list",
        "folders and files of provider mappings, relative to this file",
        default=["mappings"],
        minlength=1,
        schema=_key("string", "a folder or file", example="mappings", minlength=1),
    ),
    "timeout": _key(
        "string", "how long a call may take in all, in seconds", example="25s", default="25s", regex=r"[1-9][0-9]{0,2}s"
    ),
    "max_body": _key(
        "string",
        "size up to which a caller's body is read",
        example="1MiB",
        default="1MiB",
        regex=r"[1-9][0-9]{0,2}(KiB|MiB)",
    ),
    "limits_store": _key("string", "where calls to providers are counted", default="memory://", check_with=_store),
    "admin": _key(
        "dict",
        "the operator's side; without it there is none",
        schema={"token": _key("string", _KEY_MEANING, example="${GATEWAY_ADMIN_TOKEN}", required=True, regex=_KEY)},
    ),
    "callers": _key(
        "dict",
        "who may call the gateway, by name",
        required=True,
        minlength=1,
        keysrules=_key(
            "string", "1 to 63 of a-z, 0-9, `_` and `-`, the first no sign", regex=r"[a-z0-9][a-z0-9_-]{0,62}"
        ),
        valuesrules=_key(
            "dict",
            "one caller",
            schema={
                "key": _key("string", _KEY_MEANING, example="${GATEWAY_WEB_KEY}", required=True, regex=_KEY),
                "may": _key("list", "what it may do", required=True, minlength=1, allowed=["read", "write"]),
                "connections": _key(
                    "list",
                    "the connections it may use; without the list, all",
                    minlength=1,
                    schema=_key("string", "the name of a connection", example="club-a"),
                ),
            },
        ),
    ),
    "cors": _key(
        "dict",
        "web pages that may call the gateway from a browser",
        default={},
        schema={
            "origins": _key(
                "list",
                "their origins",
                default=[],
                schema=_key(
                    "string",
                    "scheme, host and port as a browser sends them, nothing more",
                    example="https://booking.example",
                    regex=r"https?://(\[[0-9a-f:]+\]|[a-z0-9.-]+)(:[0-9]{1,5})?",
                ),
            )
        },
    ),
    "egress": _key(
        "dict",
        "what the gateway itself may call",
        default={},
        schema={
            "allow": _key(
                "list",
                "private networks that providers may be in; all others are refused",
                default=[],
                schema=_key("string", "a network in CIDR notation", example="10.1.0.0/16", check_with=_network),
            )
        },
    ),
    "connections": _key(
        "dict",
        "accounts at providers, by the name that stands in URLs",
        required=True,
        minlength=1,
        keysrules=_key(
            "string",
            "1 to 63 of a-z, 0-9 and `-`, the first no sign; connections, webhooks and operations are taken",
            regex=r"[a-z0-9][a-z0-9-]{0,62}",
            forbidden=["connections", "webhooks", "operations"],
        ),
        valuesrules=_key(
            "dict",
            "one connection",
            schema={
                "provider": _key("string", "the provider's name in its mapping", required=True, minlength=1),
                "settings": _key("dict", "what the provider's mapping asks for", default={}),
            },
        ),
    ),
}
"""Every key of the configuration file, for cerberus and for the reference."""


@dataclass(frozen=True, slots=True)
class Listen:
    """Where callers reach the gateway. Port 0 takes a free one."""

    host: str
    port: int


@dataclass(frozen=True, slots=True)
class Caller:
    """Someone who may call the gateway. `may` holds `read`, `write`; `connections` is None for all of them."""

    name: str
    key: Secret
    may: frozenset[str]
    connections: frozenset[str] | None


@dataclass(frozen=True, slots=True)
class ConnectionSettings:
    """One account at a provider, as configured: nothing in `settings` is checked yet, and some of it is secret."""

    name: str
    provider: str
    settings: Mapping[str, Json] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Settings:
    """The whole configuration, checked. `document` is kept for findings of later stages."""

    document: Document
    listen: Listen
    mappings: tuple[Path, ...]
    timeout: float
    """Seconds a call may take in all."""
    max_body: int
    """Bytes up to which a caller's body is read."""
    limits_store: str = field(repr=False)
    """`memory://`, or the URL of a Redis, with its password."""
    admin_token: Secret | None
    callers: Mapping[str, Caller]
    cors_origins: frozenset[str]
    egress: tuple[Network, ...]
    connections: Mapping[str, ConnectionSettings]

    def secrets(self) -> Iterator[Secret]:
        """Give the secrets known so far; those of the connections are known to the catalog."""
        yield from (caller.key for caller in self.callers.values())
        if self.admin_token is not None:
            yield self.admin_token
        yield from (Secret(unquote(word)) for word in (urlsplit(self.limits_store).password,) if word)


def environment() -> Mapping[str, str]:
    """Give the process's environment as it is now."""
    return MappingProxyType(dict(os.environ))


def load(path: Path, environ: Mapping[str, str]) -> tuple[Settings | None, list[Finding]]:
    """Read the configuration file with its variables put in; Settings are None exactly when there are findings."""
    document, findings = read(path)
    if document is None:
        return None, findings
    data = _resolved(_taken_out(document, findings), (), document, environ, findings)
    told = {(finding.line, finding.column) for finding in findings}
    found: list[Finding] = []
    checked = check(SCHEMA, data, document, (), found)
    if checked:
        _compare(checked, document, found)
    # A variable without a value is told once: how its place looks without the value is no news.
    findings += [one for one in found if (one.line, one.column) not in told]
    return (_settings(checked, document, path.parent), []) if checked and not findings else (None, findings)


class _NoValueError(Exception):
    """A variable that gives no value; the message says why and what to do."""


def _resolved(
    value: Json, place: Place, document: Document, environ: Mapping[str, str], findings: list[Finding]
) -> Json:
    """Copy `value` with its variables put in; one that gives no value stays as written and is a Finding."""
    if isinstance(value, dict):
        return {key: _resolved(inner, (*place, key), document, environ, findings) for key, inner in value.items()}
    if isinstance(value, list):
        return [_resolved(inner, (*place, at), document, environ, findings) for at, inner in enumerate(value)]
    if not isinstance(value, str) or "${" not in value:
        return value
    try:
        return _variable(value, environ)
    except _NoValueError as error:
        findings.append(document.finding(place, "bad-variable", str(error)))
        return value


def _variable(text: str, environ: Mapping[str, str]) -> str:
    """Give the value of `${NAME}`: the variable NAME, or what the file holds that NAME_FILE names."""
    whole = _VARIABLE.fullmatch(text)
    if whole is None:
        raise _NoValueError("a variable must be the whole value, as in `${NAME}`")
    name = whole[1]
    value, file = environ.get(name), environ.get(f"{name}_FILE")
    if value is not None and file is not None:
        raise _NoValueError(f"both {name} and {name}_FILE are set; unset one of them")
    if file is not None:
        value = _held(Path(file), f"{name}_FILE")
    if value is None:
        raise _NoValueError(f"{name} is not set; set it, or set {name}_FILE to the path of a file that holds it")
    if not value:
        raise _NoValueError(f"{name} is empty; give it a value")
    if not value.isprintable():  # also what the operating system could not decode
        raise _NoValueError(f"{name} holds characters that cannot be printed, perhaps a line break")
    return value


def _held(path: Path, variable: str) -> str:
    """Read a variable's value from a file; one line break at the end is not part of it."""
    try:
        with path.open("rb") as file:
            content = file.read(_MAX_VARIABLE + 1)
        if len(content) > _MAX_VARIABLE:
            raise _NoValueError(f"the file that {variable} names is larger than {_MAX_VARIABLE} bytes")
        return content.decode().removesuffix("\n").removesuffix("\r")
    except OSError as error:
        raise _NoValueError(f"the file that {variable} names cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise _NoValueError(f"the file that {variable} names is not UTF-8 text") from None


def _taken_out(document: Document, findings: list[Finding]) -> Json:
    """Leave out what later releases will take, with a Finding each: nothing is accepted and ignored."""
    data = document.data
    if not isinstance(data, dict):
        return data
    findings += [
        document.finding((key,), "not-in-this-release", f"`{key}` is not in this release; remove it", key=True)
        for key in data
        if key in _LATER
    ]
    return {key: value for key, value in data.items() if key not in _LATER}


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
        for index, wanted in enumerate(caller.get("connections", ())):
            if wanted not in checked["connections"]:
                message = f"there is no such connection{suggestion(wanted, checked['connections'])}"
                where = ("callers", name, "connections", index)
                findings.append(document.finding(where, "unknown-connection", message))


def _settings(checked: Mapping[str, Json], document: Document, folder: Path) -> Settings:
    size, unit = checked["max_body"][:-3], checked["max_body"][-3:]
    return Settings(
        document=document,
        listen=Listen(**checked["listen"]),
        mappings=tuple(folder / text for text in checked["mappings"]),
        timeout=float(checked["timeout"][:-1]),
        max_body=int(size) * _UNITS[unit],
        limits_store=checked["limits_store"],
        admin_token=Secret(checked["admin"]["token"]) if "admin" in checked else None,
        callers=MappingProxyType({name: _caller(name, one) for name, one in checked["callers"].items()}),
        cors_origins=frozenset(checked["cors"]["origins"]),
        egress=tuple(map(ipaddress.ip_network, checked["egress"]["allow"])),
        connections=MappingProxyType(
            {
                name: ConnectionSettings(name, one["provider"], MappingProxyType(one["settings"]))
                for name, one in checked["connections"].items()
            }
        ),
    )


def _caller(name: str, one: Mapping[str, Json]) -> Caller:
    connections = frozenset(one["connections"]) if "connections" in one else None
    return Caller(name, Secret(one["key"]), frozenset(one["may"]), connections)
