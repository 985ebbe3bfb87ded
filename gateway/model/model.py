"""The door of the contract: `load()` gives it, and what others need from this folder can be imported from here.

The definition is booking.yaml and nothing about it is said again here.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

from gateway.documents.yaml import read
from gateway.model.arguments import arguments, whole
from gateway.model.build import ModelBroken, build
from gateway.model.contract import (
    WARNINGS,
    Argument,
    Changes,
    ErrorCode,
    EventType,
    Model,
    Operation,
    Request,
    Resource,
)
from gateway.model.filters import Filter
from gateway.model.raw import from_body, from_query
from gateway.model.types.types import Field, Type, TypeRefused

__all__ = [
    "WARNINGS",
    "Argument",
    "Changes",
    "ErrorCode",
    "EventType",
    "Field",
    "Filter",
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


@cache
def load() -> Model:
    """Give the contract, read once; raises ModelBroken with the findings when the file is wrong."""
    document, findings = read(FILE, FILE.name)
    if document is None:
        raise ModelBroken(findings)
    return build(document)
