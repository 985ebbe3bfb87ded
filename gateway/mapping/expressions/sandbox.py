"""Jinja2 cut down to expressions: items are looked up, operators take the kinds they are meant for, words are called.

There are no attributes, methods, globals, statements or loops. No message holds a value.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from copy import deepcopy
from threading import Lock
from typing import Any, Final

from jinja2 import StrictUndefined, Template, Undefined, nodes
from jinja2.runtime import Context
from jinja2.sandbox import ImmutableSandboxedEnvironment

from gateway.mapping.expressions.functions import FUNCTIONS
from gateway.mapping.expressions.functions.kind import MAX_TEXT, ExpressionFailed, Function
from gateway.mapping.expressions.sizes import check_length, check_whole
from gateway.mapping.expressions.types import KINDS, kind_of
from gateway.values.messages import Json
from gateway.values.truth import MISSING

_RESULT: Final = "_expression_result"
_MAKING: Final = Lock()


class _Absent(StrictUndefined):
    """A value that was looked up in vain: any use but `default` and `is defined` raises, telling its name alone."""

    __slots__ = ()

    def __init__(self, hint: str | None = None, obj: object = None, name: str | None = None, **_: Any) -> None:
        del obj  # kept out of reach, so that no message can show it
        super().__init__(hint=name or hint)


class _Sandbox(ImmutableSandboxedEnvironment):
    """Jinja2 cut down to expressions: item look-up alone, operators on the kinds they are meant for, no globals."""

    intercepted_binops = frozenset({"+", "-", "*", "/", "//", "%"})

    def __init__(self) -> None:
        super().__init__(undefined=_Absent, keep_trailing_newline=True)
        self.globals = {}
        self.filters = {name: _filter(function) for name, function in FUNCTIONS.items()}
        self.tests = {name: kind.holds for name, kind in KINDS.items()} | {
            "defined": lambda value: not isinstance(value, Undefined),
            "none": lambda value: value is None,
        }

    def getattr(self, obj: Any, attribute: str) -> Any:
        """Look up a key that the template spells out; it is named when missing."""
        return self._looked_up(obj, attribute, f"`{attribute}`")

    def getitem(self, obj: Any, argument: Any) -> Any:
        """Look up a key that was computed; it may be a value, so it is not named."""
        return self._looked_up(obj, argument, "an element looked up by its key")

    def _looked_up(self, held: Any, key: Any, name: str) -> Any:
        if isinstance(held, Undefined):
            return held
        if isinstance(key, Undefined):
            str(key)  # raises, with its name
        found = look_up(held, key)
        return self.undefined(name=name) if found is MISSING else found

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:
        """Calculate with numbers; `+` also joins two texts or two lists."""
        del context
        for side in (left, right):
            if isinstance(side, Undefined):
                str(side)  # raises, with its name
        fits = KINDS["number"].holds(left) and KINDS["number"].holds(right)
        if not fits and not (operator == "+" and type(left) is type(right) and isinstance(left, str | list)):
            raise ExpressionFailed(f"`{operator}` does not take {kind_of(left)} and {kind_of(right)}")
        if isinstance(left, list):
            check_length(len(left) + len(right))
        result = self.binop_table[operator](left, right)
        if fits:
            check_whole(result)
        elif isinstance(result, str) and len(result) > MAX_TEXT:
            raise ExpressionFailed(f"`+` gives more than {MAX_TEXT} characters")
        return result


def _filter(function: Function) -> Callable[..., Any]:
    """Make a word callable by Jinja2: a missing argument raises, what the word does not find is missing."""

    def call(*arguments: Any) -> Any:
        plain = []
        for argument in arguments:
            if isinstance(argument, Undefined):
                if not function.takes_missing:
                    str(argument)  # raises, with its name
                plain.append(MISSING)
            else:
                plain.append(argument)
        result = function(*plain)
        return _Absent(name=f"what `{function.name}` looks for") if result is MISSING else result

    return call


def look_up(held: Any, key: Any) -> Any:
    """Find an element of an object or list; in null, and where there is none, everything is MISSING."""
    if held is None:
        return MISSING
    if isinstance(held, Mapping) and isinstance(key, str):
        return held.get(key, MISSING)
    if isinstance(held, list) and KINDS["integer"].holds(key):
        return held[key] if -len(held) <= key < len(held) else MISSING
    raise ExpressionFailed(f"{kind_of(held)} has no elements to look up by {kind_of(key)}")


SANDBOX: Final = _Sandbox()


class Program:
    """An expression that Jinja2 runs. It is checked already; its code is made when it is used for the first time.

    Making code takes half of the time in which mappings load, and a process uses few of their expressions.
    """

    __slots__ = ("_template", "_tree")

    def __init__(self, tree: nodes.Expr) -> None:
        self._tree = tree
        self._template: Template | None = None

    def run(self, scope: Mapping[str, Json]) -> Any:
        """Evaluate with the names in `scope`."""
        template = self._template or self._make()
        context = Context(SANDBOX, dict(scope), None, {})  # as new_context does, without looking for globals
        for _ in template.root_render_func(context):
            raise AssertionError("an expression writes nothing")
        return context.vars[_RESULT]

    def _make(self) -> Template:
        with _MAKING:
            if self._template is None:
                tree = deepcopy(self._tree)  # Jinja2 changes the tree that it is given, and others read this one
                tree.set_environment(SANDBOX)
                assignment = nodes.Assign(nodes.Name(_RESULT, "store"), tree, lineno=1)
                self._template = SANDBOX.from_string(nodes.Template([assignment], lineno=1))
            return self._template
