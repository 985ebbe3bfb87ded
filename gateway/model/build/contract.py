"""The document of the contract → Model. The only constructor of one; it knows the file's form and not its content.

A fault in the file is ours: building raises ModelBroken with every finding that can be given.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import TypeAlias

from gateway.documents.yaml import Document, Place
from gateway.model.build.builder import ARGUMENT, Builder, ModelBroken, shape
from gateway.model.build.changes import build_changes
from gateway.model.build.parts import find, keys
from gateway.model.contract import Argument, ErrorCode, EventType, Model, Operation, Request
from gateway.values.messages import Effect, Json

_Common: TypeAlias = Mapping[str, tuple[frozenset[str], Argument]]
"""Arguments of many operations: what those give (one, list), and the argument."""

_SECTIONS = {"types", "resources", "common", "operations", "lifecycle", "events", "requests", "changes", "errors"}
_OPERATION = {"summary", "effect", "scope", "method", "path", "gives"}
_OPERATION_MORE = {"args", "body", "status", "not_found", "reconcile", "window", "order"}
_OPERATION_MORE |= {"sort", "rules", "patch", "refused", "partial"}


def build(document: Document) -> Model:
    """Build the contract from its document; raises ModelBroken."""
    return _Contract(document).model()


class _Contract(Builder):
    """Builds the sections of the contract."""

    __slots__ = ()

    def model(self) -> Model:
        """Build everything, or raise what was found."""
        self.guarded((), lambda: keys(self.document.data, (), _SECTIONS))
        self.each("types", lambda name, _node, _place: self.named(name, ()))
        self.resources = self.each("resources", lambda name, _node, _place: shape(self.named(name, ())))
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
        shapes = {name: shape(one) for name, one in self.types.items() if one.kind == "object"}
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

    def common(self, name: str, node: Json, place: Place) -> tuple[frozenset[str], Argument]:
        """Build an argument of many operations."""
        keys(node, place, {"gives", "type", "meaning", "where"}, ARGUMENT)
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
            scopes=(node["scope"],),
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

    def error(self, code: str, node: Json, place: Place) -> ErrorCode:
        """Build one error code."""
        keys(node, place, {"status", "title", "meaning"}, {"retryable", "form_of"})
        if "form_of" in node:
            find(node["form_of"], self.document.data["errors"], (*place, "form_of"))
        title, meaning, retryable = node["title"], node["meaning"], node.get("retryable", False)
        return ErrorCode(code, node["status"], title, retryable, meaning, node.get("form_of"))

    def event(self, name: str, node: Json, place: Place, operations: Mapping[str, Operation]) -> EventType:
        """Build one kind of event."""
        keys(node, place, {"data", "meaning"}, {"by", "once", "tracked"})
        data = self.resources[find(node["data"], self.resources, (*place, "data"))]
        tracked = tuple(find(one, data.fields, (*place, "tracked")) for one in node.get("tracked", ()))
        by = tuple(find(one, operations, (*place, "by")) for one in node.get("by", ()))
        return EventType(name, data, node["meaning"], by, node.get("once", False), tracked)

    def request(self, name: str, node: Json, place: Place) -> Request:
        """Build one kind of request that a marketplace makes."""
        keys(node, place, {"data", "gives", "meaning"})
        objects = {key: one for key, one in self.types.items() if one.kind == "object"}
        data = objects[find(node["data"], objects, (*place, "data"))]
        return Request(name, shape(data), node["meaning"], tuple(node["gives"]))

    def status(self, name: str, node: Json, place: Place) -> frozenset[str]:
        """Build what one status of a booking may become."""
        states = dict.fromkeys(self.named("BookingStatus", place).allowed)
        find(name, states, place)
        return frozenset(find(one, states, place) for one in node)
