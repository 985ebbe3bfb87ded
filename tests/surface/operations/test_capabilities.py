"""What a connection can do is told of that very connection: in its capabilities, its document and its answers."""

import pytest

from gateway.engine.catalog import Catalog, bind
from gateway.model.model import load
from gateway.surface.openapi.document import document
from gateway.surface.operations.capabilities import capabilities
from gateway.values.secrets import Secret

MODEL = load()
MAPPING = """
settings:
  user: {type: string}
http: {headers: {X-User: "{{ settings.user | default('') }}"}}
records:
  customer: {of: Customer, fields: {id: id, name: name}}
operations:
  customers.list:
    - needs: {user: "users see more"}
      notes: All customers.
      unsupported: {email: "not kept", phone: "not kept"}
      call: {get: /customers, query: {q: {$optional: "{{ args.q }}"}}}
      result: {rows: data, record: customer}
    - support: degraded
      requires: {q: "strangers must know whom they look for"}
      unsupported: {email: "not kept", phone: "not kept"}
      call: {get: /search, query: {q: "{{ args.q }}"}}
      result: {rows: data, record: customer}
  bookings.delete: {needs: {user: "users delete"}, call: {delete: "/bookings/{{ args.id }}"}}
native:
  open: {needs: {user: "users open doors"}, notes: Opens the door., call: {post: /open}}
"""


@pytest.fixture
def catalog(compiled):
    """Give a catalog with two connections, `with` the setting and `without` it."""
    plan = compiled(MAPPING)
    values = {"base_url": "https://api.example", "key": Secret("s3cret"), "time_zone": "UTC", "currency": "EUR"}
    names = {"with": values | {"user": "ada"}, "without": values | {"user": None}}
    return Catalog("v1", {}, {name: bind(name, plan, given) for name, given in names.items()})


def test_capabilities(catalog):
    """Support, limits and notes are those of the way that the connection goes; what it has not has its reason."""
    kept = {"email": "not kept", "phone": "not kept"}
    whole, less = (capabilities(one.provider, MODEL) for one in catalog.connections.values())
    listed = {"support": "native", "limits": {"unsupported_arguments": kept}, "notes": "All customers."}
    assert listed == whole["customers.list"]
    needed = {"q": "strangers must know whom they look for"}
    assert {"support": "degraded", "limits": {"unsupported_arguments": kept, "required_arguments": needed}} == less[
        "customers.list"
    ]
    assert ({"support": "native"}, {"support": "unsupported", "notes": "users delete"}) == (
        whole["bookings.delete"],
        less["bookings.delete"],
    )
    assert {"support": "native", "notes": "Opens the door."} == whole["native.open"]
    assert {"support": "unsupported", "notes": "users open doors"} == less["native.open"]
    assert list(whole) == list(less)


def test_document(catalog):
    """A connection's document has the operations and the arguments of its ways, and no others."""
    whole, less = (document(MODEL, catalog, name)["paths"] for name in catalog.connections)
    assert {"/v1/with/customers", "/v1/with/bookings/{id}", "/v1/with/native/open"} <= set(whole)
    assert "/v1/without/customers" in less
    assert set() == {"/v1/without/bookings/{id}", "/v1/without/native/open"} & set(less)
    for paths, path, required in ((whole, "/v1/with/customers", False), (less, "/v1/without/customers", True)):
        told = {one["name"]: one["required"] for one in paths[path]["get"]["parameters"] if "name" in one}
        assert required == told["q"]
        assert "email" not in told
