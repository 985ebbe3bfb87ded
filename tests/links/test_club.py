"""The port of a link's club: the only place where a flow of links asks a club for anything."""

import ast
from pathlib import Path

LINKS = Path(__file__).parents[2] / "gateway" / "links"


def calls(name):
    """Give the calls of methods of this name in the modules of links, each with its module."""
    for path in sorted(LINKS.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == name:
                yield path.relative_to(LINKS).as_posix(), node


def test_clubs_are_asked_at_one_place():
    """Only the port calls a club; whoever else calls a connection calls the marketplace."""
    others = [(module, ast.unparse(node.args[0])) for module, node in calls("call") if module != "club.py"]
    assert {"context.call(self.link.club, operation, given, self.asking, channel, key)"} == {
        ast.unparse(node).removeprefix("self.") for module, node in calls("call") if module == "club.py"
    }
    assert [("slots/push.py", "link.peer")] == others


def test_nothing_runs_past_the_context():
    """Operations run through the context, but for the checks of a configuration, which run before there is a link."""
    running = {
        module for module, node in calls("run") if ast.unparse(node.func).endswith(("engine.run", "recorded_calls.run"))
    }
    assert {"context.py", "checks.py", "inventory.py"} == running
