"""The compiled form of a whole mapping, and the same as one connection has it. No plan reads a file or the clock."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar, TypeAlias

from gateway.mapping.nodes.calls import CallPlan, Condition, ErrorRule, OperationPlan
from gateway.mapping.nodes.given import Setting
from gateway.mapping.nodes.hooks import Hook
from gateway.mapping.nodes.polling import PollingPlan
from gateway.mapping.nodes.sessions import (
    FETCHED,
    Agreed,
    Assertion,
    Beginning,
    Expiry,
    FromCookie,
    FromHeader,
    Refreshing,
    TokenSource,
)
from gateway.mapping.nodes.trees import RecordPlan, Tree
from gateway.values.rates import LimitsPlan


@dataclass(frozen=True, slots=True)
class NoAuth:
    """A provider that asks for nothing."""

    scheme: ClassVar[str] = "none"


@dataclass(frozen=True, slots=True)
class StaticAuth:
    """Parts of every request that say who we are."""

    scheme: ClassVar[str] = "static"
    origin: str
    headers: Tree | None = None
    query: Tree | None = None
    form: Tree | None = None
    basic: tuple[Tree, Tree] | None = None
    encoded: bool = False
    """Whether both of `basic` are encoded as form fields first (RFC 6749, section 2.3.1)."""
    cookies: Tree | None = None
    json: Tree | None = None
    params: Tree | None = None
    """Of JSON-RPC, by positions or by names."""
    xml: Tree | None = None
    namespaces: Mapping[str, str] = field(default_factory=dict)
    """Those of bodies in XML."""

    @property
    def bodiless(self) -> bool:
        """Whether no part of it goes into a body."""
        return self.form is None and self.json is None and self.params is None and self.xml is None

    @property
    def without_bodies(self) -> StaticAuth:
        """The same without what goes into bodies."""
        return replace(self, form=None, json=None, params=None, xml=None)


@dataclass(frozen=True, slots=True)
class SessionAuth:
    """A token that a login gives, and the parts of every other request that it goes into."""

    scheme: ClassVar[str] = "session"
    login: CallPlan
    """What gets a token where there is nothing to renew it by; of a session that is `kept`, what renews it."""
    token: TokenSource
    expiry: Expiry | None
    """When a token is renewed by itself; None: when it is refused."""
    renew_when: tuple[Condition, ...]
    sends: StaticAuth
    shared_by: tuple[str, ...]
    """The settings that tell its sessions apart."""
    origin: str
    refresh: Refreshing | None = None
    begins: Beginning = FETCHED
    client: StaticAuth | None = None
    """What proves to the token endpoint who the gateway is, beside what its calls say."""
    assertion: Assertion | None = None
    rules: tuple[ErrorRule, ...] = ()
    """What refusals of its own calls mean, before the file's own rules."""
    beside: StaticAuth | None = None
    """What is sent besides, with its own calls too but for what goes into bodies."""

    @property
    def calls(self) -> tuple[CallPlan, ...]:
        """All calls that get a token, each once."""
        exchange = (self.begins.exchange,) if isinstance(self.begins, Agreed) else ()
        renewal = (self.refresh.call,) if self.refresh is not None and self.refresh.call is not self.login else ()
        return (self.login, *renewal, *exchange)


@dataclass(frozen=True, slots=True)
class ChallengeAuth:
    """A token that the first refusal gives, and the parts of every request that it goes into from then on."""

    scheme: ClassVar[str] = "challenge"
    token: FromHeader | FromCookie
    renew_when: tuple[Condition, ...]
    sends: StaticAuth
    origin: str
    beside: StaticAuth | None = None
    """What is sent besides, from the first call on."""


AuthPlan: TypeAlias = NoAuth | StaticAuth | SessionAuth | ChallengeAuth


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)  # asyncio shows results of tasks: it would be long
class _Provider:
    """What is known of a provider, whoever is connected to it."""

    name: str
    title: str
    kind: str
    settings: Mapping[str, Setting]
    auth: AuthPlan
    auth_schemes: Mapping[str, AuthPlan]
    """Other schemes by name: what a call may say instead."""
    limits: LimitsPlan
    rules: tuple[ErrorRule, ...]
    records: Mapping[str, RecordPlan]
    polling: PollingPlan | None
    """How changes are found where the provider tells none; a connection without its operation is not polled."""
    remembered: Mapping[str, frozenset[str]]
    """Fields of what changes that the provider cannot tell → operations that know them of what they did."""
    digest: str
    file: str
    made: dict[Any, Any] = field(default_factory=dict, compare=False)
    """What was generated from its nodes when they were first used, by their id: one memory for all connections."""


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class ProviderPlan(_Provider):
    """Everything that a mapping says of one provider: `compile.py` is the only constructor."""

    ways: Mapping[str, tuple[OperationPlan, ...]]
    """Every way of every operation, native ones under `native.` and their name."""
    unsupported: Mapping[str, str]
    hooks: Mapping[str, Hook]


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class FittedPlan(_Provider):
    """A provider as a connection with certain settings has it: `ways.py` is the only constructor."""

    compiled: ProviderPlan
    operations: Mapping[str, OperationPlan]
    """Of each operation the way that the connection has."""
    native: Mapping[str, OperationPlan]
    unsupported: Mapping[str, str]
    """The operations that it has not, those among them that other settings would give it."""
    hooks: Mapping[str, Hook]
