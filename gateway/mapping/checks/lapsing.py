"""Which fields of what an operation gives are there only now and then: where one is left out, it has no value. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from gateway.mapping.nodes.calls import FoundResult, OperationPlan, RunPlan, RunStep, StepResult, VariantPlan
from gateway.mapping.nodes.trees import RecordPlan


def lapsing(operations: Mapping[str, OperationPlan], name: str) -> frozenset[str]:
    """Give the fields that every record of an operation reads, but only where a `when:` holds.

    Where an object of the operation lacks one, its value of before is over: a field that a source cannot tell at all,
    or that a sparse row leaves out, is another matter, and is not among these. `operations` are those of a connection.
    """
    found = [record.lapsing for record in _records(operations, name, frozenset())]
    return frozenset.intersection(*found) if found else frozenset()


def _records(operations: Mapping[str, OperationPlan], name: str, above: frozenset[str]) -> Iterator[RecordPlan]:
    """Give the records that read what an operation gives, also where it is another operation's."""
    plan = operations.get(name)
    if plan is None or name in above:
        return
    for variant in plan.variants:
        yield from (rows.record for rows in variant.rows)
        inner = _given_by(variant)
        if inner is not None:
            yield from _records(operations, inner, above | {name})


def _given_by(variant: VariantPlan) -> str | None:
    """Name the operation that gives a variant's result, if it is not read here."""
    result = variant.result
    if isinstance(result, FoundResult | RunPlan):
        return result.operation
    if not isinstance(result, StepResult):
        return None
    runs = (step for step in variant.steps if isinstance(step, RunStep) and step.name == result.step)
    return next((step.run.operation for step in runs), None)
