"""A lock beside a SQLite file, held by every gateway at work on it: who has it alone knows that all others are gone.

The system gives a lock up with the process, however that ends (flock(2)), so a restart is told from a second gateway
at once. It says nothing to other machines: a SQLite file on a network file system is not supported.
"""

from __future__ import annotations

import asyncio
import fcntl
from pathlib import Path
from typing import BinaryIO

from gateway.values.errors import StoreUnavailable

_SUFFIX = ".lock"
_OWNER_ONLY = 0o600


class Presence:
    """One gateway's hold on a file: `enter`, then `share` for as long as it works, then `leave`."""

    def __init__(self, file: Path) -> None:
        self._path = file.with_name(file.name + _SUFFIX)
        self._held: BinaryIO | None = None

    def __repr__(self) -> str:
        return f"Presence({self._path.name}, {'held' if self._held is not None else 'free'})"

    def enter(self) -> bool:
        """Take the lock alone if nobody has it, and tell whether that is so. Raises StoreUnavailable."""
        try:
            self._path.touch(_OWNER_ONLY)
            self._held = self._path.open("rb")
            fcntl.flock(self._held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        except OSError as error:
            self.leave()
            raise StoreUnavailable(f"`{self._path.name}` cannot be locked.", reason=error.strerror or "") from error
        return True

    async def share(self) -> None:
        """Hold the lock together with others; waits while another one has it alone, which takes a moment."""
        if self._held is not None:
            await asyncio.to_thread(fcntl.flock, self._held, fcntl.LOCK_SH)

    def leave(self) -> None:
        """Give the lock up. The file stays: who removed it could not know who is about to lock it."""
        if self._held is not None:
            self._held.close()
            self._held = None
