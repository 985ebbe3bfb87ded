"""What a compilation carries: the document, what it has found wrong, and what later parts may refer to.

It lives only while one file is compiled; plans never hold it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import TypeVar

from gateway.documents.parts import Node
from gateway.documents.reader import read_part
from gateway.documents.schema_check import Shape, check
from gateway.documents.yaml import Document, Finding, Place, suggestion
from gateway.mapping.checks.given import GivenArguments
from gateway.mapping.checks.kinds import mistakes
from gateway.mapping.checks.scopes import COMMON, record_of, type_of_setting
from gateway.mapping.checks.usage import Reads
from gateway.mapping.codecs import Codec, CodecInvalid, compile_codec
from gateway.mapping.compiler.fragments import fragment_named, fragments_of, used_within
from gateway.mapping.expressions import (
    ExpressionInvalid,
    Literal,
    Path,
    Predicate,
    Template,
    compile_path,
    compile_template,
)
from gateway.mapping.nodes.given import Setting
from gateway.mapping.nodes.trees import RecordPlan
from gateway.model.model import Model
from gateway.model.types.types import Type
from gateway.values.messages import Json

_N = TypeVar("_N", bound=Node)
_CALLERS_OWN = frozenset({401, 403})
"""A provider's 401 or 403 is never the caller's."""
BASE = frozenset({"settings", "connection", "now"})
"""Names every template sees."""
SENDING = frozenset({"sent_at"})
"""Names that only what is sent sees: the moment at which it goes, which a wait for its turn may put off."""
OWN = frozenset({"uuid", "idempotency_key"})
"""Names of ids that are this call's alone: a fresh one, `uuid()`, and the one by which it is repeated."""
TOKENS = frozenset({"token", "refresh_token", "assertion", "code", "code_verifier"})
"""Names by which calls of a session, and no others, see what proves who we are."""
CALL = BASE | OWN | {"args", "serial"}
"""Names the templates of an operation see, besides window, variables and steps."""
REMEMBERED = "remembered"
"""The name under which a write of a booking sees what the gateway remembers of it."""
RESERVED = CALL | SENDING | {"window", "row", "fields", "body", "token", REMEMBERED}
"""Names that no step, level or variable may have."""


@dataclass(slots=True)
class Context:
    """The state of one compilation. `findings` only grows."""

    document: Document
    model: Model
    findings: list[Finding] = field(default_factory=list)
    settings: dict[str, Setting] = field(default_factory=dict)
    codecs: dict[str, Codec] = field(default_factory=dict)
    records: dict[str, RecordPlan] = field(default_factory=dict)
    step_names: frozenset[str] = frozenset()
    """Names of all steps, variables and levels of the file: what a record's `compute:` may refer to."""
    remembered: frozenset[str] = frozenset()
    """Fields that some record has the gateway remember: what a write may ask for as `remembered.FIELD`."""
    provider_code: Path | None = None
    message: Path | None = None
    auth_schemes: frozenset[str] = frozenset()
    used_schemes: set[str] = field(default_factory=set)
    bodies: dict[str, set[str]] = field(default_factory=dict)
    """Scheme, empty for the file's own → the kinds of bodies of the calls that it is sent with."""
    reads: Reads = field(default_factory=Reads)
    used_codecs: set[str] = field(default_factory=set)
    used_records: set[str] = field(default_factory=set)
    record_reads: dict[str, Reads] = field(default_factory=dict)
    """What each record reads besides its row's own fields; the roots are those of its paths on the row."""
    written_records: set[str] = field(default_factory=set)
    """Records that a `$record` writes with."""
    used_limits: set[str] = field(default_factory=set)
    fragments: dict[str, Json] = field(default_factory=dict)
    """Trees that are written once, as they stand in the file: each use compiles them with the names that it knows."""
    used_fragments: set[str] = field(default_factory=set)
    open_fragments: set[str] = field(default_factory=set)
    """Trees that are being compiled or checked now, each inside the others."""
    told_of_fragments: dict[Finding, Finding] = field(default_factory=dict)
    """What was found in trees → how it is told, with the place of the first use that shows it."""
    given: GivenArguments | None = None
    """What is known here of the arguments of a call; None outside of operations."""
    roots: dict[str, Type] = field(default_factory=lambda: dict(COMMON))
    """Names whose type is known here, besides arguments."""

    @contextmanager
    def collecting(self) -> Iterator[Reads]:
        """Collect apart what the part compiled meanwhile reads; it counts for what is around it as well."""
        around, self.reads = self.reads, Reads()
        try:
            yield self.reads
        finally:
            around.add(self.reads)
            self.reads = around

    @contextmanager
    def knowing(self, given: GivenArguments | None) -> Iterator[None]:
        """Compile a part that knows this of the arguments; what it learns is forgotten behind it."""
        around, self.given = self.given, given
        try:
            yield
        finally:
            self.given = around

    @contextmanager
    def typed(self, **roots: Type) -> Iterator[None]:
        """Compile a part in which these names are of these types."""
        around, self.roots = self.roots, {**self.roots, **roots}
        try:
            yield
        finally:
            self.roots = around

    @property
    def known_here(self) -> GivenArguments:
        """What is known here of every name: presence and types of arguments, types of all others."""
        return replace(self.given or GivenArguments({}), roots=self.roots)

    def know_settings(self) -> None:
        """Know the types of all settings from here on: their declarations stand before what reads them."""
        settings = {name: type_of_setting(one) for name, one in self.settings.items()}
        self.roots = {**self.roots, "settings": record_of(settings)}

    @contextmanager
    def where(self, condition: Predicate | None, *, holds: bool = True) -> Iterator[None]:
        """Compile a part that is only done where a condition holds, or does not."""
        with self.knowing(self.given):
            self.learn(condition, holds=holds)
            yield

    def learn(self, condition: Predicate | None, *, holds: bool) -> None:
        """From here on a condition is known to hold, or not to. One on data says nothing of what was given."""
        if self.given is not None and isinstance(condition, Template):
            self.given = self.given.after(condition.holes[0].tree, holds=holds)

    @contextmanager
    def inside(self, tree: str, place: Place) -> Iterator[None]:
        """Be inside a named tree, as this place uses it: what is wrong there is told once, and for which use."""
        before = len(self.findings)
        self.open_fragments.add(tree)
        yield
        self.open_fragments.discard(tree)
        found = self.findings[before:]
        del self.findings[before:]
        for one in found:
            if one in self.told_of_fragments.values():  # by a tree inside this one
                self.findings.append(one)
            elif one not in self.told_of_fragments:
                told = replace(one, message=f"{one.message} (as {self.origin(place)} uses it)")
                self.told_of_fragments[one] = told
                self.findings.append(told)

    def report(self, place: Place, code: str, message: str, *, key: bool = False) -> None:
        """Add a finding at this place of the file."""
        self.findings.append(self.document.finding(place, code, message, key=key))

    def fits(self, shape: Shape, raw: Json, place: Place) -> dict[str, Json] | None:
        """Hold a value against a shape, as `gateway.documents.reader` asks for it."""
        return check(shape, raw, self.document, place, self.findings)

    def shared(self, raw: Json, place: Place) -> tuple[Json, Place]:
        """Give the fragment that `{$fragment: name}` stands for, and its place; any other value as it is."""
        name = fragment_named(raw)
        if name is None:
            return raw, place
        written = fragments_of(self.document)
        where = (*place, "$fragment")
        if name not in written:
            self.report(where, "unknown-fragment", f"there is no fragment `{name}`{suggestion(name, written)}")
            return raw, place
        self.used_fragments.add(name)
        if name in used_within(written[name], written):
            self.report(where, "tree-cycle", f"the fragment `{name}` holds itself")
            return {}, place
        return self.shared(written[name], ("fragments", name))

    def read(self, kind: type[_N], node: Json, place: Place) -> _N:
        """Read one part and all that is inside it; what does not fit is told, and not sound. A node is read already."""
        return node if isinstance(node, kind) else read_part(kind, node, place, self)

    def origin(self, place: Place) -> str:
        """`file:line` of a place."""
        return self.document.origin(place)

    def path(self, text: Json, place: Place) -> Path | None:
        """Compile a JMESPath that is read; None with a finding when it is wrong."""
        path = self.target(text, place)
        if path is None:
            return None
        self.reads.roots |= path.roots
        self.reads.names |= {(root, name) for root in ("settings", "args") for name in path.beneath(root)}
        return replace(path, place=place)

    def target(self, text: Json, place: Place) -> Path | None:
        """Compile a JMESPath that is only written to; None with a finding when it is wrong."""
        if not isinstance(text, str):
            self.report(place, "wrong-type", "a path is text")
            return None
        try:
            return compile_path(text, self.origin(place))
        except ExpressionInvalid as invalid:
            self.report(place, "bad-path", str(invalid))
            return None

    def template(
        self,
        text: Json,
        place: Place,
        names: Collection[str],
        *,
        quote: bool = False,
        secrets: bool = False,
        optional: bool = False,
        whole: bool = False,
    ) -> Template | Literal | None:
        """Compile a template that may use these names; None with a finding when it is wrong.

        `optional` says that what is missing is left out by whoever evaluates it, `whole` that it must be one
        expression, which that one tells.
        """
        if not isinstance(text, str):
            self.report(place, "wrong-type", "a template is text")
            return None
        try:
            template = compile_template(text, quote=quote, names=names, origin=self.origin(place))
        except ExpressionInvalid as invalid:
            self.report(place, "bad-template", str(invalid))
            return None
        self.reads.add(Reads(set(template.uses), set(template.unsigned_uses)))
        self._check_settings(template.uses, place)
        if not secrets:
            self._check_secrets(template.unsigned_uses, place)
        if isinstance(template, Literal):
            return template
        for code, message in mistakes(template, self.known_here, optional=optional, whole=whole):
            self.report(place, code, message)
        if self.given is not None:
            template = replace(template, owed=self.given.owed)
        return replace(template, place=place)

    def known(self, text: str) -> Template | None:
        """Compile once more a template whose findings are told already."""
        try:
            template = compile_template(text)
        except ExpressionInvalid:
            return None
        owed = self.given.owed if self.given is not None else None
        return replace(template, owed=owed) if isinstance(template, Template) else None

    def proves(self, template: Template) -> bool:
        """Tell whether a template reads a secret setting or a session's token."""
        return any(use[0] in TOKENS or self._is_secret(use) for use in template.uses)

    def _is_secret(self, use: tuple[str, ...]) -> bool:
        setting = self.settings.get(use[1]) if use[0] == "settings" and len(use) > 1 else None
        return setting is not None and setting.type == "secret"

    def expression(self, text: Json, place: Place, names: Collection[str], *, secrets: bool = False) -> Template | None:
        """Compile a template that is one expression: a bare text would decide nothing, and is no list."""
        template = self.template(text, place, names, secrets=secrets, whole=True)
        if isinstance(template, Template) and template.whole:
            return template
        if template is not None:
            self.report(place, "not-a-template", "one expression between `{{` and `}}` is needed")
        return None

    def _check_settings(self, uses: Iterable[tuple[str, ...]], place: Place) -> None:
        for use in sorted(uses):
            if use[0] == "settings" and len(use) > 1 and use[1] not in self.settings:
                hint = suggestion(use[1], self.settings)
                self.report(place, "unknown-setting", f"`settings.{use[1]}` is not declared{hint}")

    def _check_secrets(self, uses: Iterable[tuple[str, ...]], place: Place) -> None:
        for use in sorted(uses):
            if self._is_secret(use):
                message = (
                    f"`settings.{use[1]}` is a secret: it may stand under `auth:`, in words that sign and, by "
                    "itself, in the path of a URL"
                )
                self.report(place, "secret-misplaced", message)

    def codec(self, spec: Json, place: Place) -> Codec | None:
        """Compile a codec, inline or by name; None with a finding when it is wrong."""
        named = set(_texts(spec))
        self.used_codecs |= named
        inner = [self.codecs[name] for name in sorted(named & self.codecs.keys())]
        uses: set[tuple[str, ...]] = set().union(*(codec.uses for codec in inner))
        templates = [template for codec in inner for template in codec.templates]

        def template(text: str) -> Template | Literal:
            compiled = compile_template(text, names=BASE | {"row", "args"}, origin=self.origin(place))
            uses.update(compiled.uses)
            self._check_settings(compiled.uses, place)
            self._check_secrets(compiled.unsigned_uses, place)
            if isinstance(compiled, Template):
                compiled = replace(compiled, place=place)
                templates.append(compiled)
            return compiled

        try:
            codec = compile_codec(spec, self.codecs, template)
        except CodecInvalid as invalid:
            self.report(place + tuple(invalid.place), "bad-codec", invalid.message)
            return None
        except ExpressionInvalid as invalid:
            self.report(place, "bad-template", str(invalid))
            return None
        self.reads.add(Reads(uses, set(uses)))
        return replace(codec, uses=frozenset(uses), templates=tuple(templates))

    def error_code(self, code: str, place: Place) -> None:
        """Check that the model knows an error code."""
        if code not in self.model.errors:
            hint = suggestion(code, self.model.errors)
            self.report(place, "unknown-error-code", f"`{code}` is not an error code of the contract{hint}")
        elif self.model.errors[code].status in _CALLERS_OWN:
            message = f"`{code}` is about the caller's own key; a provider that refuses ours is PROVIDER_AUTH_FAILED"
            self.report(place, "callers-code", message)


def _texts(spec: Json) -> Iterator[str]:
    """Every text in a codec's specification: any may be the name of another codec."""
    if isinstance(spec, str):
        yield spec
    for inner in spec.values() if isinstance(spec, dict) else spec if isinstance(spec, list) else ():
        yield from _texts(inner)
