"""What the dutiful proxy keeps, in SQLite by hand: intents, answers and events; everything that waits is one commit."""

import asyncio
import queue
import sqlite3
import threading

_TABLES = """
PRAGMA journal_mode = WAL;
PRAGMA synchronous = FULL;
CREATE TABLE intents (key TEXT PRIMARY KEY, digest TEXT NOT NULL, status INTEGER, answer BLOB) WITHOUT ROWID;
CREATE TABLE received (id TEXT PRIMARY KEY) WITHOUT ROWID;
CREATE TABLE events (sequence INTEGER PRIMARY KEY, id TEXT NOT NULL, body BLOB NOT NULL, delivered INTEGER NOT NULL);
"""


class Store:
    """One file and one thread that writes it."""

    def __init__(self, path):
        self._path = path
        self._waiting = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._work, daemon=True)
        self._thread.start()

    async def run(self, work):
        """Do work on the database, in a transaction with whatever else waits; gives what it gives."""
        loop = asyncio.get_running_loop()
        done = loop.create_future()
        self._waiting.put((work, done, loop))
        return await done

    def _work(self):
        database = sqlite3.connect(self._path, isolation_level=None)
        database.executescript(_TABLES)
        while True:
            pieces = [self._waiting.get()]
            while not self._waiting.empty():
                pieces.append(self._waiting.get())
            database.execute("BEGIN IMMEDIATE")
            found = [(done, loop, work(database)) for work, done, loop in pieces]
            database.execute("COMMIT")
            for done, loop, value in found:
                loop.call_soon_threadsafe(done.set_result, value)
