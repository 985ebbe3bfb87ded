"""What a function of the language is, and how expressions fail. No function is defined here.

Each function declares its parameters and their types; a call with the wrong kinds is refused, never coerced. No
message here or in any function holds a value.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

from gateway.computation.budget import spend
from gateway.mapping.expressions.patterns import PatternRefused, compile_pattern
from gateway.mapping.expressions.types import KINDS, ValueType, kind_of, value_type
from gateway.model.types.times import TimeRefused
from gateway.values.messages import Json

MAX_TEXT: Final = 100_000
"""Characters a function or a template may give. Reads of longer values are no concern of it, only what is made."""


_LIGHT: Final = 16
"""Elements that a function looks at in the time of one step."""


class ExpressionInvalid(Exception):
    """The text of a path or template is refused at load; `offset` counts characters from its beginning."""

    def __init__(self, message: str, offset: int = 0) -> None:
        super().__init__(message)
        self.message = message
        self.offset = offset


class ExpressionFailed(Exception):
    """A path or template cannot be evaluated with the values at hand."""


class SegmentRefused(ExpressionFailed):
    """A value cannot stand in the path of a URL: it is empty, made of dots, or holds control characters."""


class ValueMissing(ExpressionFailed):
    """A value the expression needs is not there; `name` is as the mapping spells it."""

    def __init__(self, name: str) -> None:
        super().__init__(f"{name} is missing")
        self.name = name


TEMPLATES: Final = "templates"
PATHS: Final = "paths"
BOTH: Final = frozenset({TEMPLATES, PATHS})


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter of a function, by position. Only the last may be `many` (one or more)."""

    name: str
    type: ValueType
    required: bool
    many: bool

    @property
    def kind(self) -> str:
        """The kind of its values, a key of KINDS."""
        return self.type.kind

    def __str__(self) -> str:
        return f"{self.name}: {self.type}{'' if self.required else '?'}{'…' if self.many else ''}"


@dataclass(frozen=True, slots=True, eq=False)
class Function:
    """A function of templates, written `name(a, b)` or `a | name(b)`, and of paths, written `name(a, b)`.

    `example` is an expression and `result` what it gives. Only a function that `signs` is shown the text of a secret.
    What is missing is null in a path, and a path can be given where a parameter is an `expression`.
    """

    name: str
    parameters: tuple[Parameter, ...]
    gives: ValueType
    meaning: str
    example: str
    result: Json
    call: Callable[..., Any]
    languages: frozenset[str]
    signs: bool
    _holds: tuple[Callable[[object], bool], ...] = field(init=False, repr=False)
    """The test of each parameter's values, by position."""

    def __post_init__(self) -> None:
        """Look the tests up once: functions are called for each row of an answer."""
        object.__setattr__(self, "_holds", tuple(KINDS[parameter.kind].holds for parameter in self.parameters))

    @property
    def signature(self) -> str:
        """The function as the reference shows it: `add_days(date: date, days: integer) → date`."""
        return f"{self.name}({', '.join(map(str, self.parameters))}) → {self.gives}"

    @property
    def takes_missing(self) -> bool:
        """Whether a missing value may be given, which every other function refuses."""
        return self.parameters[0].kind == "maybe"

    @property
    def least(self) -> int:
        """How many arguments there must be."""
        return sum(parameter.required for parameter in self.parameters)

    @property
    def most(self) -> int | None:
        """How many arguments there may be; None for any number."""
        return None if self.parameters[-1].many else len(self.parameters)

    def parameter(self, index: int) -> Parameter:
        """Give the parameter that an argument is for, by position."""
        return self.parameters[min(index, len(self.parameters) - 1)]

    def refuses(self, count: int) -> str | None:
        """Say what is wrong with that many arguments, or None."""
        if self.least <= count and (self.most is None or count <= self.most):
            return None
        return f"{count} given; it is {self.signature}"

    def __call__(self, *arguments: Any) -> Any:
        """Check the arguments' kinds and call; raises ExpressionFailed. MISSING says that nothing was found."""
        holds, last = self._holds, len(self._holds) - 1
        for index, argument in enumerate(arguments):
            if not holds[min(index, last)](argument):
                parameter = self.parameter(index)
                named = KINDS[parameter.kind].shown
                raise ExpressionFailed(f"`{self.name}` takes {named} as `{parameter.name}`, not {kind_of(argument)}")
            if isinstance(argument, list) and len(argument) >= _LIGHT:
                spend(len(argument) // _LIGHT)
        try:
            result = self.call(*arguments)
        except TimeRefused as refused:
            raise ExpressionFailed(f"`{self.name}` takes {refused}") from None
        if isinstance(result, str) and len(result) > MAX_TEXT:
            raise ExpressionFailed(f"`{self.name}` gives more than {MAX_TEXT} characters")
        return result


def function(
    parameters: str, gives: str, example: str, result: Json, *, only: str | None = None, signs: bool = False
) -> Callable[[Callable[..., Any]], Function]:
    """Declare a Python function as one of the language, by its name; the first line of its docstring is its meaning.

    `parameters` and `gives` are written as the reference shows them: `date: date, days: integer, zone: time_zone?,
    rest: text…`. It is there in templates and paths, unless `only` names one of them; a function that signs is in
    templates only, since no secret is in the data of a path. A trailing underscore keeps a name from shadowing one of
    Python's.
    """

    def declared(call: Callable[..., Any]) -> Function:
        meaning = (inspect.getdoc(call) or "").partition("\n")[0]
        languages = frozenset({TEMPLATES}) if signs else frozenset({only}) if only is not None else BOTH
        name = call.__name__.rstrip("_")
        return Function(
            name, _parameters(parameters), value_type(gives), meaning, example, result, call, languages, signs
        )

    return declared


def check_pattern(name: str, pattern: object) -> None:
    """Refuse what is no regular expression written out, or has two groups: raises ExpressionInvalid.

    What is written backslash and b in the quotes of a template is a backspace to Jinja2, and would never be found.
    """
    if not isinstance(pattern, str):
        raise ExpressionInvalid(f"`{name}` takes its pattern as a text, written out: it is checked when it is read")
    if any(ord(mark) < ord(" ") for mark in pattern):
        raise ExpressionInvalid(f"`{name}`: a control character; write `\\\\b` for the `\\b` of a pattern")
    try:
        groups = compile_pattern(pattern).groups
    except PatternRefused as refused:
        raise ExpressionInvalid(f"`{name}`: {refused}") from None
    if groups > 1:
        raise ExpressionInvalid(f"`{name}` gives one group: write the others as `(?:…)`")


def _parameters(text: str) -> tuple[Parameter, ...]:
    pairs = (part.partition(": ") for part in text.split(", "))
    return tuple(
        Parameter(name, value_type(kind.rstrip("?…")), required="?" not in kind, many="…" in kind)
        for name, _, kind in pairs
    )
