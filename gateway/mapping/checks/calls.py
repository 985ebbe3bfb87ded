"""Whether any call of an operation can be answered: what every call needs is not refused. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from gateway.mapping.compiler.context import Context
from gateway.mapping.language.operations import Operation as OperationPart
from gateway.model.model import Operation


def check_possible(
    context: Context, operation: Operation, node: OperationPart, parts: Mapping[str, frozenset[str]]
) -> None:
    """Some call can satisfy an operation: it is not refused for what the contract, or the mapping itself, asks for."""
    refused = {name for name in node.unsupported or () if name in operation.args}
    place = node.place
    where = (*place, "unsupported")
    for name in sorted(refused):
        argument = operation.args[name]
        if argument.required and argument.default is None:
            message = f"every call of {operation.name} gives `{name}`, so none is answered: honour it"
            context.report((*where, name), "unsatisfiable", message, key=True)
    for group in operation.rules.one_of:
        if set(group) <= refused:
            names = " or ".join(f"`{name}`" for name in group)
            message = f"every call of {operation.name} gives {names}, so none is answered: honour one of them"
            context.report((*where, group[-1]), "unsatisfiable", message, key=True)
    needed = {name.partition(".")[0] for name in node.requires or ()}
    for name in sorted(needed & refused):
        message = f"`{name}` is required here and refused under `unsupported:`: keep one of the two"
        context.report((*place, "requires"), "unsatisfiable", message)
    made = {part for name, of in parts.items() if name not in refused for part in of}
    for group in operation.rules.not_both:
        if set(group) <= needed - made:
            names = " and ".join(f"`{name}`" for name in group)
            message = f"no call of {operation.name} may give both {names}: require one of them"
            context.report((*place, "requires"), "unsatisfiable", message)
