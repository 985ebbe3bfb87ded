"""The document of the gateway's own side → GatewayModel: operations that no mapping answers, and who is let in to each.

It stands on the contract, whose types, resources, events and error codes it may use. As strict as the contract's own
builder: building raises ModelBroken with every finding that can be given.
"""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from types import MappingProxyType

from gateway.documents.yaml import Document, Place
from gateway.model.build.builder import Builder, ModelBroken, shape
from gateway.model.build.parts import PartInvalid, find, keys, one_of
from gateway.model.contract import ANY_METHOD, Access, Argument, GatewayModel, GatewayOperation, Model, Resource
from gateway.model.types import types
from gateway.model.types.types import Type
from gateway.values.messages import Effect, Json

_SECTIONS = {"types", "resources", "operations"}
_NEEDED = {"summary", "access", "method", "path", "gives"}
_MORE = {"scope", "args", "body", "status", "not_found", "window", "order", "rules", "patch"}
_MORE |= {"answer", "answers", "empty", "headers", "request_headers", "uses", "errors", "idempotency_key"}
_MORE |= {"openapi", "tag"}
_BY_EFFECT = "by_effect"
_ALL = "all"
_WORDS: Mapping[str, dict[str, None]] = {
    "access": dict.fromkeys(Access),
    "method": dict.fromkeys(("GET", "POST", "PUT", "PATCH", "DELETE", ANY_METHOD)),
    "scope": dict.fromkeys(("read", "write")),
    "uses": dict.fromkeys(("store", "provider")),
    "openapi": dict.fromkeys(("all", "whole", "none")),
}
_EFFECTS = {"GET": Effect.SAFE, "PUT": Effect.IDEMPOTENT, "PATCH": Effect.IDEMPOTENT, "DELETE": Effect.IDEMPOTENT}
_LISTED = ("limit", "cursor")
"""Arguments of the contract's lists that the gateway's own have as well."""


def build_gateway(document: Document, model: Model) -> GatewayModel:
    """Build the gateway's own side on this contract; raises ModelBroken."""
    return _Gateway(document, model).built()


class _Gateway(Builder):
    """Builds the sections of the gateway's own side."""

    __slots__ = ("_model",)

    def __init__(self, document: Document, model: Model) -> None:
        super().__init__(document, types=dict(model.types), resources=dict(model.resources), errors=dict(model.errors))
        self._model = model

    def built(self) -> GatewayModel:
        """Build everything, or raise what was found."""
        self.guarded((), lambda: keys(self.document.data, (), _SECTIONS))
        self.each("types", self.own)
        resources = self.each("resources", lambda name, node, place: shape(self.own(name, node, place)))
        self.resources |= resources
        operations = self.each("operations", self.operation)
        self.each("operations", lambda name, _node, place: self.alone(name, place, operations))
        if self.findings:
            raise ModelBroken(sorted(self.findings))
        own = {name: type_ for name, type_ in self.types.items() if name not in self._model.types}
        return GatewayModel(MappingProxyType(own), MappingProxyType(resources), MappingProxyType(operations))

    def own(self, name: str, _node: Json, place: Place) -> Type:
        """Build a named type of the gateway's own."""
        if name in self._model.types:
            raise PartInvalid(place, f"the contract has a `{name}` already")
        return self.named(name, ())

    def alone(self, name: str, place: Place, operations: Mapping[str, GatewayOperation]) -> None:
        """Refuse a route that another operation has, of the contract or of these."""
        one = operations.get(name)
        taken = {(each.method, each.path): key for key, each in reversed([*operations.items()])}
        taken |= {(each.method, f"/v1/{{connection}}{each.path}"): key for key, each in self._model.operations.items()}
        other = name if one is None else taken[one.method, one.path]
        if other != name:
            raise PartInvalid((*place, "path"), f"`{other}` has this method and path already")

    def declared(self, node: Json, place: Place) -> Type:
        """Build what stands under the name of a type: as the contract's, and parts of others with fields beside."""
        if not isinstance(node, dict) or "also" not in node:
            return super().declared(node, place)
        part = super().declared({key: value for key, value in node.items() if key != "also"}, place)
        more = [self.field(name, one, (*place, "also", name)) for name, one in node["also"].items()]
        return types.object_of((*part.fields.values(), *more), part.rules)

    def type(self, spec: Json, place: Place) -> Type:
        """Build the type a field names or spells out; an enum of events is one besides those of the contract."""
        if isinstance(spec, dict) and "event_types" in spec:
            keys(spec, place, {"event_types"})
            return types.enum((*spec["event_types"], *self._model.events))
        if isinstance(spec, dict) and spec.get("maximum") == _ALL and "list" in spec:
            values = self.type(spec["list"], (*place, "list")).allowed
            if not values:
                raise PartInvalid((*place, "maximum"), f"`{_ALL}` is as many as an enum has values, and this is none")
            spec = spec | {"maximum": len(values)}
        return super().type(spec, place)

    def operation(self, name: str, node: Json, place: Place) -> GatewayOperation:
        """Build one operation."""
        keys(node, place, _NEEDED, _MORE)
        self.words(node, place)
        gives, resource, content = self.answer(node["gives"], (*place, "gives"))
        any_body = node.get("body") == "any"
        args = self.args({key: value for key, value in node.items() if key != "body" or not any_body}, place, resource)
        self.fits({key: value for key, value in node.items() if key not in {"scope", "method"}}, place, args, resource)
        handled = {key: args[key] for key, one in node.get("args", {}).items() if one.get("handled", False)}
        return GatewayOperation(
            name=name,
            summary=node["summary"],
            effect=_EFFECTS.get(node["method"], Effect.UNSAFE),
            scopes=self.scopes(node, place),
            access=Access(node["access"]),
            method=node["method"],
            path=node["path"],
            gives=gives,
            resource=resource,
            status=node.get("status", HTTPStatus.OK),
            args=MappingProxyType({key: one for key, one in args.items() if key not in handled}),
            common=MappingProxyType((self.listed() if gives == "list" else {}) | handled),
            not_found=node.get("not_found"),
            window=tuple(node["window"]) if "window" in node else None,
            order=tuple(node.get("order", ())),
            rules=self.rules(node, args, place),
            patch=node.get("patch", False),
            any_body=any_body,
            content=content,
            answer=node.get("answer", ""),
            answers=self.statuses("answers", node, place),
            empty=self.statuses("empty", node, place),
            headers=tuple(node.get("headers", ())),
            request_headers=MappingProxyType(node.get("request_headers", {})),
            uses=frozenset(node.get("uses", ())),
            errors=self.codes(node, place),
            idempotency_key=node.get("idempotency_key", False),
            openapi=node.get("openapi", "all"),
            tag=node.get("tag", name.partition(".")[0]),
        )

    def words(self, node: Json, place: Place) -> None:
        """Check what is one of a few words."""
        for word in ("access", "method", "openapi"):
            if word in node:
                find(node[word], _WORDS[word], (*place, word))
        for one in node.get("uses", ()):
            find(one, _WORDS["uses"], (*place, "uses"))
        if node.get("idempotency_key", False) and node["method"] not in {"POST", "PUT", "PATCH"}:
            raise PartInvalid((*place, "idempotency_key"), f"a {node['method']} is repeated as it is")

    def scopes(self, node: Json, place: Place) -> tuple[str, ...]:
        """Read what a caller's key must allow; none where another key or nobody's is asked for."""
        if (node["access"] == Access.CALLER) != ("scope" in node):
            raise PartInvalid(place, "`scope` is what a caller's key must allow: it stands where `access` is `caller`")
        found = node.get("scope", _BY_EFFECT)
        if found == _BY_EFFECT:
            return ()
        several = found if isinstance(found, list) else [found]
        return tuple(find(one, _WORDS["scope"], (*place, "scope")) for one in several)

    def answer(self, node: Json, place: Place) -> tuple[str, Resource | None, tuple[str, Json] | None]:
        """Read what an operation gives; what is no resource of the model, by its media type and JSON Schema."""
        if isinstance(node, dict) and node.keys() & {"json", "text"}:
            keys(node, place, set(), {"json", "text"})
            kind, told = one_of(node, place)
            return "none", None, ("application/json", told) if kind == "json" else (told, {"type": "string"})
        return *self.gives(node, place), None

    def statuses(self, word: str, node: Json, place: Place) -> Mapping[int, str]:
        """Read what further statuses mean."""
        names = {str(one.value): None for one in HTTPStatus}
        return MappingProxyType(
            {int(find(one, names, (*place, word))): told for one, told in node.get(word, {}).items()}
        )

    def codes(self, node: Json, place: Place) -> frozenset[str]:
        """Read the further error codes."""
        named = node.get("errors", [])
        if named == _ALL:
            return frozenset(self._model.errors)
        return frozenset(find(one, self._model.errors, (*place, "errors")) for one in named)

    def listed(self) -> dict[str, Argument]:
        """Give the arguments of the contract's own lists."""
        common = next((one.common for one in self._model.operations.values() if one.gives == "list"), {})
        return {name: common[name] for name in _LISTED if name in common}
