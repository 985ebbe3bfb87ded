"""Kinds of columns that hold more than the databases know: what stands in the store, and what the code reads.

A table names the kind, and every statement on it reads and writes values of that kind. What is kept stays as it was
before there were kinds: JSON in columns of text or of bytes, for text columns of PostgreSQL refuse NUL.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import lru_cache
from typing import Any, Final

from sqlalchemy import Integer, LargeBinary, Text
from sqlalchemy.engine.interfaces import Dialect
from sqlalchemy.types import TypeDecorator, TypeEngine

from gateway.values.secrets import Secret


class Kind(TypeDecorator[Any]):
    """A kind of column: what it is kept as, and how a value is written and read. Nothing is kept as nothing."""

    impl = Text
    cache_ok = True

    def __init__(self, kept: TypeEngine[Any], write: Callable[[Any], Any], read: Callable[[Any], Any]) -> None:
        super().__init__()
        self.impl = kept  # type: ignore[assignment]  # its class may give a class or one of its values
        self.write = write
        self.read = read

    def process_bind_param(self, value: Any, dialect: Dialect) -> Any:  # noqa: ARG002 - SQLAlchemy gives it
        """Give what is kept."""
        return None if value is None else self.write(value)

    def process_result_value(self, value: Any, dialect: Dialect) -> Any:  # noqa: ARG002 - SQLAlchemy gives it
        """Give what is read."""
        return None if value is None else self.read(value)


@lru_cache(maxsize=4096)
def _tuple(text: str) -> tuple[Any, ...]:
    return tuple(json.loads(text))


def _list(value: Any) -> str:
    return json.dumps(list(value))


def _bytes(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


JSON_LIST: Final = Kind(Text(), _list, _tuple)
"""A tuple, kept as a JSON list in text."""
JSON_TEXT: Final = Kind(Text(), json.dumps, json.loads)
"""Data, kept as JSON in text."""
JSON_BYTES: Final = Kind(LargeBinary(), _bytes, json.loads)
"""Data, kept as JSON in UTF-8."""
UTF8: Final = Kind(LargeBinary(), str.encode, bytes.decode)
"""Text that may hold what a text column refuses."""
SECRET: Final = Kind(Text(), Secret.reveal, Secret)
"""A credential: it comes out of the store masked, and nothing else can be put in."""
FLAG: Final = Kind(Integer(), int, bool)
"""True or false, kept as 1 or 0."""
