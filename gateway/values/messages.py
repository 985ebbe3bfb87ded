"""The values that travel between the stages. Nothing here does anything."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Final, TypeAlias

Json: TypeAlias = Any
"""Decoded JSON: plain dict, list, str, int, float, bool or None. jmespath refuses subclasses of them."""


class Effect(Enum):
    """What a call does to the provider's data. Retries and unknown outcomes follow this word, never the HTTP verb."""

    SAFE = "safe"
    IDEMPOTENT = "idempotent"
    UNSAFE = "unsafe"


STRICT: Final = "strict"
LENIENT: Final = "lenient"
"""How a caller prefers what cannot be done in full to be handled (RFC 7240 §4.4); empty text: as the mapping says."""


@dataclass(frozen=True, slots=True)
class Call:
    """What a caller asks for. `operation` is canonical (`bookings.create`) or `native.` and the mapping's own name.

    `arguments` are validated and canonical; `deadline` is a reading of the event loop's clock, in seconds.
    """

    connection: str
    operation: str
    arguments: Mapping[str, Json]
    request_id: str
    deadline: float
    include: frozenset[str] = frozenset()
    caller: str = ""
    """Who asks, where calls of several are held apart; empty for the gateway itself."""
    idempotency_key: str = ""
    """By what repeats of the call are known to be the same, made of the caller's key; empty where there is none."""
    partial: bool = False
    """Whether rows that do not fit may be left out of the list: the reply then says so in its warnings."""
    handling: str = ""
    """STRICT or LENIENT, where the caller prefers one."""
    parted: bool = False
    """Whether a list is of use of which the provider tells a part: the reply then says that it is not whole."""


@dataclass(frozen=True, slots=True)
class Request:
    """One HTTP request to a provider, complete but for what the auth scheme adds."""

    method: str
    url: str
    headers: tuple[tuple[str, str], ...] = ()
    query: tuple[tuple[str, str], ...] = ()
    body: bytes = b""
    timeout: float = 30.0
    """Seconds for the whole exchange."""
    max_bytes: int = 10_000_000
    enough: int | None = None
    """When the status is what matters: read so many bytes of the answer and hang up, and take less for enough too."""
    limit: str = "default"
    """The class of the connection's rate limits that every attempt counts against."""
    hidden: frozenset[str] = field(default=frozenset(), compare=False, repr=False)
    """Texts of the body that prove who we are; traces mask them. In headers and query they are Credentials."""
    kind: str = field(default="", compare=False)
    """The form of the body, by the key that a mapping gives it under; empty where none does."""
    content: Json = field(default=None, compare=False, repr=False)
    """What the body was written from: credentials that go into it are laid into this."""
    step: str = field(default="", compare=False)
    origin: str = field(default="", compare=False)
    """The call as the mapping writes it, and its place there, `file:line`; for traces alone."""

    def with_parts(
        self,
        headers: tuple[tuple[str, str], ...],
        query: tuple[tuple[str, str], ...],
        body: bytes,
        hidden: frozenset[str],
    ) -> Request:
        """Give the same with these parts: what `dataclasses.replace` does, at half its cost."""
        about = (self.timeout, self.max_bytes, self.enough, self.limit, hidden, self.kind, self.content)
        return Request(self.method, self.url, headers, query, body, *about, self.step, self.origin)


@dataclass(frozen=True, slots=True)
class Response:
    """One HTTP answer, read whole."""

    status: int
    headers: Mapping[str, str]
    """Names in lower case; of a repeated header the first, but of Set-Cookie each on a line, and all links."""
    body: bytes
    elapsed: float = 0.0
    """Seconds from the first byte sent to the last byte read."""


@dataclass(frozen=True, slots=True)
class Reply:
    """What a call is answered with. `data` is a canonical object, a list of them, or None (204)."""

    data: Json
    support: str = "native"
    raw: Json = None
    """The provider's own objects, in the order of `data`, when the caller asked to see them."""
    whole: bool = True
    """Whether the provider has told all of the list."""
    warnings: tuple[Mapping[str, Json], ...] = ()
    """What the data lacks, or what was given and not kept, each a `Warning` of the contract."""
    age: float | None = None
    """Seconds since the provider said it, when something of it was kept from an earlier call."""


@dataclass(frozen=True, slots=True)
class Received:
    """One HTTP request that a provider makes to us, exactly as it came: nothing of it is decoded or trusted yet."""

    method: str
    token: str | None
    """The last part of the path, percent-decoded, where the hook's address ends in a token."""
    query: tuple[tuple[str, str], ...]
    headers: tuple[tuple[str, str], ...]
    """Names in lower case; a header that came twice stands here twice."""
    body: bytes


@dataclass(frozen=True, slots=True)
class Message:
    """What one message of a provider says, in canonical terms.

    `type` is an event type of the contract, `changed` (what the difference to the last known state says) or `ignore`.
    `data` is the canonical object; None for a thin message, whose object `fetch` names: operation and arguments.
    """

    type: str
    data: Mapping[str, Json] | None
    fetch: tuple[str, Mapping[str, Json]] | None = None


@dataclass(frozen=True, slots=True)
class MarketplaceRequest:
    """What a marketplace asks of us, in canonical terms: one of the contract's `requests` and what it says.

    `data` is complete and of the request's type; ids of resources and clubs are the marketplace's own.
    """

    request: str
    data: Mapping[str, Json]


@dataclass(frozen=True, slots=True)
class Observation:
    """What the gateway learned of a booking, or another thing; `origin` is `provider_webhook`, `poll` or `gateway`.

    `type` is what the provider says happened, or `changed` when only the new state is known. `data` may leave out
    what the source of the observation cannot tell. `gone` says that the booking is no longer listed. `stand_ins` are
    fields of `data` that the provider cannot tell either: they count only while nothing better is known. `lapsing` are
    those that the source leaves out where they have no value: what is known of them is over when `data` lacks them.
    """

    connection: str
    provider: str
    origin: str
    type: str
    subject: str
    data: Mapping[str, Json]
    gone: bool = False
    stand_ins: frozenset[str] = frozenset()
    lapsing: frozenset[str] = frozenset()


Send: TypeAlias = Callable[[Request], Awaitable[Response]]
