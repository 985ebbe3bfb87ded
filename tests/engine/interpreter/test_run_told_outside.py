"""What an operation that another one runs cannot use, and what a record cannot write: the caller's own names, or none.

The arguments of the inner operation are the mapping's business; no caller has ever seen them.
"""

import pytest

from gateway.values.errors import GatewayError

INNER = """
  person:
    of: Customer
    fields:
      id: id
      name: name
      phone: {at: phone, as: {enum: [[1, "11"], [2, "22"]]}}
      address.city: {at: town, as: {enum: {u: Ulm}}}
operations:
  customers.get:
    call: {get: "/p/{{ int(args.id) }}"}
    result: {at: data, record: person}
  customers.create:
    unsupported: {email: "it knows no addresses", REST}
    requires: {phone: "it rings at the `phone`"}
    errors: [{status: 422, is: CUSTOMER_INVALID, details: {fields: [{field: name, problem: too short}, {field: rank}]}}]
    call: {post: /p, json: {name: "{{ args.name }}", phone: "{{ int(args.phone) }}"}}
    result: {at: data, record: person}
  customers.update:
    requires: {external_ref: "it is used", metadata.phone: "it is used"}
    steps:
      - {name: all, compute: "{{ args }}"}
      - {name: seen, safe: true, call: {get: /s}}
      - {name: done, STEP}
    result: {at: seen.data, record: person}
"""
REST = ("company", "salutation", "language", "time_zone", "address", "external_ref", "metadata")
INNER = INNER.replace("REST", ", ".join(f"{name}: 'no'" for name in REST))
WHOLE = "is not a whole number in decimal digits"


async def failed(club, step, *answers, **args):
    """Give the error of a change of a customer, `external_ref` and `metadata` of which are handed on by this step."""
    made = club(INNER.replace("STEP", step), {"data": {"id": "z"}}, *answers)
    with pytest.raises(GatewayError) as caught:
        await made.run("customers.update", id="7", **{"external_ref": "x", "metadata": {"phone": "1"}, **args})
    return caught.value


@pytest.mark.parametrize(
    ("step", "fields"),
    [
        ('run: customers.get, with: {id: "{{ args.external_ref }}"}', ["external_ref"]),
        ('run: customers.get, with: {id: "{{ args.metadata.phone }}"}', ["metadata.phone"]),
        ('run: customers.get, with: {id: "{{ args.external_ref + args.metadata.phone }}"}',
         ["external_ref", "metadata.phone"]),
        ('for_each: {in: "{{ [args.external_ref] }}", as: one}, run: customers.get, with: {id: "{{ one }}"}',
         ["external_ref"]),
        ('run: customers.create, with: {$merge: ["{{ args.metadata }}", {name: Ada}]}', ["metadata.phone"]),
        ('run: customers.create, with: {$merge: [{name: A, phone: "7"}, {$optional: "{{ args.metadata }}"}]}',
         ["metadata.phone"]),
        ('run: customers.create, with: {name: A, phone: {$first: ["{{ args.external_ref }}", "{{ args.id }}"]}}',
         ["external_ref", "id"]),
        ('run: customers.get, with: {id: "{{ seen.data.id }}"}', []),
        ('run: customers.get, with: {id: "{{ args.external_ref + seen.data.id }}"}', []),
        ("run: customers.get, with: {id: constant}", []),
        ("run: customers.create, with: {name: Ada}", []),
    ],
)  # fmt: skip
async def test_an_argument_of_an_operation_that_is_run(club, step, fields):
    """The caller is told the field that it gave, else it is the mapping's fault: never the inner operation's name."""
    error = await failed(club, step, metadata={"phone": "x"})
    assert ("VALIDATION_ERROR" if fields else "MAPPING_ERROR") == error.code, error.detail
    told = error.details.get("fields", [])
    assert sorted(fields) == sorted(one["field"] for one in told)
    assert all(one["problem"] == WHOLE and f"`{one['field']}` {WHOLE}." in error.detail for one in told)


async def test_an_argument_that_is_needed(club):
    """What the operation that is run needs is asked of the caller by the caller's name, also where words quote it."""
    step = 'run: customers.create, with: {name: Ada, phone: {$optional: "{{ args.phone }}"}}'
    error = await failed(club, step.replace("args.phone", "args.metadata.ring"))
    assert [{"field": "metadata.ring", "problem": "is needed here: it rings at the `metadata.ring`"}] == (
        error.details["fields"]
    )


async def test_an_argument_that_is_not_supported(club):
    """What the operation that is run does not have is told as what the caller's operation does not have."""
    step = 'run: customers.create, with: {name: Ada, phone: "1", email: "{{ args.external_ref }}"}'
    error = await failed(club, step)
    capability = "customers.update.external_ref"
    assert ("UNSUPPORTED_OPERATION", capability) == (error.code, error.details["capability"])
    assert "`external_ref` in customers.update: it knows no addresses" in error.detail


async def test_a_refusal_that_names_fields(club, answered):
    """What the provider refuses keeps its code, and names of its fields those that the caller gave."""
    step = 'run: customers.create, with: {phone: "1", name: "{{ args.external_ref }}"}'
    error = await failed(club, step, answered({}, 422))
    assert "CUSTOMER_INVALID" == error.code
    assert [{"field": "external_ref", "problem": "too short"}] == error.details["fields"]


CHAIN = """
operations:
  customers.get:
    call: {get: "/p/{{ int(args.id) }}"}
    result: {at: data, record: customer}
  customers.update:
    requires: {email: of course}
    steps: [{name: all, compute: "{{ args }}"}]
    result: {run: customers.get, with: {id: "{{ args.email }}"}}
  customers.create:
    requires: {phone: of course}
    steps:
      - {name: all, compute: "{{ args }}"}
      - {name: none, safe: true, run: customers.get, with: {id: x}, ignore_errors: [VALIDATION_ERROR]}
      - {name: done, run: customers.update, with: {id: "1", email: "{{ args.phone }}"}}
    result: {step: done}
"""


async def test_a_result_that_is_run(club):
    """Through a result and through two operations the name is the caller's; a code that a step accepts ends nothing."""
    made = club(CHAIN)
    with pytest.raises(GatewayError) as caught:
        await made.run("customers.create", name="Ada", phone="x")
    assert [{"field": "phone", "problem": WHOLE}] == caught.value.details["fields"]


@pytest.mark.parametrize(
    ("tree", "field"),
    [
        ('"{{ args }}"', "phone"),
        ('{phone: "{{ args.external_ref }}"}', "external_ref"),
        ('{$optional: "{{ args.metadata }}"}', "metadata.phone"),
        ('{$merge: ["{{ args.metadata }}", {name: A}]}', "metadata.phone"),
        ('{phone: "{{ one }}"}', "external_ref"),
        ('{address: {city: "{{ args.external_ref }}"}}', "external_ref"),
        ('{phone: "33"}', None),
        ('{phone: "{{ seen.data.id }}"}', None),
        ('{phone: "{{ args.external_ref + seen.data.id }}"}', None),
    ],
)
async def test_a_value_that_a_record_cannot_write(club, tree, field):
    """A caller's value that the record has no word for is 400 with its name; any other is the mapping's fault."""
    each = '{$for: one, $in: "{{ [args.external_ref] }}", $give: {$record: person, $of: TREE}}'.replace("TREE", tree)
    args = {"phone": "33", "external_ref": "33", "metadata": {"phone": "33"}}
    error = await failed(club, f"call: {{post: /p, json: {each}}}", **args)
    fields = [one["field"] for one in error.details.get("fields", [])]
    assert (("VALIDATION_ERROR", [field]) if field else ("MAPPING_ERROR", [])) == (error.code, fields)
    assert "33" not in f"{error.details} {error.detail}"
