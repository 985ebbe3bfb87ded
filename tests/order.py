"""The order of the files: those that take longest begin, so that no worker is left alone with one of them at the end.

What they take is kept in `seconds.json`, which `pytest --keep-seconds` writes anew; a file that is not there and whose
tests may take long by their time-out begins as well.
"""

import json
from collections import Counter
from pathlib import Path

SECONDS = Path(__file__).with_name("seconds.json")
WORTH = 4
"""Seconds from which on a file is kept: the order of all that are quicker does not matter."""
SLOW = 60
"""Seconds that a test without a time-out of its own may take."""

_taken = Counter()
"""File, as a path below the root, to the seconds that its tests have taken so far."""


def kept():
    """Give what the files took when it was last kept, in seconds, by path below the root."""
    return json.loads(SECONDS.read_text(encoding="utf-8"))


def pytest_addoption(parser):
    """Add the option that keeps what this run takes."""
    parser.addoption("--keep-seconds", action="store_true", help="write what each file takes into tests/seconds.json")


def pytest_collection_modifyitems(items):
    """Put the files that take longest first; all others stay in their order."""
    known = kept()
    may = {}
    for item in items:
        marker = item.get_closest_marker("timeout")
        seconds = marker.args[0] if marker and marker.args else 0
        may[item.path] = max(may.get(item.path, 0), seconds if seconds > SLOW else 0)
    items.sort(key=lambda item: -known.get(item.nodeid.partition("::")[0], may[item.path]))


def pytest_runtest_logreport(report):
    """Count what a test took, with what it needed before and after."""
    _taken[report.nodeid.partition("::")[0]] += report.duration


def pytest_sessionfinish(session):
    """Keep what was taken, where that is asked for; a worker leaves it to whoever started it."""
    if session.config.getoption("--keep-seconds") and not hasattr(session.config, "workerinput"):
        found = {file: round(seconds) for file, seconds in _taken.most_common() if seconds >= WORTH}
        SECONDS.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")
