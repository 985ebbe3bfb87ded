"""How the pages made from the code are written: code spans and tables. What stands in them is not known here."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

_PLAIN = set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_-./+~ 0123456789")


def code(text: str) -> str:
    """Put a text between as many backticks as show it, fit for the cell of a table."""
    mark = "``" if "`" in text else "`"
    room = " " if mark == "``" else ""
    return f"{mark}{room}{text}{room}{mark}".replace("|", "\\|")


def row(*cells: str) -> str:
    """Write a line of a table."""
    return f"| {' | '.join(cells)} |"


def table(*heads: str) -> list[str]:
    """Write the head of a table."""
    return [row(*heads), "|" + "---|" * len(heads)]


def cell(text: str) -> str:
    """Make a sentence fit for the cell of a table."""
    return text.replace("|", "\\|")


def codes(names: Iterable[str]) -> str:
    """Put names side by side, each as code."""
    return ", ".join(map(code, names))


def flow(value: Any) -> str:
    """Write a value as YAML in one line; texts are quoted where YAML would read something else."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{flow(key)}: {flow(inner)}" for key, inner in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(flow, value)) + "]"
    if not isinstance(value, str):
        return json.dumps(value)
    plain = value and set(value) <= _PLAIN and value[0].isalpha() and not value.endswith(" ")
    return value if plain and value not in {"true", "false", "null"} else json.dumps(value, ensure_ascii=False)
