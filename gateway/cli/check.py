"""`gateway check`: everything that can be known to be wrong before anything runs."""

from __future__ import annotations

import argparse
from pathlib import Path

from gateway import catalog, config
from gateway.cli import options
from gateway.document import Finding, show
from gateway.examples import load_examples
from gateway.model.model import load as load_model
from gateway.simulator.script import compile_script

HELP = "Check mappings (and a configuration): every finding of every file, with its place and the fix."
EXAMPLES = """examples:
  gateway check                                the mappings in ./mappings
  gateway check mappings/PROVIDER.yaml       one file
  gateway check --config config.yaml --strict  the configuration and its mappings, warnings too
  gateway check --format github                as annotations of a GitHub workflow"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Describe the verb."""
    parser.add_argument("files", nargs="*", type=Path, metavar="FILE", help="mapping files or folders")
    parser.add_argument("--config", type=Path, metavar="FILE", help="check this configuration with its mappings")
    parser.add_argument("--strict", action="store_true", help="warnings fail too")
    parser.add_argument("--format", choices=("text", "json", "github"), default="text", help="how findings are written")


def run(arguments: argparse.Namespace) -> int:
    """Check; 1 when anything is wrong."""
    findings, files = _findings(arguments)
    failing = [finding for finding in findings if arguments.strict or finding.level == "error"]
    if findings or arguments.format == "json":
        print(show(findings, arguments.format))
    if arguments.format == "text":
        errors = sum(finding.level == "error" for finding in findings)
        print(f"{files} mappings checked: {errors} errors, {len(findings) - errors} warnings")
    return 1 if failing else 0


def _findings(arguments: argparse.Namespace) -> tuple[list[Finding], int]:
    model = load_model()
    findings: list[Finding] = []
    paths = list(arguments.files)
    if arguments.config is not None:
        settings, found = config.load(arguments.config, config.environment())
        findings += found
        if settings is not None:
            _, bound = catalog.load(settings.mappings, settings, model)
            findings += [one for one in bound if one.file == settings.document.path]
        paths += options.mapping_paths(arguments.config) if settings is None else settings.mappings
    elif not paths:
        paths = [options.MAPPINGS]
    files = {file.resolve(): file for file in catalog.mapping_files(paths, findings)}  # each once, however it is named
    providers, found = catalog.load_providers(list(files.values()), model)
    findings += found
    for plan in providers.values():
        examples, found = load_examples(plan)
        findings += found
        if examples is not None and examples.simulator is not None:
            findings += compile_script(examples.document, examples.simulator, plan.settings, model)[1]
    return findings, len(files)
