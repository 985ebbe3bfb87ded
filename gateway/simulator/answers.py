"""Answers of the simulated provider, built of what its script says: in JSON, XML or text."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from http import HTTPStatus
from urllib.parse import urlsplit

from gateway.dialects.refusal import NotWritable
from gateway.dialects.xml import XmlForm, write_xml
from gateway.mapping.nodes.calls import Scope
from gateway.mapping.nodes.trees import Tree
from gateway.mapping.runtime.trees import evaluate
from gateway.simulator.script import Answer
from gateway.values.errors import MappingFault
from gateway.values.messages import Json


@dataclass(frozen=True, slots=True)
class SimulatedAnswer:
    """An HTTP answer of the simulated provider."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    missed: str = ""
    """Why nothing of the mapping or its examples answers this request, for whoever tries a mapping."""


def build(answer: Answer, scope: Scope, namespaces: Mapping[str, str]) -> SimulatedAnswer:
    """Build an answer of these names; its headers come before those of its form. Raises MappingFault."""
    told = evaluate(answer.headers, scope) if answer.headers is not None else {}
    headers = {name.lower(): str(value) for name, value in told.items()}
    if answer.xml is not None:
        played = _xml(answer.status, answer.xml, scope, namespaces)
    elif answer.text is not None:
        text = str(evaluate(answer.text, scope)).encode()
        played = SimulatedAnswer(answer.status, {"content-type": "text/plain"}, text)
    else:
        played = in_json(answer.status, evaluate(answer.json, scope) if answer.json else None)
    return SimulatedAnswer(played.status, {**played.headers, **headers}, played.body)


def _xml(status: int, tree: Tree, scope: Scope, namespaces: Mapping[str, str]) -> SimulatedAnswer:
    try:
        body = write_xml(evaluate(tree, scope), XmlForm(namespaces))
    except NotWritable as refused:
        raise MappingFault(f"the answer {refused.reason}") from None
    return SimulatedAnswer(status, {"content-type": "application/xml; charset=utf-8"}, body)


def in_json(status: int, body: Json) -> SimulatedAnswer:
    """Give an answer in JSON."""
    return SimulatedAnswer(status, {"content-type": "application/json"}, json.dumps(body, ensure_ascii=False).encode())


def empty(status: int) -> SimulatedAnswer:
    """Give an answer without a body."""
    return SimulatedAnswer(status, {"content-type": "text/plain"}, b"")


def tagged(answer: SimulatedAnswer, known: str) -> SimulatedAnswer:
    """Give a success with its tag, or the word that nothing has changed where that is the one known (RFC 9110, 13)."""
    if answer.status != HTTPStatus.OK:
        return answer
    tag = answer.headers.get("etag") or f'"{hashlib.sha256(answer.body).hexdigest()[:16]}"'
    if known == tag:
        return SimulatedAnswer(HTTPStatus.NOT_MODIFIED, {"etag": tag}, b"")
    return replace(answer, headers={**answer.headers, "etag": tag})


def move(answer: SimulatedAnswer, addresses: Iterable[str], host: str) -> SimulatedAnswer:
    """Give an answer that names `host`, where the play is asked, wherever it names one of the provider's addresses.

    Addresses of next pages and of things are then those of the play, as a real provider's are its own.
    """
    origins = {"{0.scheme}://{0.netloc}".format(urlsplit(address)) for address in addresses}
    if not origins:
        return answer
    ours, named = f"http://{host}", re.compile(rf"(?:{'|'.join(map(re.escape, sorted(origins)))})(?![\w.:@-])")
    body = re.sub(named.pattern.encode(), ours.encode(), answer.body)
    return replace(answer, headers={name: named.sub(ours, text) for name, text in answer.headers.items()}, body=body)
