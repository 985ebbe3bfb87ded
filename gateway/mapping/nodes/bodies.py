"""How the bodies of a call are written and read, besides the tree that is sent: data, and nothing is done here."""

from __future__ import annotations

from dataclasses import dataclass, field

from gateway.dialects.tables import TableForm
from gateway.dialects.xml import XmlForm


@dataclass(frozen=True, slots=True)
class RpcPlan:
    """What goes around the params of JSON-RPC."""

    version: str = "2.0"
    """Of 1.0 no request says so."""
    batch: bool = False
    """Whether the body builds a list, the params of one call each."""


@dataclass(frozen=True, slots=True)
class ReadingPlan:
    """How an answer is read whose form leaves that open."""

    refusal: str = "json"
    """How a refusal is read that is no JSON, by the words of `answer:`."""
    xml: XmlForm = field(default_factory=XmlForm)
    """Its namespaces are those of the body that is sent, too."""
    table: TableForm = field(default_factory=TableForm)
    properties: tuple[str, ...] = ()
    """Properties of events that are read besides the usual ones, names in capitals."""
    not_modified: bool = False
    """Whether a provider may answer that nothing has changed: what it answered before is given again then."""
