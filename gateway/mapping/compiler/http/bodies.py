"""Bodies of calls, compiled: how they are written, and how an answer is read whose form leaves that open."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import Final

from gateway.dialects.multipart import MEMBERS
from gateway.dialects.tables import TableForm
from gateway.dialects.xml import XmlForm, undeclared
from gateway.documents.yaml import Place, suggestion
from gateway.mapping.compiler.context import Context
from gateway.mapping.compiler.trees import Names, compile_object, compile_text, compile_tree
from gateway.mapping.language.http import BODIES, Call, Http, Reading
from gateway.mapping.nodes.bodies import ReadingPlan, RpcPlan
from gateway.mapping.nodes.calls import CALENDARS, EVENTS
from gateway.mapping.nodes.trees import Tree
from gateway.values.messages import Json

_KEYS: Final = {
    "xml": frozenset({"lists", "holds", "properties"}),
    "csv": frozenset({"separator", "names"}),
    "icalendar": frozenset({"properties"}),
}
"""Form of an answer → the keys of `reading:` that say something of it."""
_OBJECTS: Final = frozenset({"form", "xml", "multipart"})


def compile_body(
    context: Context, node: Call, names: Names, reading: ReadingPlan, *, secrets: bool
) -> tuple[str, Tree | None]:
    """Compile the body of a call: its kind and what builds it."""
    place = node.place
    kinds = [kind for kind in BODIES if kind in node]
    if len(kinds) > 1:
        context.report(place, "two-bodies", f"a call has one body, not {' and '.join(kinds)}")
    if not kinds:
        return "none", None
    kind, where = kinds[0], (*place, kinds[0])
    if node.jsonrpc is not None and kind == "jsonrpc":
        key, params = ("batch", node.jsonrpc.batch) if "batch" in node.jsonrpc else ("params", node.jsonrpc.params)
        return kind, compile_tree(context, [] if params is None else params, (*where, key), names, secrets=secrets)
    if kind == "text":
        return kind, compile_text(context, node.text or "", where, names, secrets=secrets)
    if kind == "icalendar":
        importlib.import_module(EVENTS)  # slow to start: only a mapping that writes events pays for it
        written: Json = node.icalendar.raw if node.icalendar is not None and node.icalendar.sound else {}
        return kind, compile_object(context, written, where, names, secrets=secrets)
    tree = node[kind]
    if kind == "xml":
        check_names(context, tree, where, reading)
    if kind == "multipart":
        _check_parts(context, tree, where)
    return kind, (compile_object if kind in _OBJECTS else compile_tree)(context, tree, where, names, secrets=secrets)


def check_names(context: Context, tree: Json, place: Place, reading: ReadingPlan) -> None:
    """Report names of XML whose prefix nothing declares."""
    for name in dict.fromkeys(undeclared(tree, reading.xml.namespaces)):
        context.report(place, "unknown-prefix", _tell(name, reading), key=True)


def _tell(name: str, reading: ReadingPlan) -> str:
    if name.startswith("@xmlns"):
        return f"`{name}` is written by the gateway: declare the namespace under `namespaces:` of `http`"
    hint = suggestion(name.lstrip("@").partition(":")[0], [one for one in reading.xml.namespaces if one])
    return f"`{name}` is no name of XML, or `namespaces:` of `http` does not declare its prefix{hint}"


def _check_parts(context: Context, tree: Json, place: Place) -> None:
    for name, part in tree.items() if isinstance(tree, dict) else ():
        for key in part if isinstance(part, dict) and not any(one.startswith("$") for one in part) else ():
            if key not in MEMBERS:
                message = f"`{key}` is nothing that a part has{suggestion(key, MEMBERS)}"
                context.report((*place, name, key), "unknown-key", message, key=True)


def envelope_of(context: Context, node: Call) -> RpcPlan:
    """Compile what goes around the params of JSON-RPC."""
    rpc = node.jsonrpc
    if rpc is None or not rpc.sound:
        return RpcPlan()
    if "batch" in rpc and "params" in rpc:
        message = "`params` are those of one call, `batch` is a list of them for several: keep one of the two"
        context.report((*rpc.place, "params"), "two-bodies", message, key=True)
    if "batch" in rpc and rpc.version == "1.0":
        context.report((*rpc.place, "batch"), "not-allowed", "JSON-RPC 1.0 has no batches", key=True)
    return RpcPlan(rpc.version, "batch" in rpc)


def compile_reading(context: Context, node: Call | Http, answer: str, shared: ReadingPlan | None) -> ReadingPlan:
    """Compile how answers of one form are read: as `reading:` says, or as the file's own does."""
    if answer in {"icalendar", "xml"}:  # slow to start: only a mapping that reads feeds pays for it
        holds = node.reading.holds if node.reading is not None and node.reading.sound else None
        if answer == "icalendar" or "icalendar" in (holds or {}).values():
            importlib.import_module(CALENDARS)
    spaces = shared.xml.namespaces if shared is not None else _namespaces(node)
    refusal = "xml" if "xml" in {answer, shared.refusal if shared is not None else answer} else answer
    part, again = node.reading, _may_be_unchanged(context, node)
    if part is None or not part.sound:
        kept = shared or ReadingPlan()
        xml = XmlForm(spaces, kept.xml.lists, kept.xml.holds)
        return ReadingPlan(refusal, xml, kept.table, kept.properties, again)
    _check_reading(context, part, answer, spaces)
    return ReadingPlan(
        refusal,
        XmlForm(spaces, frozenset(part.lists or ()), part.holds or {}),
        TableForm(part.separator, tuple(part.names or ())),
        tuple(name.upper() for name in part.properties or ()),
        again,
    )


def _may_be_unchanged(context: Context, node: Call | Http) -> bool:
    """Whether a call may be answered that nothing has changed: only what is read by GET is asked for so."""
    if not isinstance(node, Call) or node.not_modified is None:
        return False
    if node.get is None:
        message = "only what is read by `get:` can be unchanged"
        context.report((*node.place, "not_modified"), "not-allowed", message, key=True)
    return True


def _namespaces(node: Call | Http) -> dict[str, str]:
    return dict(node.namespaces or {}) if isinstance(node, Http) else {}


def _check_reading(context: Context, part: Reading, answer: str, spaces: Mapping[str, str]) -> None:
    """Report keys that say nothing of answers of this form, and names of XML that no answer can have."""
    known = _KEYS.get(answer, frozenset())
    for key in sorted(part.given - known):
        context.report((*part.place, key), "unknown-key", f"`{key}` says nothing of an answer in {answer}", key=True)
    for key in ("lists", "holds"):
        for name in part[key] or () if key in known else ():
            for one in name.split("/"):
                prefix, colon, _ = one.partition(":")
                if colon and prefix not in spaces:
                    message = f"`{one}`: `namespaces:` of `http` does not declare the prefix `{prefix}`"
                    context.report((*part.place, key), "unknown-prefix", message)
    if len(set(part.names or ())) != len(part.names or ()):
        context.report((*part.place, "names"), "not-allowed", "two columns have one name")
