"""`gateway schema`: JSON Schema of what people write, for editors and other tools."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Mapping
from typing import Final

from gateway.config.keys import SCHEMA
from gateway.documents.json_schema import Schema, schema_of_part, schema_of_rules
from gateway.examples.parts import ExamplesFile
from gateway.mapping.codecs import CODECS
from gateway.mapping.language.file import File
from gateway.model.model import Model, load

HELP = "Print the JSON Schema (draft 2020-12) of mappings, of examples, or of the configuration."
EXAMPLES = """examples:
  gateway schema mapping > mapping.schema.json
  gateway schema examples > examples.schema.json
  gateway schema configuration > config.schema.json

An editor with a YAML language server takes it from the first line of a file:
  # yaml-language-server: $schema=./mapping.schema.json
A schema knows shapes and the contract's names; `gateway check` finds what they mean together."""


def configure(parser: argparse.ArgumentParser) -> None:
    """Describe the verb."""
    parser.add_argument("subject", choices=sorted(_SUBJECTS), help="what is described")


def run(arguments: argparse.Namespace) -> int:
    """Print one schema."""
    print(json.dumps(_SUBJECTS[arguments.subject](), indent=2, ensure_ascii=False))
    return 0


def _mapping() -> Schema:
    return schema_of_part(File.part, "A mapping of the booking gateway", _names(load()))


def _examples() -> Schema:
    return schema_of_part(ExamplesFile.part, "Golden examples of a mapping of the booking gateway", _names(load()))


def _configuration() -> Schema:
    return schema_of_rules(SCHEMA, "The configuration of the booking gateway")


def _names(model: Model) -> dict[str, list[str]]:
    """Give the names of the contract and of the language, by kind."""
    return {
        "operation": list(model.operations),
        "error": list(model.errors),
        "resource": list(model.resources),
        "request": list(model.requests),
        "codec": list(CODECS),
    }


_SUBJECTS: Final[Mapping[str, Callable[[], Schema]]] = {
    "mapping": _mapping,
    "examples": _examples,
    "configuration": _configuration,
}
