"""Nodes: data only, each with a meaning, all to be found from the plan. And the probe that looks on at them."""

import asyncio
import re
from dataclasses import fields

import pytest

from gateway.computation.threads import offloaded
from gateway.mapping.codecs import Codec
from gateway.mapping.codecs.times import LocalForm
from gateway.mapping.expressions import Hole, Path, Template
from gateway.mapping.expressions.probes import Probe, probed
from gateway.mapping.nodes import trees
from gateway.mapping.nodes.walk import nodes_in
from gateway.mapping.runtime import records
from gateway.mapping.runtime import trees as runtime
from gateway.mapping.runtime.records import read_record
from tests import shipped

ACTING = {(Codec, "decode"), (Codec, "encode"), (LocalForm, "zone"), (Hole, "run"), (Path, "_interpreter")}
"""What of a mapping is a function: codecs with the options that are templates, and the programs of expressions."""


@pytest.mark.parametrize("name", shipped.FILES)
def test_nodes_are_data(name):
    """No node of a mapping holds a function, but for codecs and expressions, so that others can look into it."""
    plan, _ = shipped.compiled(name)
    held = {
        (type(node), one.name)
        for node in nodes_in(plan)
        for one in fields(node)
        for value in (getattr(node, one.name),)
        if any(callable(part) for part in (value if isinstance(value, tuple) else (value,)))
    }
    assert held <= ACTING


@pytest.mark.parametrize(
    ("union", "meaning"), [(trees.Tree, runtime.MEANING), (trees.Source, records.MEANING)], ids=["trees", "sources"]
)
def test_each_node_has_a_meaning(union, meaning):
    """Every kind of tree and every source of a field is known to the evaluator, and nothing else is."""
    assert set(re.findall(r"\w+", union)) == {kind.__name__ for kind in meaning}


def test_nodes_are_found_once():
    """The walk gives each node once, with its place, however many ways lead to it."""
    plan, _ = shipped.compiled("generic")
    nodes = list(nodes_in(plan))
    assert len(nodes) == len({id(node) for node in nodes})
    assert {"operations", "records", "errors"} <= {node.place[0] for node in nodes if getattr(node, "place", ())}


class Ear(Probe):
    """Keeps what it is told of."""

    def __init__(self):
        self.heard = []

    def looked_up(self, path, data, found):
        """Keep a path."""
        self.heard.append((path.text, path.place, found))

    def rendering(self, template, scope):
        """Keep a template."""
        self.heard.append((template.text, template.place, scope["row"]))

    def read(self, record, row, scope):
        """Keep a record."""
        self.heard.append((record.name, row))


RECORD = """
records:
  customer: {of: Customer, fields: {name: {at: called, when: "on"}, email: {compute: "{{ row.mail }}"}}}
"""


@pytest.mark.parametrize("apart", [False, True])
def test_a_probe_hears_what_is_evaluated(compiled, apart):
    """A probe is told of each path, template and record by its place, in a thread as well, until it is taken away."""
    customer = compiled(RECORD).records["customer"]
    ear, row, scope = Ear(), {"called": "Ada", "on": True, "mail": "a@b.c"}, {"settings": {}}

    def work():
        return read_record(customer, row, scope)

    async def offload():
        return await offloaded(work, asyncio.get_running_loop().time() + 30)

    with probed(ear):
        assert {"name": "Ada", "email": "a@b.c"} == (asyncio.run(offload()) if apart else work())
    work()
    at = ("records", "customer", "fields")
    assert [
        ("on", (*at, "name", "when"), True),
        ("called", (*at, "name", "at"), "Ada"),
        ("{{ row.mail }}", (*at, "email", "compute"), row),
        ("customer", row),
    ] == ear.heard
    assert isinstance(customer.reads[0].source.paths[0], Path)
    assert isinstance(customer.reads[1].source.tree.template, Template)
