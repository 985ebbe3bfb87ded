"""What both of the model's files are built with: their types, fields, rules and arguments, part after part.

It knows the form of the parts and no section: contract.py and gateway.py say which there are. A part that is wrong
becomes a finding, and the others go on.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields, replace
from typing import TypeVar

from gateway.documents.yaml import Document, Finding, Place, show, suggestion
from gateway.model.build.parts import PartInvalid, find, keys, one_of
from gateway.model.contract import Argument, ErrorCode, Resource
from gateway.model.filters import FILTERS, Filter
from gateway.model.types import types
from gateway.model.types.scalars import SCALARS
from gateway.model.types.types import NO_RULES, Field, Rules, Type, TypeRefused
from gateway.values.messages import Effect, Json

_Part = TypeVar("_Part")
_FIELD = {"type", "required", "nullable", "meaning", "holds", "descriptive", "unkept_by"}
_KINDS = dict.fromkeys(("booking_system", "marketplace"))
"""What a provider can be."""
ARGUMENT = _FIELD | {"where", "default", "filter", "handled"}
_BUILDERS = ("text", "integer", "number", "enum", "list", "map", "part_of")
WORDS: Mapping[str, frozenset[str]] = {
    "effect": frozenset(one.value for one in Effect),
    "scope": frozenset({"read", "write"}),
    "method": frozenset({"GET", "POST", "PUT", "PATCH", "DELETE"}),
    "where": frozenset({"path", "query", "body"}),
}
_PLACEHOLDER = re.compile(r"\{([a-z_]+)\}")


class ModelBroken(Exception):
    """A file of the model itself is wrong; `findings` says where."""

    def __init__(self, findings: list[Finding]) -> None:
        super().__init__(show(findings, "text"))
        self.findings = findings


@dataclass(slots=True)
class Builder:
    """Builds the parts of one document. `types`, `resources` and `errors` begin with what it may use of others."""

    document: Document
    findings: set[Finding] = field(default_factory=set)
    types: dict[str, Type] = field(default_factory=dict)
    underway: list[str] = field(default_factory=list)
    resources: dict[str, Resource] = field(default_factory=dict)
    errors: dict[str, ErrorCode] = field(default_factory=dict)

    def guarded(self, place: Place, make: Callable[[], _Part]) -> _Part | None:
        """Build one part; what is wrong with it becomes a finding."""
        try:
            return make()
        except PartInvalid as wrong:
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
            raise PartInvalid(user, f"there is no type `{name}`{suggestion(name, names)}")
        if name in self.underway:
            raise PartInvalid(user, f"`{name}` holds itself")
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
                find(name, fields, (*place, "fields"))
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
            raise PartInvalid(place, f"a type is a name, or an object with one of {', '.join(_BUILDERS)}")
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
        raise PartInvalid(place, f"`{word}` builds no type{suggestion(word, _BUILDERS)}")

    def part_of(self, spec: dict[str, Json], place: Place) -> Type:
        """Build an object type from some of the fields of another, which may be asked for or not."""
        keys(spec, place, {"part_of"}, {"without", "required", "nullable"})
        whole = self.named(spec["part_of"], (*place, "part_of"))
        for word in ("without", "required", "nullable"):
            for name in spec.get(word, []):
                find(name, whole.fields, (*place, word))
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
        descriptive = node.get("descriptive", False)
        unkept_by = tuple(find(kind, _KINDS, (*place, "unkept_by")) for kind in node.get("unkept_by", ()))
        if unkept_by and not descriptive:
            raise PartInvalid((*place, "unkept_by"), "only what is `descriptive` may be lost unsaid")
        return Field(name, type_, required, node["meaning"], nullable, holds, descriptive, unkept_by)

    def rules(self, node: Json, names: Mapping[str, object], place: Place) -> Rules:
        """Build what must hold between fields."""
        if "rules" not in node:
            return NO_RULES
        place = (*place, "rules")
        keys(node["rules"], place, set(), {"intervals", "one_of", "not_both"})

        def groups(word: str) -> tuple[tuple[str, ...], ...]:
            listed = node["rules"].get(word, [])
            return tuple(tuple(find(name, names, (*place, word)) for name in group) for group in listed)

        pairs = tuple((start, end) for start, end in groups("intervals"))
        return Rules(intervals=pairs, one_of=groups("one_of"), not_both=groups("not_both"))

    def argument(self, name: str, node: Json, place: Place, rows: Type | None) -> Argument:
        """Build one argument; its filter must name fields of the rows."""
        keys(node, place, {"type", "meaning"}, ARGUMENT)
        plain = self.field(name, {key: node[key] for key in node.keys() & _FIELD}, place)
        where = find(node.get("where", "body"), dict.fromkeys(WORDS["where"]), (*place, "where"))
        try:
            default = plain.type.accept(node["default"]) if "default" in node else None
        except TypeRefused as refused:
            raise PartInvalid((*place, "default"), f"must be {refused}") from None
        return Argument(
            name=name,
            type=plain.type,
            required=plain.required,
            meaning=plain.meaning,
            nullable=plain.nullable,
            holds=plain.holds,
            descriptive=plain.descriptive,
            unkept_by=plain.unkept_by,
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
                raise PartInvalid((*place, word), f"the rows have no field `{name}`")
        return Filter(word, tuple(names))

    def fits(self, node: Json, place: Place, args: Mapping[str, Argument], resource: Resource | None) -> None:
        """Check that the parts of an operation name what there is."""
        for word in ("effect", "scope", "method"):
            if word in node:
                find(node[word], dict.fromkeys(WORDS[word]), (*place, word))
        named = set(_PLACEHOLDER.findall(node["path"])) - {"connection"}
        if {one.name for one in args.values() if one.where == "path"} != named:
            raise PartInvalid((*place, "path"), "the path and its arguments do not name the same")
        names = {"window": args, "order": resource.fields if resource else {}, "sort": args, "not_found": self.errors}
        for word in names.keys() & node.keys():
            for one in node[word] if isinstance(node[word], list) else [node[word]]:
                find(one, names[word], (*place, word))
        for one in node.get("refused", {}):
            if one in args:
                raise PartInvalid((*place, "refused", one), f"`{one}` is an argument")

    def gives(self, node: Json, place: Place) -> tuple[str, Resource | None]:
        """Read `none`, `{one: Resource}` or `{list: Resource}`."""
        if node == "none":
            return "none", None
        keys(node, place, set(), {"one", "list"})
        kind, name = one_of(node, place)
        return kind, self.resources[find(name, self.resources, place)]

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


def shape(type_: Type) -> Resource:
    """Give the resource that a named object type is."""
    return Resource(type_.name, type_.meaning, type_)
