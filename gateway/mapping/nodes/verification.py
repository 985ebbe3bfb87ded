"""The compiled form of `verify`: where a proof stands in a message, and what it is checked against.

Nothing here reads a file, the clock or YAML, or verifies anything. `verification.py` is the only constructor; a plan
keeps `origin` (`file:line`) for messages and templates that give secrets, and never a secret.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

from gateway.mapping.expressions import Path, Predicate
from gateway.mapping.nodes.trees import Tree
from gateway.values.messages import Json

_Scope: TypeAlias = Mapping[str, Json]


@dataclass(frozen=True, slots=True)
class KeyPlan:
    """One secret or public key: `value` gives it as it is written, text, or null where its setting is not given."""

    value: Tree
    setting: str
    """The setting that gives it; empty for a public key that stands in the mapping."""


@dataclass(frozen=True, slots=True)
class Location:
    """Where a text stands in a message: in a header (lower case), a query parameter or, by `path`, the JSON body."""

    header: str = ""
    query: str = ""
    path: Path | None = None
    prefix: str = ""
    """What it begins with, and is not part of it."""
    split: str = ""
    """What stands between the entries of a list; empty: it is one."""
    pair: str = ""
    """What stands between name and value of an entry; only entries named `pick` are meant."""
    pick: str = ""


@dataclass(frozen=True, slots=True)
class SignaturePlan:
    """Where signatures are, and how their bytes are written: `hex`, `base64` or `base64url`. More than `most`: none."""

    location: Location
    encoding: str
    most: int


@dataclass(frozen=True, slots=True)
class TimestampPlan:
    """Where the time of signing is; `unit` is `s`, `ms` or `iso`, `tolerance` in seconds, past and future."""

    location: Location
    unit: str
    tolerance: float


@dataclass(frozen=True, slots=True)
class DigestPlan:
    """Where a digest of the body is that is itself signed."""

    location: Location
    hash: str
    encoding: str


@dataclass(frozen=True, slots=True)
class Piece:
    """A piece of the signed bytes. `kind` is a word, `text`, `header`, `query_value`, `path`, `join` or `body_hash`."""

    kind: str
    text: str = ""
    """The literal, the name of a header or parameter, what joins, or the hash."""
    paths: tuple[Path, ...] = ()
    encoding: str = ""
    stop: str = ""
    """The literal behind a value that the sender chooses: the value must not hold it, or its end would be unclear."""


@dataclass(frozen=True, slots=True)
class JwtPlan:
    """What a JWT must be: one of these algorithms, whatever it says itself; `leeway` is in seconds."""

    algorithms: tuple[str, ...]
    body_claim: str
    """The claim with the body's SHA-256; empty: the body is not signed."""
    encoding: str
    leeway: float


@dataclass(frozen=True, slots=True)
class ChallengePlan:
    """A message that only asks who answers here: when it is one, and what it is answered."""

    method: str
    """In capitals; empty for any."""
    query: Mapping[str, str]
    when: Predicate | None
    unproved: bool
    """Answered without being verified."""
    token: Location | None
    keys: tuple[KeyPlan, ...]
    """What its token may be."""
    value: Location | None
    header: str
    json: Tree | None
    signs: bool
    """`json` sees the HMAC of the value."""
    encoding: str
    origin: str


@dataclass(frozen=True, slots=True)
class VerifyPlan:
    """One block of `verify`: what a message must prove. A scheme's own parts are None or empty for the others."""

    scheme: str
    """`hmac`, `hash`, `asymmetric`, `token`, `basic` or `jwt`."""
    algorithm: str
    keys: tuple[KeyPlan, ...]
    """Any may fit. Of `basic` the one password."""
    key_encoding: str
    key_prefix: str
    user: Tree | None
    """Of `basic`."""
    token: Location | None
    """Of `token`; None: the last part of the hook's URL."""
    signature: SignaturePlan | None
    timestamp: TimestampPlan | None
    signed: tuple[Piece, ...]
    each: Path | None
    digest: DigestPlan | None
    jwt: JwtPlan | None
    challenges: tuple[ChallengePlan, ...]
    needs: Mapping[str, str]
    """Settings without which it is left out, each with the reason."""
    methods: frozenset[str]
    """HTTP methods of the messages that it is for, in capitals; empty for all."""
    partial: bool
    """What is signed is not the whole body: the rest is a hint, to be fetched before it is believed."""
    origin: str

    def applies(self, scope: _Scope, method: str = "") -> bool:
        """Whether a connection with these settings has it; of messages of one method, whether it is for them."""
        meant = not method or not self.methods or method in self.methods
        return meant and all(scope["settings"].get(name) is not None for name in self.needs)

    @property
    def always(self) -> bool:
        """Whether every message to every connection is held to it."""
        return not self.needs and not self.methods
