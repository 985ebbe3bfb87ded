"""The compiled form of hooks: what a provider sends to us. Nothing here reads a file, the clock or YAML.

`hooks.py` is the only constructor. A plan keeps `origin` (`file:line`) for messages, and never a value.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, TypeAlias

from gateway.mapping.codecs import Codec
from gateway.mapping.expressions import Literal, Path, Predicate, Template
from gateway.mapping.nodes.trees import RecordPlan, Tree
from gateway.mapping.nodes.verification import VerifyPlan
from gateway.model.model import Resource
from gateway.values.messages import Json

IGNORE: Final = "ignore"
CHANGED: Final = "changed"
"""What a message may mean besides the events of the contract: nothing to us, or something that only the difference to
the last known state tells."""
DEFAULT: Final = "default"
"""Among `replies`, every error code that has none of its own."""


@dataclass(frozen=True, slots=True)
class EqualPlan:
    """A cheap check: what stands in the body at `at` is what the template gives, else the message is refused."""

    at: Path
    value: Template | Literal
    origin: str


@dataclass(frozen=True, slots=True)
class FetchPlan:
    """Of a thin message: the canonical operation that gives its object, with these arguments."""

    operation: str
    arguments: Tree
    origin: str


@dataclass(frozen=True, slots=True)
class NamePlan:
    """A part of what names a delivery. `kind` is `path` (on the message), `header` or `body`, the whole body's hash."""

    kind: str
    path: Path | None
    header: str
    """In lower case."""
    origin: str

    @property
    def text(self) -> str:
        """The part as the mapping writes it."""
        return self.path.text if self.path is not None else f"header {self.header}" if self.header else self.kind


@dataclass(frozen=True, slots=True)
class EventPlan:
    """Which event a message tells: the same always (`constant`), or what the enum makes of the word at `at`."""

    at: Path | None
    codec: Codec | None
    constant: str
    words: tuple[tuple[Json, str], ...]
    """The provider's words with what they mean: an event of the contract, `changed` or `ignore`."""
    other: str
    """What any other word means."""
    origin: str


@dataclass(frozen=True, slots=True)
class ReplyPlan:
    """What the sender is answered. `kind` is `none`, `text` or `json`."""

    status: int
    kind: str
    body: Tree | None
    origin: str


@dataclass(frozen=True, slots=True)
class RequestPlan:
    """What a message may ask of us: a canonical request, how the message tells it, and how it is answered."""

    request: str
    """Its name in the contract: `booking.requested`."""
    shape: Resource
    """The object that the contract says it has."""
    when: Predicate | None
    """Whether a message asks for this; None where every one does."""
    at: Path | None
    """Where in the message the row is, if a record reads one."""
    record: str
    """Its name, else empty."""
    reads: RecordPlan | None
    laid: Tree | None
    """Fields that are laid over what the record read."""
    sources: Mapping[str, str]
    """These fields, each with its tree as the mapping writes it."""
    reply: ReplyPlan
    """Its body sees the request as `request`, and what the contract says that the request is given."""
    origin: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Hook:
    """What every hook of a provider has: who may send there, and how."""

    name: str
    methods: frozenset[str]
    """In capitals."""
    needs: Mapping[str, str]
    """Settings without which a connection does not have this, each with the reason."""
    verify: tuple[VerifyPlan, ...]
    """All must hold of a message before it is read."""
    equals: tuple[EqualPlan, ...]
    body: str
    """`json`, `form` or `none`."""
    replies: Mapping[str, ReplyPlan]
    """What is answered to an error: by its code, and `default`."""
    origin: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EventHook(_Hook):
    """A hook that tells of events: what a message means, and what is answered to one that is taken."""

    forged: frozenset[tuple[str, str]] | None
    """Errors by which the fetch says that a message is forged: code, and the provider's own code where only that one
    says so; None where the fetch is no proof."""
    rows: Path | None
    dedupe: tuple[NamePlan, ...]
    compares: bool
    """Whether a message whose name came before is compared with what is known, and not dropped."""
    type: EventPlan
    at: Path
    record: str
    """The name of the record that reads the message, empty where it is fetched."""
    reads: RecordPlan | None
    omits: Mapping[str, frozenset[str]]
    """Event → fields of the record that its messages do not tell: what is known of them stays."""
    fetch: FetchPlan | None
    reply: ReplyPlan


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestHook(_Hook):
    """A hook that asks something of us: each ask in the order in which they are tried, answered for itself."""

    requests: tuple[RequestPlan, ...]


Hook: TypeAlias = EventHook | RequestHook


def is_proved_by_fetch(hook: Hook) -> bool:
    """Whether what is fetched for a message may prove it: then a message need not prove itself."""
    return isinstance(hook, EventHook) and hook.forged is not None
