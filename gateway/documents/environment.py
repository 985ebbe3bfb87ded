"""`${NAME}` in a configuration → the variable NAME, or what the file holds that NAME_FILE names.

Which variables there are is given: the environment is not read here. No message holds a value, for it may be a secret.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from gateway.documents.yaml import Document, Finding, Place
from gateway.values.messages import Json

_NAMED = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")
_MAX_BYTES = 64 * 1024


class _NoValueError(Exception):
    """A variable that gives no value; the message says why and what to do."""


def resolve(value: Json, place: Place, document: Document, environ: Mapping[str, str], findings: list[Finding]) -> Json:
    """Copy `value` with its variables put in; one that gives no value stays as written and is a Finding."""
    if isinstance(value, dict):
        return {key: resolve(inner, (*place, key), document, environ, findings) for key, inner in value.items()}
    if isinstance(value, list):
        return [resolve(inner, (*place, at), document, environ, findings) for at, inner in enumerate(value)]
    if not isinstance(value, str) or "${" not in value:
        return value
    try:
        return _variable(value, environ)
    except _NoValueError as error:
        findings.append(document.finding(place, "bad-variable", str(error)))
        return value


def _variable(text: str, environ: Mapping[str, str]) -> str:
    """Give the value of `${NAME}`: the variable NAME, or what the file holds that NAME_FILE names."""
    whole = _NAMED.fullmatch(text)
    if whole is None:
        raise _NoValueError("a variable must be the whole value, as in `${NAME}`")
    name = whole[1]
    value, file = environ.get(name), environ.get(f"{name}_FILE")
    if value is not None and file is not None:
        raise _NoValueError(f"both {name} and {name}_FILE are set; unset one of them")
    if file is not None:
        value = _hold(Path(file), f"{name}_FILE")
    if value is None:
        raise _NoValueError(f"{name} is not set; set it, or set {name}_FILE to the path of a file that holds it")
    if not value:
        raise _NoValueError(f"{name} is empty; give it a value")
    if not value.isprintable():  # also what the operating system could not decode
        raise _NoValueError(f"{name} holds characters that cannot be printed, perhaps a line break")
    return value


def _hold(path: Path, variable: str) -> str:
    """Read a variable's value from a file; one line break at the end is not part of it."""
    try:
        with path.open("rb") as file:
            content = file.read(_MAX_BYTES + 1)
        if len(content) > _MAX_BYTES:
            raise _NoValueError(f"the file that {variable} names is larger than {_MAX_BYTES} bytes")
        return content.decode().removesuffix("\n").removesuffix("\r")
    except OSError as error:
        raise _NoValueError(f"the file that {variable} names cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise _NoValueError(f"the file that {variable} names is not UTF-8 text") from None
