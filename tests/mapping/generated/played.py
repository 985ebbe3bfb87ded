"""What the golden examples of a mapping evaluate, node by node, and whether code gives the same for a changed input."""

import asyncio
from dataclasses import replace
from functools import cache
from types import MappingProxyType

from gateway.examples.playback import run_example, run_hook
from gateway.mapping.expressions.probes import Probe, probed
from gateway.mapping.generated.binding import Generated
from gateway.mapping.nodes.calls import GENERATED
from gateway.model.model import load
from tests import shipped
from tests.mapping.generated.mutations import replaced

FIXED = {"settings", "connection", GENERATED}


class Noting(Generated):
    """The code of a connection that notes what it is asked for: nodes with what they were given."""

    def __init__(self, codes, scope, seen):
        super().__init__(codes, scope, after=0)
        self.seen = seen

    def read(self, record, row, scope):
        """Note a row."""
        self.seen.setdefault(("records", record.name), []).append((record, row, scope))
        return super().read(record, row, scope)

    def rows(self, record, rows, scope):
        """Note rows."""
        self.seen.setdefault(("records", record.name), []).extend((record, row, scope) for row in rows)
        return super().rows(record, rows, scope)

    def build(self, tree, scope):
        """Note a tree."""
        self.seen.setdefault(("trees", id(tree)), []).append((tree, None, dict(scope)))
        return super().build(tree, scope)

    def render(self, template, scope):
        """Note a template."""
        self.seen.setdefault(("templates", id(template)), []).append((template, None, dict(scope)))
        return super().render(template, scope)


class Paths(Probe):
    """Notes paths that are more than look-ups of keys."""

    def __init__(self):
        self.seen = {}

    def looked_up(self, path, data, found):
        """Note a path with what it was evaluated on."""
        if path.walk is None:
            self.seen.setdefault(path.text, []).append((path, data))


def noting(connection, seen, codes):
    """Give a connection whose code notes what it is asked for."""

    def scope(held):
        plain = {name: value for name, value in held.items() if name != GENERATED}
        return MappingProxyType({**plain, GENERATED: Noting(codes, plain, seen)})

    return replace(connection, scope=scope(connection.scope), revealed=scope(connection.revealed))


async def play(examples, seen=None):
    """Play all examples of a mapping."""
    connections = {}
    for one in (*examples.examples, *examples.hooks):
        example = one
        if seen is not None:
            known = connections.setdefault(
                id(one.connection), noting(one.connection, seen, examples.connection.provider.made)
            )
            example = replace(one, connection=known)
        run = run_hook if one in examples.hooks else run_example
        assert () == (await run(examples, example, load())).differences


@cache
def evaluated(provider):
    """Give what the examples of a shipped mapping evaluate: kind and name of nodes → (node, row, scope) each time."""
    seen = {}
    asyncio.run(play(shipped.played(provider)[0], seen))
    return {key: tuple(some) for key, some in seen.items()}  # what is evaluated later is noted, too


@cache
def looked_up(provider):
    """Give the paths that the examples of a shipped mapping evaluate, by their text: (path, data) of each time."""
    paths = Paths()
    with probed(paths):
        asyncio.run(play(shipped.played(provider)[0]))
    return paths.seen


def spread(found, most):
    """Give some of many, from the first to the last."""
    return found[:: -(-len(found) // most)]


def mutated(row, scope, rng):
    """Change the row, or one of the names around it."""
    names = [name for name in scope if name not in FIXED]
    if row is not None and (not names or rng.random() < 0.85):
        return replaced(row, rng), scope
    name = rng.choice(names)
    return row, {**scope, name: replaced(scope[name], rng)}
