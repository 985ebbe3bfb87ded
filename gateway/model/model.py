"""The door of the contract: `load()` gives it, and what others need from this folder can be imported from here.

The definitions are booking.yaml and gateway.yaml, and nothing about them is said again here.
"""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from pathlib import Path

from gateway.documents.yaml import Document, read
from gateway.model.arguments import arguments, whole
from gateway.model.build import ModelBroken, build, build_gateway
from gateway.model.contract import (
    ANY_METHOD,
    WARNINGS,
    Access,
    Argument,
    Changes,
    ErrorCode,
    EventType,
    GatewayModel,
    GatewayOperation,
    Model,
    Operation,
    Request,
    Resource,
)
from gateway.model.filters import Filter
from gateway.model.raw import from_body, from_query
from gateway.model.types.types import Field, Type, TypeRefused

__all__ = [
    "ANY_METHOD",
    "WARNINGS",
    "Access",
    "Argument",
    "Changes",
    "ErrorCode",
    "EventType",
    "Field",
    "Filter",
    "GatewayModel",
    "GatewayOperation",
    "Model",
    "ModelBroken",
    "Operation",
    "Request",
    "Resource",
    "Type",
    "TypeRefused",
    "arguments",
    "from_body",
    "from_query",
    "load",
    "whole",
]

FILE = Path(__file__).with_name("booking.yaml")
GATEWAY_FILE = Path(__file__).with_name("gateway.yaml")


@cache
def load() -> Model:
    """Give the contract and the gateway's own side, read once; raises ModelBroken with the findings in a file."""
    model = build(_document(FILE))
    return replace(model, gateway=build_gateway(_document(GATEWAY_FILE), model))


def _document(file: Path) -> Document:
    document, findings = read(file, file.name)
    if document is None:
        raise ModelBroken(findings)
    return document
