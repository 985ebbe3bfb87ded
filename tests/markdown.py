"""How the pages made from the code are written: code spans and tables. What stands in them is not known here."""

from __future__ import annotations

from collections.abc import Iterable


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
