"""What a word of the template language is, and how expressions fail. No word is defined here.

Each word declares its parameters and their kinds; a call with the wrong kinds is refused, never coerced. No message
here or in any word holds a value.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from gateway.effort import spend
from gateway.model.times import TimeRefused
from gateway.values.messages import Json
from gateway.values.secrets import Secret
from gateway.values.truth import MISSING

MAX_TEXT: Final = 100_000
"""Characters a word or a template may give. Reads of longer values are no concern of it, only what is made."""


_LIGHT: Final = 16
"""Elements that a word looks at in the time of one step."""


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


def _integer(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _text(value: object) -> bool:
    return isinstance(value, str)


KINDS: Final[Mapping[str, tuple[str, Callable[[object], bool]]]] = {
    "text": ("a text", _text),
    "integer": ("a whole number", _integer),
    "number": ("a number", lambda value: _integer(value) or isinstance(value, float)),
    "boolean": ("true or false", lambda value: isinstance(value, bool)),
    "list": ("a list", lambda value: isinstance(value, list)),
    "object": ("an object", lambda value: isinstance(value, dict)),
    "object_or_empty": ("an object", lambda value: isinstance(value, dict) or value == []),  # PHP writes {} as []
    "instant": ("an instant", _text),
    "date": ("a date", _text),
    "clock": ("a clock time", _text),
    "time_zone": ("a time zone", _text),
    "scalar": ("a text or a number", lambda value: isinstance(value, str | float) or _integer(value)),
    "piece": ("a text, a whole number or a secret", lambda value: isinstance(value, str | Secret) or _integer(value)),
    "any": ("a value", lambda value: value is not MISSING and not isinstance(value, Secret)),
    "maybe": ("a value or none", lambda value: not isinstance(value, Secret)),
}
"""Kinds of parameters and results: the name shown in messages, and the test."""


def kind_of(value: object) -> str:
    """Name the kind of a value for messages, which must not hold the value itself."""
    if value is None:
        return "null"
    for kind in ("text", "boolean", "number", "list", "object"):
        if KINDS[kind][1](value):
            return KINDS[kind][0]
    return "a secret" if isinstance(value, Secret) else "nothing JSON can hold"


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter of a word, by position. Only the last may be `many` (one or more); `kind` is a key of KINDS."""

    name: str
    kind: str
    required: bool
    many: bool

    def __str__(self) -> str:
        return f"{self.name}: {self.kind}{'' if self.required else '?'}{'…' if self.many else ''}"


@dataclass(frozen=True, slots=True)
class Function:
    """A word of the template language, written `word(a, b)` or `a | word(b)`.

    `example` is an expression and `result` what it gives. Only a word that `signs` is shown the text of a secret.
    """

    name: str
    parameters: tuple[Parameter, ...]
    gives: str
    meaning: str
    example: str
    result: Json
    call: Callable[..., Any]
    signs: bool = False

    @property
    def signature(self) -> str:
        """The word as the reference shows it: `add_days(date: date, days: integer) → date`."""
        return f"{self.name}({', '.join(map(str, self.parameters))}) → {self.gives}"

    @property
    def takes_missing(self) -> bool:
        """Whether a missing value may be given, which every other word refuses."""
        return self.parameters[0].kind == "maybe"

    def refuses(self, count: int) -> str | None:
        """Say what is wrong with that many arguments, or None."""
        least = sum(parameter.required for parameter in self.parameters)
        if least <= count and (count <= len(self.parameters) or self.parameters[-1].many):
            return None
        return f"{count} given; it is {self.signature}"

    def __call__(self, *arguments: Any) -> Any:
        """Check the arguments' kinds and call; raises ExpressionFailed. MISSING says that the word found nothing."""
        for index, argument in enumerate(arguments):
            parameter = self.parameters[min(index, len(self.parameters) - 1)]
            named, holds = KINDS[parameter.kind]
            if not holds(argument):
                raise ExpressionFailed(f"`{self.name}` takes {named} as `{parameter.name}`, not {kind_of(argument)}")
            if isinstance(argument, list):
                spend(len(argument) // _LIGHT)
        try:
            result = self.call(*arguments)
        except TimeRefused as refused:
            raise ExpressionFailed(f"`{self.name}` takes {refused}") from None
        if isinstance(result, str) and len(result) > MAX_TEXT:
            raise ExpressionFailed(f"`{self.name}` gives more than {MAX_TEXT} characters")
        return result


def word(
    parameters: str, gives: str, example: str, result: Json, *, signs: bool = False
) -> Callable[[Callable[..., Any]], Function]:
    """Make a Function of a Python function: its name and the first line of its docstring are the word's.

    `parameters` is written as the reference shows it: `date: date, days: integer, zone: time_zone?, rest: text…`.
    A trailing underscore keeps a name from shadowing Python's.
    """

    def made(call: Callable[..., Any]) -> Function:
        meaning = (inspect.getdoc(call) or "").partition("\n")[0]
        return Function(
            call.__name__.rstrip("_"), _parameters(parameters), gives, meaning, example, result, call, signs
        )

    return made


def _parameters(text: str) -> tuple[Parameter, ...]:
    pairs = (part.partition(": ") for part in text.split(", "))
    return tuple(
        Parameter(name, kind.rstrip("?…"), required="?" not in kind, many="…" in kind) for name, _, kind in pairs
    )
