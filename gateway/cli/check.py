"""`gateway check`: everything that can be known to be wrong before anything runs."""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TypeAlias

from gateway import config
from gateway.application import open_engine
from gateway.cli import options
from gateway.documents.finding_kinds import ERROR
from gateway.documents.yaml import Finding, read, show
from gateway.engine import catalog
from gateway.examples.coverage import PlayedExamples, play, unseen
from gateway.examples.files import load_examples
from gateway.examples.loss_report import LossReport, loss
from gateway.links.inventory import check_inventory
from gateway.mapping.nodes.provider import ProviderPlan
from gateway.model.model import Model
from gateway.model.model import load as load_model
from gateway.simulator.script import compile_script

HELP = "Check mappings (and a configuration): every finding of every file, with its place and the fix."
EXAMPLES = """examples:
  gateway check                                the mappings in ./mappings
  gateway check mappings/PROVIDER.yaml       one file
  gateway check --config config.yaml --strict  the configuration and its mappings, warnings too
  gateway check --config config.yaml --online  the clubs of links too: do they have such resources and services?
  gateway check --loss                         with what each provider tells and the mapping does not read
  gateway check --format github                as annotations of a GitHub workflow"""


_Compiled: TypeAlias = tuple[Mapping[str, ProviderPlan], Sequence[Finding]]
"""Mappings by provider, and what was found in them."""


def configure(parser: argparse.ArgumentParser) -> None:
    """Describe the verb."""
    parser.add_argument("files", nargs="*", type=Path, metavar="FILE", help="mapping files or folders")
    parser.add_argument("--config", type=Path, metavar="FILE", help="check this configuration with its mappings")
    parser.add_argument("--online", action="store_true", help="ask the clubs of links what they have; needs --config")
    parser.add_argument("--strict", action="store_true", help="warnings fail too")
    parser.add_argument("--loss", action="store_true", help="tell what mappings never read and never fill")
    parser.add_argument("--format", choices=("text", "json", "github"), default="text", help="how findings are written")


def run(arguments: argparse.Namespace) -> int:
    """Check; 1 when anything is wrong, 2 for what cannot be done together."""
    if arguments.loss and arguments.format == "github":
        print("a loss report is text or json", file=sys.stderr)
        return 2
    if arguments.online and arguments.config is None:
        print("--online asks the clubs of a configuration: name it with --config", file=sys.stderr)
        return 2
    model = load_model()
    findings: list[Finding] = []
    providers, files = _providers(arguments, model, findings)
    with options.quiet():  # an example that is to fail says so in the log as well
        played = asyncio.run(_play(providers.values(), model, findings))
    losses = [loss(one, model) for one in played] if arguments.loss else []
    _print(arguments, findings, losses)
    if arguments.format == "text":
        errors = sum(finding.level == ERROR for finding in findings)
        print(f"{files} mappings checked: {errors} errors, {len(findings) - errors} warnings")
    return 1 if any(arguments.strict or finding.level == ERROR for finding in findings) else 0


def _print(arguments: argparse.Namespace, findings: list[Finding], losses: list[LossReport]) -> None:
    """The findings and, if asked for, the losses; as JSON the losses make an object of both."""
    shown = show(findings, arguments.format)
    if arguments.format == "json" and arguments.loss:
        both = {"findings": json.loads(shown), "loss": [one.data() for one in losses]}
        print(json.dumps(both, ensure_ascii=False, indent=2))
        return
    if findings or arguments.format == "json":
        print(shown)
    for one in losses:
        print("\n".join(one.lines()))


def _providers(
    arguments: argparse.Namespace, model: Model, findings: list[Finding]
) -> tuple[Mapping[str, ProviderPlan], int]:
    """Compile what is asked for; the plans, and how many files there are."""
    paths = list(arguments.files)
    settings = None
    if arguments.config is not None:
        settings, found = config.load(arguments.config, config.environment())
        findings += found
        paths += options.mapping_paths(arguments.config) if settings is None else settings.mappings
    elif not paths:
        paths = [options.MAPPINGS]
    missing: list[Finding] = []
    files = {file.resolve(): file for file in catalog.mapping_files(paths, missing)}  # each once, however it is named
    providers, found = catalog.load_providers(list(files.values()), model)
    if arguments.config is not None:
        own = [] if settings is None else list(catalog.mapping_files(settings.mappings, []))
        compiled = (providers, found) if own == list(files.values()) and not missing else None
        findings += _bind(settings, model, compiled, online=arguments.online)
    findings += missing + found
    return providers, len(files)


def _bind(settings: config.Settings | None, model: Model, compiled: _Compiled | None, *, online: bool) -> list[Finding]:
    """What is wrong with a configuration that can be read, beside its mappings, which may be compiled already."""
    found: catalog.Catalog | None = None
    bound: list[Finding] = []
    if settings is not None:
        providers, told = compiled or catalog.load_providers(settings.mappings, model)
        found, bound = catalog.join(providers, told, settings, model)
    if settings is None or found is None:
        if online:
            print("no club is asked: the configuration or a mapping has errors", file=sys.stderr)
        return [one for one in bound if settings is not None and one.file == settings.document.path]
    findings = [one for one in bound if one.file == settings.document.path] + options.link_findings(settings, found)
    return findings + ([one for one in _online(settings, found) if one not in findings] if online else [])


def _online(settings: config.Settings, found: catalog.Catalog) -> list[Finding]:
    """Ask the clubs of links, telling on standard error how it goes."""

    async def asked() -> list[Finding]:
        async with open_engine(settings, found) as engine:
            clock = asyncio.get_running_loop().time
            return await check_inventory(settings, engine, clock, lambda line: print(line, file=sys.stderr, flush=True))

    with options.quiet():
        return asyncio.run(asked())


async def _play(plans: Iterable[ProviderPlan], model: Model, findings: list[Finding]) -> list[PlayedExamples]:
    """Play the examples of the mappings, adding what is found in them and by them."""
    played = []
    for plan in plans:
        examples, found = load_examples(plan)
        findings += found
        document, _ = read(Path(plan.file))
        if examples is None or document is None:
            continue
        if examples.simulator is not None:
            findings += compile_script(examples.document, examples.simulator, plan, model)[1]
        played.append(await play(document, plan, examples, model))
        findings += unseen(played[-1])
    return played
