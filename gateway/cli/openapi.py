"""`gateway openapi`: the OpenAPI document, without starting anything."""

from __future__ import annotations

import argparse
import json
import sys

from gateway import config
from gateway.cli import options
from gateway.model.model import load as load_model
from gateway.surface.openapi.document import document
from gateway.values.errors import NotMapped

HELP = "Print the OpenAPI 3.1 document of the whole surface, or of one connection."
EXAMPLES = """examples:
  gateway openapi > openapi.json
  gateway openapi --config config.yaml club-a"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Describe the verb."""
    parser.add_argument("connection", nargs="?", metavar="CONNECTION", help="only what this connection supports")
    options.add_config(parser)


def run(arguments: argparse.Namespace) -> int:
    """Print the document."""
    loaded = options.load(arguments.config, config.environment())
    if loaded is None:
        return 1
    _, catalog = loaded
    try:
        described = document(load_model(), catalog, arguments.connection)
    except NotMapped as unknown:
        known = ", ".join(sorted(catalog.connections))
        print(f"{unknown.detail} The configuration has {known}.", file=sys.stderr)
        return 2
    print(json.dumps(described, indent=2, ensure_ascii=False))
    return 0
