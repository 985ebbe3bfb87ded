"""The table of codecs, and how a specification becomes a codec. Codecs know values, never fields or providers.

A codec is a declaration (`CodecKind`) in the `KINDS` of a file beside this one, and stands in nothing else: it is found
there, and its law, samples and options are what the reference, `gateway explain` and the tests of laws are made from.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from gateway.documents.yaml import suggestion
from gateway.mapping.codecs.kind import (
    Codec,
    CodecInvalid,
    CodecKind,
    CodecRefused,
    CodecUnsupported,
    Option,
    Specification,
)
from gateway.mapping.discovery import declared
from gateway.mapping.expressions import Literal, Template
from gateway.values.messages import Json

__all__ = [
    "CODECS",
    "Codec",
    "CodecInvalid",
    "CodecKind",
    "CodecRefused",
    "CodecUnsupported",
    "Option",
    "compile_codec",
]


def _declare() -> dict[str, CodecKind]:
    """Find the codecs of this room by name. Raises ValueError for a name that is declared twice."""
    found: dict[str, CodecKind] = {}
    for kind in declared(__name__, __path__, CodecKind):
        if kind.name in found:
            raise ValueError(f"the codec `{kind.name}` is declared twice")
        found[kind.name] = kind
    return found


CODECS: Final[Mapping[str, CodecKind]] = _declare()


def compile_codec(spec: Json, named: Mapping[str, Codec], template: Callable[[str], Template | Literal]) -> Codec:
    """Make a codec of its name, or of an object with its name and options; raises CodecInvalid.

    `named` are the mapping's own codecs; `template` compiles an option that is a template (ExpressionInvalid becomes
    CodecInvalid).
    """
    if isinstance(spec, str) and spec in named:
        return named[spec]
    kind, main, options = _take(spec, named)
    place = (kind.name,) if kind.within and options else ()
    allowed = [option.name for option in kind.options]
    for name in options:
        if name not in allowed:
            raise CodecInvalid(f"`{name}` is no option of {kind.name}{suggestion(name, allowed)}", (*place, name))
    for option in kind.options:
        if option.required and option.name not in options:
            raise CodecInvalid(f"{kind.name} needs `{option.name}`", place)
        if option.name in options:
            option.check(options[option.name], (*place, option.name))
    if kind.main and main is None:
        raise CodecInvalid(f"{kind.name} takes {kind.main}: {{{kind.name}: …}}")
    return kind.build(
        Specification(
            kind.name, main, options, kind.within, template, lambda inner: compile_codec(inner, named, template)
        )
    )


def _take(spec: Json, named: Mapping[str, Codec]) -> tuple[CodecKind, Json, dict[str, Json]]:
    """Find the kind, what stands after its name, and its options."""
    if isinstance(spec, str):
        if spec not in CODECS:
            raise CodecInvalid(f"there is no codec `{spec}`{suggestion(spec, [*CODECS, *named])}")
        return CODECS[spec], None, {}
    if not isinstance(spec, dict) or not spec:
        raise CodecInvalid("a codec is a name, or an object such as {enum: {…}}")
    kinds = [key for key in spec if key in CODECS]
    if not kinds:
        first = next(iter(spec))
        raise CodecInvalid(f"there is no codec `{first}`{suggestion(first, CODECS)}", (first,))
    if len(kinds) > 1:
        raise CodecInvalid(f"one codec at a time: `{kinds[0]}` or `{kinds[1]}`", (kinds[1],))
    kind = CODECS[kinds[0]]
    main = spec[kind.name]
    beside = {key: value for key, value in spec.items() if key != kind.name}
    if not kind.within:
        if not kind.main:
            raise CodecInvalid(f"{kind.name} stands alone, as a name", (kind.name,))
        return kind, main, beside
    if beside or not isinstance(main, dict):
        raise CodecInvalid(f"the options of {kind.name} stand inside: {{{kind.name}: {{…}}}}", (kind.name,))
    return kind, None, main
