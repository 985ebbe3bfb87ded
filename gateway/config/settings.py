"""The configuration as values: frozen, checked, complete with its defaults. Nothing here reads a file."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias
from urllib.parse import unquote, urlsplit

from gateway.config.links import LinkSettings
from gateway.documents.yaml import Document
from gateway.values.messages import Json
from gateway.values.secrets import Secret

Network: TypeAlias = ipaddress.IPv4Network | ipaddress.IPv6Network


@dataclass(frozen=True, slots=True)
class Listen:
    """Where callers reach the gateway. Port 0 takes a free one."""

    host: str
    port: int


@dataclass(frozen=True, slots=True)
class Caller:
    """Someone who may call the gateway. `connections` is None for all of them.

    `may` holds `read` and `write`; of the operator, who is no caller, `admin` alone.
    """

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
class WebhookSettings:
    """One consumer of events that the configuration names. `events` may hold `*`; `connections` is None for all."""

    url: str
    events: tuple[str, ...]
    secret: Secret
    connections: tuple[str, ...] | None
    format: str
    schedule: tuple[float, ...] | None
    """Seconds between one attempt and the next; None for the usual ones."""


@dataclass(frozen=True, slots=True)
class DeliverySettings:
    """How events are sent on. Times are in seconds."""

    schedule: tuple[float, ...]
    """Between one attempt and the next: one more attempt than there are entries."""
    timeout: float
    concurrency: int
    """Attempts under way at one endpoint."""
    per_second: int
    """Attempts that begin at one endpoint in a second."""
    http: bool
    """Whether callers may subscribe addresses without TLS."""


@dataclass(frozen=True, slots=True)
class PollingSettings:
    """How providers that send no events are polled: every so many seconds, at most so many days ahead, None: any."""

    interval: float
    window_days: int | None


@dataclass(frozen=True, slots=True)
class RetentionSettings:
    """How long what has happened is kept: so many days, and so many events at most."""

    days: int
    rows: int


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
    traces: int
    """Traces of calls that are kept for the operator; 0 without an operator's side."""
    state_keys: tuple[Secret, ...]
    """What encrypts what is kept of sessions at providers, the newest first; without any, nothing is kept."""
    callers: Mapping[str, Caller]
    cors_origins: frozenset[str]
    egress: tuple[Network, ...]
    connections: Mapping[str, ConnectionSettings]
    store: str = field(repr=False)
    """The URL of the store, with its password: `sqlite:///path`, `sqlite://` (in memory) or `postgresql://…`."""
    public_url: str
    """Where the outside reaches the gateway, without a slash at the end; empty when that is not said."""
    webhooks: tuple[WebhookSettings, ...]
    emit_confirmed_on_create: bool
    """Whether a booking that is made confirmed is told as created and as confirmed."""
    deliveries: DeliverySettings
    polling: PollingSettings | None
    retention: RetentionSettings
    links: tuple[LinkSettings, ...]

    def secrets(self) -> Iterator[Secret]:
        """Give the secrets known so far; those of the connections are known to the catalog."""
        yield from (caller.key for caller in self.callers.values())
        if self.admin_token is not None:
            yield self.admin_token
        yield from self.state_keys
        yield from (one.secret for one in self.webhooks)
        passwords = (urlsplit(url).password for url in (self.limits_store, self.store))
        yield from (Secret(unquote(word)) for word in passwords if word)
