"""Results as language 1 writes them, moved under `result:`; of findings nothing moves. It goes with language 1."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from gateway.documents.yaml import Document, Place
from gateway.values.messages import Json


class _Moved:
    """The positions of a file, those of what was moved among them."""

    def __init__(self, document: Document) -> None:
        self.tables = {**document.values}, {**document.keys}

    def move(self, old: Place, new: Place, whole: bool = True) -> None:
        """Give what is at a new place the positions of an old one."""
        for table in self.tables:
            inner = [place for place in table if place[: len(old)] == old and (whole or place == old)]
            table.update({(*new, *place[len(old) :]): table[place] for place in inner})


def renewed(document: Document) -> Document:
    """Give the document with results and records as language 2 writes them."""
    if not isinstance(document.data, dict):
        return document
    moved, data = _Moved(document), {**document.data}
    for part in ("operations", "native"):
        if isinstance(data.get(part), dict):
            data[part] = {name: _ways(node, (part, name), moved) for name, node in data[part].items()}
    if isinstance(data.get("hooks"), dict):
        data["hooks"] = {name: _hook(node, ("hooks", name), moved) for name, node in data["hooks"].items()}
    return replace(document, data=data, values=moved.tables[0], keys=moved.tables[1])


def _hook(node: Json, place: Place, moved: _Moved) -> Json:
    if isinstance(node, dict) and isinstance(node.get("asks"), list):
        node = node | {"asks": [_record(one, (*place, "asks", at), moved) for at, one in enumerate(node["asks"])]}
    return _record(node, place, moved)


def _record(node: Json, place: Place, moved: _Moved) -> Json:
    """Call `row` what it is."""
    if not isinstance(node, dict) or "row" not in node:
        return node
    moved.move((*place, "row"), (*place, "record"))
    return {"record" if key == "row" else key: value for key, value in node.items()}


def _ways(node: Json, place: Place, moved: _Moved) -> Json:
    if isinstance(node, list):
        return [_body(one, (*place, at), moved) for at, one in enumerate(node)]
    return _body(node, place, moved)


def _body(node: Json, place: Place, moved: _Moved) -> Json:
    if not isinstance(node, dict):
        return node
    body = {**node}
    if isinstance(node.get("choose"), list):
        body["choose"] = [_body(one, (*place, "choose", at), moved) for at, one in enumerate(node["choose"])]
    keys = ("at",) if place[0] == "native" else ("at", "rows", "row", "find", "union", "gives")
    old = {key: body.pop(key) for key in keys if key in body}
    result = (*place, "result")
    for key, value in old.items():
        if key in ("union", "gives"):
            moved.move((*place, key), result)
            several = isinstance(value, list)
            return body | {"result": list(_sources(value, result, moved)) if several else value}
    if old:
        moved.move(place, result, whole=False)
        for key in old:
            moved.move((*place, key), (*result, key))
        body["result"] = _record(old, result, moved)
    return body


def _sources(nodes: Json, place: Place, moved: _Moved) -> Iterator[Json]:
    return (_record(node, (*place, at), moved) for at, node in enumerate(nodes))
