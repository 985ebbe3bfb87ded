"""The nodes of a mapping: what it says, once it was read and checked, and where that stands.

Nothing here reads a file, the clock or YAML. `compile.py` is the only constructor; a plan keeps `origin` (`file:line`)
for messages and `text` for `gateway explain`, and never a value.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, TypeAlias

from gateway.documents.yaml import Place
from gateway.mapping.codecs import Codec
from gateway.mapping.expressions import Path, Predicate, Template
from gateway.mapping.expressions.patterns import Pattern
from gateway.mapping.nodes.bodies import ReadingPlan, RpcPlan
from gateway.mapping.nodes.given import NativeArgument, WindowPlan
from gateway.mapping.nodes.pages import PagesPlan
from gateway.mapping.nodes.trees import Headers, Level, MadeOf, RecordPlan, Tree, Url
from gateway.values.messages import Effect, Json

Scope: TypeAlias = Mapping[str, Json]
"""What templates see: settings, args, connection, now, window, remembered, variables, steps."""

CALENDARS: Final = "gateway.mapping.codecs.calendars"
"""The module that reads feeds of calendars."""
EVENTS: Final = "gateway.dialects.calendars"
"""The module that writes events of calendars."""
ASKED: Final = "the span that is asked for"
"""Where a scope has the caller's span of time, two instants or None: no name of the language is written so."""
GENERATED: Final = "the generated code of the connection"
"""Where a scope has what reads and writes for its connection (`generated/binding.py`), else the evaluator does."""

NOT_MAPPED: Final = "not mapped"
"""Why what a mapping says nothing of cannot be had: it may be newer in the contract than the mapping."""


@dataclass(frozen=True, slots=True)
class Condition:
    """All that is given must hold: status, headers (name in lower case, expression), and what decides on the body."""

    status: frozenset[int] | None = None
    headers: tuple[tuple[str, Pattern], ...] = ()
    when: Predicate | None = None
    """A template sees the answer as `body`, `status` and `headers`."""
    origin: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class ErrorRule:
    """When the condition holds, the answer means `code`; the paths say what the provider itself called it."""

    condition: Condition
    code: str
    provider_code: Path | None
    message: Path | None
    details: Tree | None
    place: Place
    origin: str
    text: str


@dataclass(frozen=True, slots=True)
class CallPlan:
    """One HTTP call. `url` is without the query; `rpc` is the JSON-RPC method."""

    method: str
    url: Url
    query: Tree | None
    headers: Tree | Headers | None
    body: Tree | None
    body_kind: str
    """`none`, the key of the call that says it, or `jsonrpc` (then `body` builds the params)."""
    rpc: str | None
    timeout: float
    limit: str
    """The class of rate that the call counts against."""
    success: Condition | None
    """What makes an answer a success; without a status in it, the answer's must be 2xx as well."""
    complete: Predicate | None
    """Of a list: whether an answer holds all there is; None where every answer does."""
    part_by: str
    """The parameter by which it asks for a part of a list, where one is seen; else empty."""
    whole: bool
    """Whether the value is the whole answer, with status and headers, instead of its body."""
    said: tuple[Path | None, Path | None]
    """Where a refusal has the provider's own code and message."""
    answer: str
    """How the body is read: one of the words of `answer:`."""
    origin: str
    text: str
    auth: str
    """The name of one of the file's other schemes; empty for the file's own."""
    path: tuple[str | None, ...]
    """The segments of the URL's path, None where a template stands: what the simulator recognises a call by."""
    envelope: RpcPlan = field(default_factory=RpcPlan)
    reading: ReadingPlan = field(default_factory=ReadingPlan)
    pages: PagesPlan | None = None


@dataclass(frozen=True, slots=True)
class RunPlan:
    """Another canonical operation of the same mapping, with these arguments."""

    operation: str
    arguments: Tree | None
    made_of: MadeOf
    """What each of these arguments is made of."""
    origin: str


@dataclass(frozen=True, slots=True)
class Refusal:
    """A guard: when the condition holds the operation ends with `code`."""

    when: Predicate
    code: str
    message: str
    details: Tree | None
    origin: str


@dataclass(frozen=True, slots=True)
class FanOut:
    """One call for each element of a list, or for each innermost element of named levels; so many at once."""

    elements: Template | None
    levels: tuple[Level, ...]
    names: tuple[str, ...]
    concurrency: int


@dataclass(frozen=True, slots=True)
class Variable:
    """A name for a value: a template, written by a codec if there is one."""

    name: str
    value: Template
    codec: Codec | None
    refused: str | None
    """The error code when the codec cannot write the value."""
    origin: str


@dataclass(frozen=True, slots=True)
class RecoverPlan:
    """How it is seen whether a step that failed was done all the same: a look, and what must be true of its answer."""

    look: CallPlan | RunPlan
    keep: Path | None
    done: Predicate
    """Is about, or sees the look's answer, or of it what `keep` gives, as `body`."""
    origin: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Step:
    """What every step of an operation has: its condition and its place."""

    when: Predicate | None = None
    origin: str

    @property
    def names(self) -> tuple[str, ...]:
        """The names by which later steps know what it gives."""
        return ()


@dataclass(frozen=True, slots=True, kw_only=True)
class _NamedStep(_Step):
    name: str

    @property
    def names(self) -> tuple[str, ...]:
        """The name by which later steps know its value."""
        return (self.name,)


@dataclass(frozen=True, slots=True, kw_only=True)
class _AskingStep(_NamedStep):
    """A step that asks the provider, once or for each element of a list."""

    fan_out: FanOut | None = None
    keep: Path | None = None
    ignore_errors: frozenset[str] = frozenset()
    effect: Effect
    keep_on_failure: bool = False
    """Whether its work may stay when a later step fails, and leaves no doubt when its answer is lost."""
    undo: CallPlan | RunPlan | None = None
    recover: RecoverPlan | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CallStep(_AskingStep):
    """A call of the provider."""

    call: CallPlan


@dataclass(frozen=True, slots=True, kw_only=True)
class RunStep(_AskingStep):
    """A run of another operation of the mapping."""

    run: RunPlan


@dataclass(frozen=True, slots=True, kw_only=True)
class RefuseStep(_Step):
    """Guards: the first that holds ends the operation."""

    guards: tuple[Refusal, ...]
    takes_back: bool | None
    """Whether what the steps before it wrote is undone; None where they wrote nothing that could be."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VarsStep(_Step):
    """Names for values, each known to those after it."""

    variables: tuple[Variable, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """The names that it gives."""
        return tuple(one.name for one in self.variables)


@dataclass(frozen=True, slots=True, kw_only=True)
class ComputeStep(_NamedStep):
    """A value made of what is known."""

    value: Tree


@dataclass(frozen=True, slots=True, kw_only=True)
class ExclusiveStep(_Step):
    """A wait until no other write of the connection that names the same goes on beside this one."""

    over: Template
    """Gives a text or a list of texts."""


AskingStep: TypeAlias = CallStep | RunStep
Step: TypeAlias = AskingStep | RefuseStep | VarsStep | ComputeStep | ExclusiveStep
"""One step of an operation."""


def parts_of(step: Step) -> tuple[CallPlan | RunPlan, ...]:
    """What a step may do: its own call or operation, what takes that back, and what looks at what became of it."""
    if not isinstance(step, CallStep | RunStep):
        return ()
    does = step.call if isinstance(step, CallStep) else step.run
    look = step.recover.look if step.recover is not None else None
    return tuple(part for part in (does, step.undo, look) if part is not None)


@dataclass(frozen=True, slots=True)
class RowsPlan:
    """Where rows are and which record reads them. `one` means a single object."""

    levels: tuple[Level, ...]
    record: RecordPlan
    named: bool
    one: bool
    origin: str


@dataclass(frozen=True, slots=True)
class ReadResult:
    """What records read of the answer: one object, or the rows of these places one after the other."""

    rows: tuple[RowsPlan, ...]


@dataclass(frozen=True, slots=True)
class StepResult:
    """What the operation gave that the step of this name has run."""

    step: str


@dataclass(frozen=True, slots=True)
class FoundResult:
    """The one with the id that is asked for, of what this operation lists."""

    operation: str


@dataclass(frozen=True, slots=True)
class RawResult:
    """What of the answer a native operation gives."""

    at: Path


Result: TypeAlias = ReadResult | RunPlan | StepResult | FoundResult | RawResult
"""What an operation gives."""


@dataclass(frozen=True, slots=True)
class VariantPlan:
    """What is done and how the result is read: the body of an operation."""

    when: Predicate | None
    steps: tuple[Step, ...]
    sole: bool
    """True when written as a single `call:`: result paths then see its body instead of the steps by name."""
    result: Result | None
    """None of one that gives nothing; of a native one, that all of the answer is given."""
    set: Tree | None
    """Fields of the result that are known better here than from the provider's answer."""
    filters: Tree | None
    """Of a list: what arguments stand for where the gateway chooses rows by them; None of one chooses none."""
    rules: tuple[ErrorRule, ...]
    not_found: str | None
    """The operation's own form of NOT_FOUND."""
    origin: str

    @property
    def rows(self) -> tuple[RowsPlan, ...]:
        """What records read for it here."""
        return self.result.rows if isinstance(self.result, ReadResult) else ()


@dataclass(frozen=True, slots=True)
class OperationPlan:
    """One operation of a provider, canonical or native."""

    name: str
    effect: Effect
    support: str
    notes: str
    unsupported: Mapping[str, str]
    partial: Mapping[str, str]
    """Arguments, or members of one, that are taken without their full effect, each with the reason."""
    requires: Mapping[str, str]
    args_from: Mapping[str, Codec]
    """Arguments that are taken apart into others, by the codec that writes them."""
    window: WindowPlan | None
    variables: tuple[Variable, ...]
    variants: tuple[VariantPlan, ...]
    arguments: Mapping[str, NativeArgument]
    """Declared arguments of a native operation; empty for canonical ones, whose arguments the model declares."""
    not_found: str | None
    cache: float | None
    """Seconds for which an answer is kept; None: every call asks the provider."""
    origin: str
    needs: Mapping[str, str]
    """Settings without which a connection does not have this, each with the reason."""
