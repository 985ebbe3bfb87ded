"""Generated code gives what the evaluator gives: the same value or the same error, of whatever is changed."""

import random
from functools import partial

import pytest

from gateway.mapping.expressions import ExpressionFailed
from gateway.mapping.expressions.probes import Probe, probed
from gateway.mapping.generated.binding import reader
from gateway.mapping.generated.paths import find
from gateway.mapping.generated.running import build, render
from gateway.mapping.nodes.calls import GENERATED
from tests import shipped
from tests.mapping.generated.mutations import outcome
from tests.mapping.generated.played import evaluated, looked_up, mutated, spread

RUNS = {
    "records": lambda record, row, scope: reader(record, scope)(row, scope),
    "trees": lambda tree, _row, scope: build(tree, scope),
    "templates": lambda template, _row, scope: render(template, scope),
}
CHANGES = {"records": (10, 120), "trees": (4, 25), "templates": (4, 25)}
"""Inputs of each node of the hundreds that are alike, and changes of each of them."""


def told(run):
    """Give what comes of a run, where expressions may fail as well."""
    try:
        return outcome(run)
    except ExpressionFailed as failed:
        return type(failed).__name__, str(failed)


def differs(kind, node, row, scope):
    """Tell in which the two executions differ, None where they do not. Under a probe the evaluator is alone at work."""
    code = told(lambda: RUNS[kind](node, row, scope))
    with probed(Probe()):
        meant = told(lambda: RUNS[kind](node, row, scope))
    return None if code == meant else (getattr(node, "name", node), row, code, meant)


@pytest.mark.parametrize("kind", CHANGES)
@pytest.mark.parametrize("provider", shipped.FILES)
def test_examples(provider, kind):
    """What golden examples hold is evaluated as the evaluator does it, and what has a value never makes code stop."""
    found = [one for (of, _), some in evaluated(provider).items() if of == kind for one in some]
    stopped = []
    for node, row, scope in found:
        code = scope[GENERATED]
        before = sum(code.stops.values())
        assert differs(kind, node, row, scope) is None
        if sum(code.stops.values()) > before and told(lambda n=node, r=row, s=scope: RUNS[kind](n, r, s))[0] == "value":
            stopped.append(getattr(node, "name", node))
    assert len(stopped) <= len(found) * 0.01, stopped[:5]


@pytest.mark.timeout(240)
@pytest.mark.parametrize("kind", CHANGES)
@pytest.mark.parametrize("provider", shipped.FILES)
def test_changed_inputs(provider, kind):
    """Whatever is changed in a row, or in the names around a node, both give the same value or the same error."""
    rng, wrong = random.Random(provider), []
    inputs, changes = CHANGES[kind]
    for (of, _), some in evaluated(provider).items():
        for node, row, scope in spread(some, inputs) if of == kind else ():
            for _ in range(changes):
                one = differs(kind, node, *mutated(row, scope, rng))
                if one is not None:
                    wrong.append(one)
    assert [] == wrong[:3], len(wrong)


@pytest.mark.timeout(240)
@pytest.mark.parametrize("provider", shipped.FILES)
def test_paths(provider):
    """Every path finds what JMESPath finds, in what the examples hold and in that with anything changed."""
    rng, wrong = random.Random(provider), []
    for some in looked_up(provider).values():
        for path, data in spread(some, 3):
            for number in range(40):
                changed = mutated(data, {}, rng)[0] if number and data is not None else data
                code, meant = told(partial(find, path, changed)), told(partial(path.read, changed))
                if code != meant:
                    wrong.append((path.text, changed, code, meant))
    assert [] == wrong[:3], len(wrong)
