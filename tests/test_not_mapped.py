"""A mapping covers the contract of the day it was written: what came into it since is refused, and the rest goes on."""

import pytest

from gateway.model.model import load
from gateway.surface.operations.capabilities import capabilities
from gateway.values.errors import Unsupported

HEAD = """
unsupported: {locations.list: null}
records:
  customer: {of: Customer, fields: {id: id, name: name}}
  client: {of: Customer, fields: {name: name, salutation: {at: title, as: {enum: {m: mr, f: ms}}}}}
operations:
  customers.create:
    unsupported: {email: x, phone: x, company: x, language: x, time_zone: x, address: x, metadata: x}
    result: {at: data, record: customer}
"""
WRITTEN = """
    call: {post: /people, json: {$record: client, $of: {name: "{{ args.name }}", salutation: "{{ title }}"}}}
    vars: {title: "{{ args.salutation | default('mr') }}"}
"""
TAKEN = """
    call: {post: /people, json: {name: "{{ args.name }}", title: "{{ title }}"}}
    vars: {title: {from: "{{ args.salutation | default('mr') }}", as: {enum: {m: mr, f: ms}}}}
"""


async def refused(made, operation, **given):
    """Give why a call is refused; nothing is sent for it."""
    with pytest.raises(Unsupported) as caught:
        await made.run(operation, **given)
    assert [] == made.requests
    return caught.value.details


async def test_an_operation(gateway):
    """An operation that the mapping does not know is refused as not mapped, and so it stands in the capabilities."""
    made = gateway(HEAD + WRITTEN)
    assert {"capability": "locations.list", "reason": "not mapped"} == await refused(made, "locations.list")
    plan = made.engine.catalog.connections["club"].provider
    told = capabilities(plan, load())["locations.list"]
    assert ("unsupported", "not mapped") == (told["support"], told["notes"])


async def test_an_argument(gateway):
    """An argument that the mapping does not know is refused as not mapped; calls without it go on."""
    made = gateway(HEAD + WRITTEN, {"data": {"id": 1, "name": "Ann"}})
    told = await refused(made, "customers.create", name="Ann", external_ref="7")
    assert {"capability": "customers.create.external_ref", "reason": "not mapped"} == told
    reply = await made.run("customers.create", name="Ann")
    assert "Ann" == reply.data["name"]


@pytest.mark.parametrize("text", [WRITTEN, TAKEN], ids=["a record", "a variable"])
async def test_a_value(gateway, text):
    """A value of an enum that the mapping's table lacks is refused as not mapped; the values that it has go on."""
    made = gateway(HEAD + text, {"data": {"id": 1, "name": "Ann"}})
    assert "not mapped" == (await refused(made, "customers.create", name="Ann", salutation="dr"))["reason"]
    await made.run("customers.create", name="Ann", salutation="ms")
    assert 1 == len(made.requests)
