"""Expressions: paths read data (JMESPath), templates build what is sent (Jinja2), with the functions of both."""

from __future__ import annotations

from typing import TypeAlias

from gateway.mapping.expressions.functions.kind import (
    ExpressionFailed,
    ExpressionInvalid,
    SegmentRefused,
    ValueMissing,
)
from gateway.mapping.expressions.paths import Path, compile_path
from gateway.mapping.expressions.templates import Hole, Literal, Template, compile_template, is_template

__all__ = [
    "ExpressionFailed",
    "ExpressionInvalid",
    "Hole",
    "Literal",
    "Path",
    "Predicate",
    "SegmentRefused",
    "Template",
    "ValueMissing",
    "compile_path",
    "compile_template",
    "is_template",
]

Predicate: TypeAlias = Path | Template
"""A condition: a path on the data at hand, or a template on names."""
