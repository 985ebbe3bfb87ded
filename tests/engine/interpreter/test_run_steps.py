"""Steps in their order and calls at the same time."""

import asyncio

import pytest

from gateway.values.errors import AnswerMismatch, GatewayError, MappingFault, ProviderRejected

# Fan-out.

EACH = """
native:
  each:
    safe: true
    args: {ids: {type: list, required: true}}
    steps:
      - name: all
        for_each: {in: "{{ args.ids }}", as: one, concurrency: 3}
        when: "{{ one != 'x' }}"
        call: {get: "/x/{{ one }}"}
        keep: data
    result: {at: all}
"""


def busy(made, fails=frozenset(), slow=0.001):
    """Make the provider note how many requests it has at a time, and fail those whose URL ends in one of `fails`."""
    now = []

    async def answers(request):
        now.append(request)
        made.most = max(getattr(made, "most", 0), len(now))
        try:
            await asyncio.sleep(slow)
            made.ended = getattr(made, "ended", 0) + 1
        finally:
            now.remove(request)
        name = request.url.rpartition("/")[2]
        return ProviderRejected("", code="BOOKING_CONFLICT") if name in fails else {"data": name}

    made.answers = answers


async def test_fan_out(club):
    """One call for each element that is wanted, so many at once and no more, the answers in the order of the list."""
    made = club(EACH)
    busy(made)
    reply = await made.run("native.each", ids=[*"abcdefghij", "x"])
    assert [{"one": name, "body": name} for name in "abcdefghij"] == reply.data
    assert (3, 10) == (made.most, len(made.requests))


async def test_fan_out_of_nothing(club):
    """An empty list is no call."""
    made = club(EACH)
    assert ([], []) == ((await made.run("native.each", ids=[])).data, made.requests)


async def test_fan_out_fails(club):
    """The first failure ends the call: what is under way is cancelled and what waits is never sent."""
    made = club(EACH)
    busy(made, fails={"b"}, slow=0.01)
    with pytest.raises(ProviderRejected):
        await made.run("native.each", ids=list("abcdefghij"))
    await asyncio.sleep(0.02)
    assert len(made.requests) < 7
    assert made.ended < 5


NESTED = """
native:
  nested:
    safe: true
    args: {tree: {type: object, required: true}}
    steps:
      - name: all
        for_each: {in: [{name: hall, at: "args.tree.halls", when: "{{ hall.open }}"}, {name: court, at: courts}]}
        call: {get: "/h/{{ hall.id }}/{{ court }}", query: {now: {$optional: "{{ args.tree.now }}"}}}
    result: {at: "all[].{h: hall.id, c: court}"}
"""


async def test_named_levels(club):
    """Named levels give one call for each innermost element, with its parents by name; conditions see them."""
    made = club(NESTED, {}, {})
    halls = [{"id": "1", "open": True, "courts": ["a", "b"]}, {"id": "2", "open": False, "courts": ["c"]}]
    reply = await made.run("native.nested", tree={"halls": halls, "now": 5})
    assert [{"h": "1", "c": "a"}, {"h": "1", "c": "b"}] == reply.data
    assert ["GET /h/1/a?now=5", "GET /h/1/b?now=5"] == made.sent


# Steps.

STEPS = """
native:
  steps:
    args: {id: {type: string, required: true}, want: {type: string}}
    vars: {upper: "{{ upper(args.id) }}"}
    steps:
      - {name: first, call: {get: "/first/{{ upper }}"}, ignore_errors: [NOT_FOUND], keep: data.id}
      - {vars: {found: "{{ first is not none }}"}}
      - refuse:
          - when: "{{ not found and args.want is defined }}"
            is: INVALID_SERVICE
            message: Nothing is there.
            details: {id: "{{ args.id }}"}
      - {name: second, when: "{{ found }}", call: {post: "/second/{{ first }}"}}
      - {vars: {late: "{{ first }}"}, when: "{{ found }}"}
      - {name: told, compute: {id: "{{ first }}", second: "{{ second }}", late: "{{ late }}"}}
    result: {at: told}
"""


async def test_steps(club):
    """Steps run in order and see what was taken and captured before them."""
    made = club(STEPS, {"data": {"id": 5}}, {"ok": 1})
    assert {"id": 5, "second": {"ok": 1}, "late": 5} == (await made.run("native.steps", id="a")).data
    assert ["GET /first/A", "POST /second/5"] == made.sent


async def test_accepted_error(club, answered):
    """An accepted error gives null and the operation goes on; a step that is not wanted gives null as well."""
    made = club(STEPS, answered({}, 404))
    assert {"id": None, "second": None, "late": None} == (await made.run("native.steps", id="a")).data
    with pytest.raises(GatewayError):
        await club(STEPS, answered({}, 409)).run("native.steps", id="a")


async def test_guard(club, answered):
    """A guard that holds ends the operation with its code, message and details."""
    made = club(STEPS, answered({}, 404))
    with pytest.raises(GatewayError, match=r"Nothing is there\.") as caught:
        await made.run("native.steps", id="a", want="b")
    assert ("INVALID_SERVICE", {"id": "a"}, 1) == (caught.value.code, caught.value.details, len(made.requests))
    assert caught.value.origin.startswith("example.yaml:")


PLACES = """
operations:
  locations.list: {call: {get: /places}, result: {rows: data, record: place}}
  locations.get:
    steps:
      - refuse: [{when: "{{ args.id == '' }}", is: NOT_FOUND, message: no}]
      - {name: all, run: locations.list, with: {}, keep: "[0]"}
    result: {step: all}
"""


async def test_gives_a_step(club):
    """`gives: step` answers with what the operation run by a step gave."""
    made = club(PLACES, {"data": [{"id": 4, "name": "a"}, {"id": 5, "name": "b"}]})
    assert "4" == (await made.run("locations.get", id="9")).data["id"]


@pytest.mark.parametrize(
    ("body", "kind"),
    [({"data": 5}, AnswerMismatch), ({"data": [5]}, AnswerMismatch), ({}, AnswerMismatch)],
)
async def test_answers_that_do_not_fit(club, body, kind):
    """Rows that are none, and rows of the wrong form, are a mismatch that names its line."""
    with pytest.raises(kind, match=r"^example\.yaml:\d+: ") as caught:
        await club(PLACES, body).run("locations.list")
    assert "PROVIDER_ERROR" == caught.value.code


MISFIT = """
native:
  misfit:
    safe: true
    args: {x: {type: list, required: true}}
    steps:
      - {name: all, call: {get: /x, query: {x: "{{ length(args.x) }}"}}, %s}
    result: {at: all}
"""


@pytest.mark.parametrize(
    ("step", "kind"),
    [
        ("keep: 'lower(data)'", AnswerMismatch),
        ("when: '{{ args.x[0] }}'", MappingFault),
        ("when: '{{ [true][1] }}'", MappingFault),
        ("for_each: {in: '{{ now }}', as: one}", MappingFault),
        ("for_each: {in: [{name: one, at: args.x}, {name: two, at: three}]}", AnswerMismatch),
    ],
)
async def test_steps_that_cannot_be_done(club, step, kind):
    """What cannot be evaluated is told by its line, as the provider's doing or the mapping's."""
    with pytest.raises(kind, match=r"^example\.yaml:\d+: "):
        await club(MISFIT % step, {"data": 5}).run("native.misfit", x=[1])
