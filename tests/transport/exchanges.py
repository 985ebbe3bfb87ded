"""What passes a gate in these tests: an exchange that is known by its URL."""

from typing import NamedTuple


class Exchange(NamedTuple):
    """One exchange, with what a gate wants to know of it."""

    url: str
    limit: str = "default"
    deadline: float = 25.0
    caller: str = ""
