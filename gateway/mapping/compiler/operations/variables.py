"""Taken values of an operation, compiled: a name for a template, written by a codec if there is one."""

from __future__ import annotations

from gateway.documents.yaml import Place
from gateway.mapping.checks.type_checks import check_taken
from gateway.mapping.codecs import Codec
from gateway.mapping.compiler.context import RESERVED
from gateway.mapping.compiler.scene import Scene
from gateway.mapping.expressions import Literal
from gateway.mapping.language.steps import Variable as Part
from gateway.mapping.nodes.calls import Variable
from gateway.values.messages import Json


def compile_variables(scene: Scene, nodes: Json, place: Place) -> tuple[Variable, ...]:
    """Compile variables in order: one may use those above it."""
    context, variables = scene.context, []
    for name, node in nodes.items():
        where = (*place, name)
        if name in RESERVED | scene.names or not name.isidentifier():
            context.report(where, "reserved-name", f"`{name}` cannot be the name of a variable", key=True)
            continue
        written = context.read(Part, node, where)
        if not written.sound:
            continue
        value = context.template(written.from_, where, scene.names)
        codec = context.codec(written.as_, (*where, "as")) if written.as_ is not None else None
        if codec is not None and codec.encode is None:
            context.report((*where, "as"), "not-invertible", f"codec {codec.name} is one-way: it cannot write")
        elif codec is not None:
            codec = check_taken(context, scene.arguments, written.from_, codec, (*where, "as"))
        if isinstance(value, Literal):
            context.report(where, "not-a-template", "a variable is a template")
        elif value is not None:
            if context.given is not None and value.whole:
                context.given = context.given.with_variables(name, value.holes[0].tree, encoded=codec is not None)
            refused = _refusal(scene, codec) if codec is not None else None
            variables.append(Variable(name, value, codec, refused, context.origin(where)))
            scene = scene.knowing(name)
    return tuple(variables)


def _refusal(scene: Scene, codec: Codec) -> str | None:
    """What it means when a codec cannot write a variable: nothing of that id, a time that cannot be, bad input."""
    if codec.parts is not None:
        return scene.not_found
    return "INVALID_TIME" if codec.gives in {"instant", "date", "clock"} else "VALIDATION_ERROR"
