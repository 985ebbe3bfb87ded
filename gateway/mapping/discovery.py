"""What the files of a room declare, found without a list of them: a file that is there is all that has to be added."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterable, Iterator
from typing import TypeVar

_T = TypeVar("_T")


def declared(room: str, path: Iterable[str], kind: type[_T]) -> Iterator[_T]:
    """Give every value of a type that a file of the package holds, by itself or in a tuple, files by the alphabet.

    A value that a file has from another one counts there only. Rooms beneath are not looked into.
    """
    seen: set[int] = set()
    for found in sorted(pkgutil.iter_modules(path), key=lambda one: one.name):
        if found.ispkg:
            continue
        for held in vars(importlib.import_module(f"{room}.{found.name}")).values():
            for value in held if isinstance(held, tuple) else (held,):
                if isinstance(value, kind) and id(value) not in seen:
                    seen.add(id(value))
                    yield value
