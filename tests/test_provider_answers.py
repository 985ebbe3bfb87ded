"""Whatever a provider answers, a call ends in a reply that fits the contract or in an error of ours."""

import asyncio
import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.model.model import load
from gateway.values.errors import GatewayError
from gateway.values.messages import Response
from tests import shipped

SAMPLES = [
    "",
    "0",
    "1",
    "-1",
    "null",
    "2026-03-29",
    "2026-03-29 02:30",
    "23:59",
    "24:00",
    "08:30",
    "1e5",
    "\x00",
    "٣",
    "~",
]
LEAVES = (
    st.none()
    | st.booleans()
    | st.integers(-2, 2)
    | st.sampled_from([10**12, -(10**60), 10**99, 1.5, -0.0, 1e308, 5e-324])
    | st.sampled_from(SAMPLES)
    | st.text(max_size=4)
)
JSON = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3)
)
HEADERS = st.dictionaries(
    st.sampled_from(["retry-after", "date", "content-type", "x-a"]), st.text(max_size=8), max_size=2
)
FEW = settings(max_examples=30, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])


def calls(name):
    """Give the examples of a provider that ask it something."""
    return [one for one in shipped.played(name)[0].examples if one.operation != "login" and one.exchanges]


def fits(operation, data):
    """Assert that what a canonical operation gave is what the contract says of it, and plain JSON."""
    json.dumps(data, allow_nan=False).encode()
    model = load().operations.get(operation)
    if model is None:
        return
    assert isinstance(data, list) == (model.gives == "list")
    for one in data if model.gives == "list" else [data] * (model.gives == "one"):
        fields = model.resource.fields
        assert [] == [name for name in one if name not in fields]
        assert [] == [name for name, field in fields.items() if field.required and name not in one]
        assert one == {name: fields[name].accept(value) for name, value in one.items()}


def run(replayed, name, example, answers):
    """Run the call of an example against these answers; what comes out is checked, an error of ours is fine."""
    left = list(answers)

    async def send(request):
        return left.pop(0) if left else Response(404, {}, b"{}")

    async def ended():
        try:
            return await replayed(shipped.played(name)[0], example, send)
        except GatewayError as error:
            return error

    found = asyncio.run(ended())
    if isinstance(found, GatewayError):
        assert found.code in load().errors
        json.dumps([found.details, found.provider, found.detail])
    else:
        fits(example.operation, found.data)


@pytest.mark.parametrize("name", shipped.FILES)
@FEW
@given(data=st.data())
def test_changed_answers(name, data, replayed, changed):
    """Recorded answers that are changed anywhere are read or refused, and nothing else happens."""
    example = data.draw(st.sampled_from(calls(name)))
    spoilt = data.draw(st.integers(0, len(example.exchanges) - 1))
    answers = []
    for index, one in enumerate(example.exchanges):
        body = one.answer
        if index == spoilt:
            try:
                body = json.dumps(changed(data.draw, json.loads(body), LEAVES | JSON)).encode()
            except ValueError:
                body = data.draw(st.binary(max_size=20))
        answers.append(Response(one.status, one.answer_headers, body))
    run(replayed, name, example, answers)


@pytest.mark.parametrize("name", shipped.FILES)
@FEW
@given(data=st.data())
def test_any_answers(name, data, replayed):
    """Answers of any status, any headers and any JSON are read or refused, and nothing else happens."""
    example = data.draw(st.sampled_from(calls(name)))
    bodies = JSON.map(lambda value: json.dumps(value).encode()) | st.binary(max_size=8)
    answers = st.builds(
        Response, st.sampled_from([200, 201, 204, 301, 400, 401, 404, 409, 429, 500, 503]), HEADERS, bodies
    )
    run(replayed, name, example, data.draw(st.lists(answers, min_size=1, max_size=4)))
