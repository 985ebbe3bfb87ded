"""What an operation gives, compiled: what records read of the answer, or what another operation gives."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from gateway.documents.parts import Node
from gateway.documents.yaml import Place, suggestion
from gateway.mapping.checks.type_checks import check_tree
from gateway.mapping.compiler.context import CALL, Context
from gateway.mapping.compiler.operations.runs import compile_run
from gateway.mapping.compiler.records.rows import RowsRequirement, compile_one, compile_rows
from gateway.mapping.compiler.scene import Scene
from gateway.mapping.language import results as written
from gateway.mapping.language.operations import Outcome
from gateway.mapping.nodes.calls import FoundResult, ReadResult, Result, RowsPlan, RunStep, Step, StepResult
from gateway.model.model import Operation

_ALWAYS = frozenset({"args", "settings", "window"})
"""Names that paths of a result see whatever its steps are."""
_SEVERAL = 2
_FORMS = {
    "one": "`{at: …, record: …}` for the one object",
    "list": "`{rows: …, record: …}` for the list",
}


def compile_result(
    scene: Scene, inner: Scene, operation: Operation, body: Outcome, steps: tuple[Step, ...]
) -> Result | None:
    """Compile the result of a body; `scene` is that before its steps, `inner` that behind them."""
    resource = _check_given(scene.context, operation, body)
    node = body.result
    if node is None or (isinstance(node, Node) and not node.sound):
        return None
    match node:
        case written.RunResult():
            _check_other(scene.context, operation, node.run, operation.gives, node.place)
            return compile_run(inner, node.run, node.with_, node.place)
        case written.StepResult():
            return _compile_step(inner, operation, node, body, steps)
        case written.FindResult():
            return _compile_find(inner, operation, node)
    roots = _ALWAYS | (inner.names - scene.names) | (scene.names - CALL)
    wanted = RowsRequirement(resource, None if body.call is not None else roots, inner.names)
    if isinstance(node, list):
        return ReadResult(tuple(_compile_list(scene.context, operation, node, (*body.place, "result"), wanted)))
    _check_kind(scene.context, operation, node)
    found = _compile_source(scene.context, node, wanted)
    return ReadResult((found,) if found is not None else ())


def _check_given(context: Context, operation: Operation, body: Outcome) -> str:
    """What the contract promises is given, and nothing else; gives the name of its resource, empty for none."""
    place, resource = body.place, operation.resource
    if resource is None:
        for key in ("result", "set"):
            if key in body:
                context.report((*place, key), "wrong-result", f"{operation.name} gives nothing", key=True)
        return ""
    if body.result is None:
        message = f"{operation.name} gives {resource.name}: write `result:`, such as {_FORMS[operation.gives]}"
        context.report(place, "result-missing", message)
    for name, tree in (body.set or {}).items():
        where = (*place, "set", name)
        if name not in resource.fields:
            message = f"{resource.name} has no field `{name}`{suggestion(name, resource.fields)}"
            context.report(where, "unknown-field", message, key=True)
        else:
            check_tree(context, resource.fields[name], tree, where)
    return resource.name


def _check_kind(context: Context, operation: Operation, node: written.Source) -> None:
    """One object is given where the contract promises one, and a list where it promises one."""
    one = isinstance(node, written.ObjectResult)
    if operation.resource is not None and one != (operation.gives == "one"):
        key = "at" if one else "rows"
        context.report((*node.place, key), "wrong-result", f"write {_FORMS[operation.gives]}", key=True)


def _compile_list(
    context: Context, operation: Operation, nodes: Sequence[Node], place: Place, wanted: RowsRequirement
) -> Iterator[RowsPlan]:
    """Compile several sources of one list."""
    if len(nodes) < _SEVERAL:
        context.report(place, "wrong-result", "a list has several sources: write the only one without it")
    elif operation.resource is not None and operation.gives == "one":
        context.report(place, "wrong-result", f"write {_FORMS['one']}", key=True)
    for node in nodes:
        if not isinstance(node, written.ObjectResult | written.RowsResult):
            message = "a list has sources alone: each has `rows` or `at`, and the `record` that reads it"
            context.report(node.place, "wrong-result", message)
        elif node.sound and (found := _compile_source(context, node, wanted)) is not None:
            yield found


def _compile_source(context: Context, node: written.Source, wanted: RowsRequirement) -> RowsPlan | None:
    if isinstance(node, written.ObjectResult):
        return compile_one(context, node, wanted)
    return compile_rows(context, node, wanted)


def _compile_step(
    scene: Scene, operation: Operation, node: written.StepResult, body: Outcome, steps: tuple[Step, ...]
) -> StepResult:
    """The step is there, and has run an operation that gives the same, once."""
    context, name = scene.context, node.step
    context.reads.roots.add(name)
    if name not in scene.names:
        message = f"`{name}` is no step here{suggestion(name, scene.names)}"
        context.report((*node.place, "step"), "unknown-name", message)
    elif body.steps is None or len(steps) == len(body.steps):  # else the step itself may be what is wrong
        step = next((one for one in steps if name in one.names), None)
        run = context.model.operations.get(step.run.operation) if isinstance(step, RunStep) else None
        if run is None or run.resource != operation.resource or (isinstance(step, RunStep) and step.fan_out):
            message = f"the step `{name}` runs no operation that gives what {operation.name} gives"
            context.report(node.place, "wrong-result", message)
    return StepResult(name)


def _compile_find(scene: Scene, operation: Operation, node: written.FindResult) -> FoundResult:
    """What is looked in is a list of the same, and there is an id to look for."""
    context, where = scene.context, (*node.place, "find")
    if node.find not in scene.operations:
        context.report(where, "unknown-operation", scene.not_mapped(node.find))
    _check_other(context, operation, node.find, "list", where)
    if "id" not in operation.args:
        context.report(where, "wrong-result", f"{operation.name} has no id to look for", key=True)
    return FoundResult(node.find)


def _check_other(context: Context, operation: Operation, name: str, kind: str, place: Place) -> None:
    """An operation whose result is taken gives the same."""
    other = context.model.operations.get(name)
    if other is not None and (other.gives != kind or other.resource != operation.resource):
        context.report(place, "wrong-result", f"`{name}` does not give what {operation.name} gives")
