"""The document of the contract → Model. The only constructor of one; it knows the file's form and not its content.

A fault in the file is ours: building raises ModelBroken with every finding that can be given.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields, replace
from types import MappingProxyType
from typing import TypeAlias, TypeVar

from gateway.documents.yaml import Document, Finding, Place, show, suggestion
from gateway.model.build.changes import build_changes
from gateway.model.build.parts import Wrong, keys, known
from gateway.model.contract import Argument, ErrorCode, EventType, Model, Operation, Request, Resource
from gateway.model.filters import FILTERS, Filter
from gateway.model.types import types
from gateway.model.types.scalars import SCALARS
from gateway.model.types.types import NO_RULES, Field, Rules, Type, TypeRefused
from gateway.values.messages import Effect, Json

_Common: TypeAlias = Mapping[str, tuple[frozenset[str], Argument]]
"""Arguments of many operations: what those give (one, list), and the argument."""

_Part = TypeVar("_Part")
_SECTIONS = {"types", "resources", "common", "operations", "lifecycle", "events", "requests", "changes", "errors"}
_FIELD = {"type", "required", "nullable", "meaning", "holds", "descriptive"}
_ARGUMENT = _FIELD | {"where", "default", "filter", "handled"}
_OPERATION = {"summary", "effect", "scope", "method", "path", "gives"}
_OPERATION_MORE = {"args", "body", "status", "not_found", "reconcile", "window", "order"}
_OPERATION_MORE |= {"sort", "rules", "patch", "refused", "partial"}
_BUILDERS = ("text", "integer", "number", "enum", "list", "map", "part_of")
_WORDS: Mapping[str, frozenset[str]] = {
    "effect": frozenset(one.value for one in Effect),
    "scope": frozenset({"read", "write"}),
    "method": frozenset({"GET", "POST", "PUT", "PATCH", "DELETE"}),
    "where": frozenset({"path", "query", "body"}),
}
_PLACEHOLDER = re.compile(r"\{([a-z_]+)\}")


class ModelBroken(Exception):
    """The contract itself is wrong; `findings` says where."""

    def __init__(self, findings: list[Finding]) -> None:
        super().__init__(show(findings, "text"))
        self.findings = findings


def build(document: Document) -> Model:
    """Build the contract from its document; raises ModelBroken."""
    return _Builder(document).model()


@dataclass(slots=True)
class _Builder:
    """Builds part after part; a part that is wrong becomes a finding and the others go on."""

    document: Document
    findings: set[Finding] = field(default_factory=set)
    types: dict[str, Type] = field(default_factory=dict)
    underway: list[str] = field(default_factory=list)
    resources: dict[str, Resource] = field(default_factory=dict)
    errors: dict[str, ErrorCode] = field(default_factory=dict)

    def model(self) -> Model:
        """Build everything, or raise what was found."""
        self.guarded((), lambda: keys(self.document.data, (), _SECTIONS))
        self.each("types", lambda name, _node, _place: self.named(name, ()))
        self.resources = self.each("resources", lambda name, _node, _place: _shaped(self.named(name, ())))
        self.errors = self.each("errors", self.error)
        common = self.each("common", self.common)
        operations = self.each("operations", lambda name, node, place: self.operation(name, node, place, common))
        events = self.each("events", lambda name, node, place: self.event(name, node, place, operations))
        requests = self.each("requests", self.request)
        lifecycle = self.each("lifecycle", self.status)
        about = (self.resources, operations, events, lifecycle)
        changes = self.guarded(("changes",), lambda: build_changes(self.document.data.get("changes"), *about))
        if self.findings or changes is None:
            raise ModelBroken(sorted(self.findings))
        shapes = {name: _shaped(one) for name, one in self.types.items() if one.kind == "object"}
        return Model(
            types=MappingProxyType(self.types),
            resources=MappingProxyType(self.resources),
            shapes=MappingProxyType(shapes),
            operations=MappingProxyType(operations),
            errors=MappingProxyType(self.errors),
            events=MappingProxyType(events),
            requests=MappingProxyType(requests),
            lifecycle=MappingProxyType(lifecycle),
            changes=changes,
        )

    def guarded(self, place: Place, make: Callable[[], _Part]) -> _Part | None:
        """Build one part; what is wrong with it becomes a finding."""
        try:
            return make()
        except Wrong as wrong:
            self.findings.add(self.document.finding(wrong.place or place, "wrong-contract", str(wrong)))
            return None

    def each(self, section: str, make: Callable[[str, Json, Place], _Part]) -> dict[str, _Part]:
        """Build every entry of a section that can be built."""
        nodes = self.document.data.get(section) if isinstance(self.document.data, dict) else None
        made = {}
        for name, node in nodes.items() if isinstance(nodes, dict) else ():
            place = (section, name)
            part = self.guarded(place, lambda name=name, node=node, place=place: make(name, node, place))  # type: ignore[misc]
            if part is not None:
                made[name] = part
        return made

    def named(self, name: str, user: Place) -> Type:
        """Build a named type, or give the one already built; `user` is where the name stands."""
        if name in self.types:
            return self.types[name]
        section = next((one for one in ("types", "resources") if name in self.document.data.get(one, {})), None)
        if section is None:
            names = [*SCALARS, *self.document.data.get("types", {}), *self.document.data.get("resources", {})]
            raise Wrong(user, f"there is no type `{name}`{suggestion(name, names)}")
        if name in self.underway:
            raise Wrong(user, f"`{name}` holds itself")
        place = (section, name)
        self.underway.append(name)
        try:
            plain = self.declared(self.document.data[section][name], place)
        finally:
            self.underway.pop()
        self.types[name] = types.named(plain, name, self.document.data[section][name]["meaning"])
        return self.types[name]

    def declared(self, node: Json, place: Place) -> Type:
        """Build what stands under the name of a type."""
        if isinstance(node, dict) and "fields" in node:
            keys(node, place, {"meaning", "fields"}, {"rules"})
            fields = {name: self.field(name, one, (*place, "fields", name)) for name, one in node["fields"].items()}
            for name in [part for one in fields.values() for part in one.holds]:
                known(name, fields, (*place, "fields"))
            return types.object_of(tuple(fields.values()), self.rules(node, fields, place))
        if isinstance(node, dict) and "enum" in node:
            keys(node, place, {"meaning", "enum"})
            return types.enum(tuple(node["enum"]))
        keys(node, place, {"meaning", "part_of"}, {"without", "required", "nullable"})
        return self.part_of({key: value for key, value in node.items() if key != "meaning"}, place)

    def type(self, spec: Json, place: Place) -> Type:
        """Build the type a field names or spells out."""
        if isinstance(spec, str):
            return types.scalar(spec) if spec in SCALARS else self.named(spec, place)
        if isinstance(spec, dict) and "part_of" in spec:
            return self.part_of(spec, place)
        if isinstance(spec, dict) and "list" in spec:
            keys(spec, place, {"list"}, {"minimum", "maximum"})
            return types.list_of(self.type(spec["list"], (*place, "list")), spec.get("minimum"), spec.get("maximum"))
        if not isinstance(spec, dict) or len(spec) != 1:
            raise Wrong(place, f"a type is a name, or an object with one of {', '.join(_BUILDERS)}")
        ((word, inner),) = spec.items()
        place = (*place, word)
        if word == "map":
            return types.map_of(self.type(inner, place))
        if word == "enum":
            return types.enum(tuple(inner))
        if word == "text":
            keys(inner, place, set(), {"multiline", "maximum", "pattern"})
            return types.text(**inner)
        if word in {"integer", "number"}:
            keys(inner, place, set(), {"minimum", "maximum"})
            return types.number(word, **inner)
        raise Wrong(place, f"`{word}` builds no type{suggestion(word, _BUILDERS)}")

    def part_of(self, spec: dict[str, Json], place: Place) -> Type:
        """Build an object type from some of the fields of another, which may be asked for or not."""
        keys(spec, place, {"part_of"}, {"without", "required", "nullable"})
        whole = self.named(spec["part_of"], (*place, "part_of"))
        for word in ("without", "required", "nullable"):
            for name in spec.get(word, []):
                known(name, whole.fields, (*place, word))
        required = spec.get("required", [one.name for one in whole.fields.values() if one.required])
        kept = [
            replace(one, required=one.name in required, nullable=one.nullable or one.name in spec.get("nullable", []))
            for one in whole.fields.values()
            if one.name not in spec.get("without", [])
        ]
        return types.object_of(tuple(kept), whole.rules)

    def field(self, name: str, node: Json, place: Place) -> Field:
        """Build one field of an object."""
        keys(node, place, {"type", "meaning"}, _FIELD)
        required = node.get("required", False)
        type_ = self.type(node["type"], (*place, "type"))
        nullable, holds = node.get("nullable", not required), tuple(node.get("holds", ()))
        return Field(name, type_, required, node["meaning"], nullable, holds, node.get("descriptive", False))

    def rules(self, node: Json, names: Mapping[str, object], place: Place) -> Rules:
        """Build what must hold between fields."""
        if "rules" not in node:
            return NO_RULES
        place = (*place, "rules")
        keys(node["rules"], place, set(), {"intervals", "one_of", "not_both"})

        def groups(word: str) -> tuple[tuple[str, ...], ...]:
            listed = node["rules"].get(word, [])
            return tuple(tuple(known(name, names, (*place, word)) for name in group) for group in listed)

        pairs = tuple((start, end) for start, end in groups("intervals"))
        return Rules(intervals=pairs, one_of=groups("one_of"), not_both=groups("not_both"))

    def argument(self, name: str, node: Json, place: Place, rows: Type | None) -> Argument:
        """Build one argument; its filter must name fields of the rows."""
        keys(node, place, {"type", "meaning"}, _ARGUMENT)
        plain = self.field(name, {key: node[key] for key in node.keys() & _FIELD}, place)
        where = known(node.get("where", "body"), dict.fromkeys(_WORDS["where"]), (*place, "where"))
        try:
            default = plain.type.accept(node["default"]) if "default" in node else None
        except TypeRefused as refused:
            raise Wrong((*place, "default"), f"must be {refused}") from None
        return Argument(
            name=name,
            type=plain.type,
            required=plain.required,
            meaning=plain.meaning,
            nullable=plain.nullable,
            holds=plain.holds,
            descriptive=plain.descriptive,
            where=where,
            default=default,
            filter=self.filter(node["filter"], (*place, "filter"), rows) if "filter" in node else None,
        )

    def filter(self, node: Json, place: Place, rows: Type | None) -> Filter:
        """Build the test of an argument on rows."""
        keys(node, place, set(), set(FILTERS))
        ((word, names),) = node.items()
        for name in names:
            if rows is None or rows.field(name) is None:
                raise Wrong((*place, word), f"the rows have no field `{name}`")
        return Filter(word, tuple(names))

    def common(self, name: str, node: Json, place: Place) -> tuple[frozenset[str], Argument]:
        """Build an argument of many operations."""
        keys(node, place, {"gives", "type", "meaning", "where"}, _ARGUMENT)
        plain = {key: value for key, value in node.items() if key != "gives"}
        return frozenset(node["gives"]), self.argument(name, plain, place, None)

    def operation(self, name: str, node: Json, place: Place, common: _Common) -> Operation:
        """Build one operation."""
        keys(node, place, _OPERATION, _OPERATION_MORE)
        gives, resource = self.gives(node["gives"], (*place, "gives"))
        args = self.args(node, place, resource)
        self.fits(node, place, args, resource)
        handled = [key for key, one in node.get("args", {}).items() if one.get("handled", False)]
        shared = {key: one for key, (kinds, one) in common.items() if gives in kinds}
        return Operation(
            name=name,
            summary=node["summary"],
            effect=Effect(node["effect"]),
            scope=node["scope"],
            method=node["method"],
            path=node["path"],
            gives=gives,
            resource=resource,
            status=node.get("status", 200),
            args=MappingProxyType({key: one for key, one in args.items() if key not in handled}),
            common=MappingProxyType({key: args[key] for key in handled} | shared),
            not_found=node.get("not_found"),
            reconcile=node.get("reconcile"),
            window=tuple(node["window"]) if "window" in node else None,
            order=tuple(node.get("order", ())),
            sort=node.get("sort"),
            rules=self.rules(node, args, place),
            patch=node.get("patch", False),
            partial=node.get("partial", False),
            refused=MappingProxyType(node.get("refused", {})),
        )

    def fits(self, node: Json, place: Place, args: Mapping[str, Argument], resource: Resource | None) -> None:
        """Check that the parts of an operation name what there is."""
        for word in ("effect", "scope", "method"):
            known(node[word], dict.fromkeys(_WORDS[word]), (*place, word))
        if {one.name for one in args.values() if one.where == "path"} != set(_PLACEHOLDER.findall(node["path"])):
            raise Wrong((*place, "path"), "the path and its arguments do not name the same")
        names = {"window": args, "order": resource.fields if resource else {}, "sort": args, "not_found": self.errors}
        for word in names.keys() & node.keys():
            for one in node[word] if isinstance(node[word], list) else [node[word]]:
                known(one, names[word], (*place, word))
        for one in node.get("refused", {}):
            if one in args:
                raise Wrong((*place, "refused", one), f"`{one}` is an argument")

    def gives(self, node: Json, place: Place) -> tuple[str, Resource | None]:
        """Read `none`, `{one: Resource}` or `{list: Resource}`."""
        if node == "none":
            return "none", None
        keys(node, place, set(), {"one", "list"})
        ((kind, name),) = node.items()
        return kind, self.resources[known(name, self.resources, place)]

    def args(self, node: Json, place: Place, resource: Resource | None) -> dict[str, Argument]:
        """Build the arguments an operation names, and those its `body:` takes from an object of the contract."""
        rows = resource.type if resource else None
        args = {
            name: self.argument(name, one, (*place, "args", name), rows) for name, one in node.get("args", {}).items()
        }
        if "body" in node:
            for one in self.part_of(node["body"], (*place, "body")).fields.values():
                args[one.name] = Argument(**{part.name: getattr(one, part.name) for part in fields(one)})
        return args

    def error(self, code: str, node: Json, place: Place) -> ErrorCode:
        """Build one error code."""
        keys(node, place, {"status", "title", "meaning"}, {"retryable", "form_of"})
        if "form_of" in node:
            known(node["form_of"], self.document.data["errors"], (*place, "form_of"))
        title, meaning, retryable = node["title"], node["meaning"], node.get("retryable", False)
        return ErrorCode(code, node["status"], title, retryable, meaning, node.get("form_of"))

    def event(self, name: str, node: Json, place: Place, operations: Mapping[str, Operation]) -> EventType:
        """Build one kind of event."""
        keys(node, place, {"data", "meaning"}, {"by", "once", "tracked"})
        data = self.resources[known(node["data"], self.resources, (*place, "data"))]
        tracked = tuple(known(one, data.fields, (*place, "tracked")) for one in node.get("tracked", ()))
        by = tuple(known(one, operations, (*place, "by")) for one in node.get("by", ()))
        return EventType(name, data, node["meaning"], by, node.get("once", False), tracked)

    def request(self, name: str, node: Json, place: Place) -> Request:
        """Build one kind of request that a marketplace makes."""
        keys(node, place, {"data", "gives", "meaning"})
        objects = {key: one for key, one in self.types.items() if one.kind == "object"}
        data = objects[known(node["data"], objects, (*place, "data"))]
        return Request(name, _shaped(data), node["meaning"], tuple(node["gives"]))

    def status(self, name: str, node: Json, place: Place) -> frozenset[str]:
        """Build what one status of a booking may become."""
        states = dict.fromkeys(self.named("BookingStatus", place).allowed)
        known(name, states, place)
        return frozenset(known(one, states, place) for one in node)


def _shaped(type_: Type) -> Resource:
    return Resource(type_.name, type_.meaning, type_)
