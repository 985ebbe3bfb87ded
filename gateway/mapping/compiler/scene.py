"""Where the compilation of an operation stands: what it is, and which names are known by then."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches

from gateway.documents.yaml import suggestion
from gateway.mapping.compiler.context import OWN, Context
from gateway.mapping.compiler.http.calls import Http
from gateway.mapping.nodes.calls import Variable
from gateway.model.types.types import Field
from gateway.values.messages import Effect


@dataclass(frozen=True, slots=True)
class Scene:
    """Where a compilation stands: the operation, its effect, what it may call, and the names known so far."""

    context: Context
    http: Http
    effect: Effect
    operations: frozenset[str]
    names: frozenset[str]
    not_found: str | None
    arguments: Mapping[str, Field]
    """The arguments of a canonical operation, none of a native one."""
    own: frozenset[str] = OWN
    """Names of values that are this call's alone."""

    def not_mapped(self, name: str) -> str:
        """Say that the mapping has no operation of this name, and which is meant where it is misspelt here or there."""
        known = self.context.model.operations
        if name not in known:
            hint = suggestion(name, self.operations & known.keys()) or suggestion(name, known)
            return f"`{name}` is not mapped here{hint}"
        near = get_close_matches(name, self.operations - known.keys(), n=1)
        meant = f", where `{near[0]}` may be a slip for it" if near else ""
        return f"`{name}` is not mapped here: map it under `operations:`{meant}"

    def knowing(self, *names: str) -> Scene:
        """The same scene with more names known."""
        return replace(self, names=self.names | set(names))

    def with_variables(self, variables: Sequence[Variable]) -> Scene:
        """The same scene with what was taken known; what is made of the call's own ids is its own."""
        own = set(self.own)
        for one in variables:
            if any(use[0] in own for use in one.value.uses):
                own.add(one.name)
        return replace(self.knowing(*(one.name for one in variables)), own=frozenset(own))
