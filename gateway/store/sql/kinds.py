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
from gateway.values.strictjson import encode_json


class Kind(TypeDecorator[Any]):
    """A kind of column: what it is kept as, and how a value is written and read. Nothing is kept as nothing."""

    impl = Text
    cache_ok = True

    def __init__(self, stored: TypeEngine[Any], write: Callable[[Any], Any], read: Callable[[Any], Any]) -> None:
        super().__init__()
        self.impl = stored  # type: ignore[assignment]  # its class may give a class or one of its values
        self._write = write
        self._read = read

    def kept(self, value: Any) -> Any:
        """Give what is kept."""
        return None if value is None else self._write(value)

    def told(self, kept: Any) -> Any:
        """Give what is read."""
        return None if kept is None else self._read(kept)

    def process_bind_param(self, value: Any, dialect: Dialect) -> Any:  # noqa: ARG002 - SQLAlchemy gives it
        """Do as `kept`."""
        return self.kept(value)

    def process_result_value(self, value: Any, dialect: Dialect) -> Any:  # noqa: ARG002 - SQLAlchemy gives it
        """Do as `told`."""
        return self.told(value)


@lru_cache(maxsize=4096)
def _tuple(text: str) -> tuple[Any, ...]:
    return tuple(json.loads(text))


def _list(value: Any) -> str:
    return json.dumps(list(value))


JSON_LIST: Final = Kind(Text(), _list, _tuple)
"""A tuple, kept as a JSON list in text."""
JSON_TEXT: Final = Kind(Text(), json.dumps, json.loads)
"""Data, kept as JSON in text."""
JSON_BYTES: Final = Kind(LargeBinary(), encode_json, json.loads)
"""Data, kept as JSON in UTF-8."""
UTF8: Final = Kind(LargeBinary(), str.encode, bytes.decode)
"""Text that may hold what a text column refuses."""
SECRET: Final = Kind(Text(), Secret.reveal, Secret)
"""A credential: it comes out of the store masked, and nothing else can be put in."""
FLAG: Final = Kind(Integer(), int, bool)
"""True or false, kept as 1 or 0."""
