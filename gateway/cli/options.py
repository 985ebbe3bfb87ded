"""What several verbs share: the options that say which files, and loading them with every finding printed."""

from __future__ import annotations

import argparse
import asyncio
import logging
import signal
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from gateway import config
from gateway.config import IN_MEMORY, Settings
from gateway.documents.finding_kinds import ERROR
from gateway.documents.yaml import Finding, read, show
from gateway.engine import catalog
from gateway.engine.catalog import Catalog
from gateway.links.checks import check_links
from gateway.mapping.nodes.provider import ProviderPlan
from gateway.model.model import load as load_model

CONFIG = Path("config.yaml")
MAPPINGS = Path("mappings")
_LAST_PORT = 65_535


def add_config(parser: argparse.ArgumentParser) -> None:
    """Add `--config`."""
    parser.add_argument("--config", type=Path, default=CONFIG, metavar="FILE", help=f"configuration (default {CONFIG})")


def add_mappings(parser: argparse.ArgumentParser) -> None:
    """Add `--mappings`, for verbs that need no configuration."""
    parser.add_argument(
        "--mappings", type=Path, action="append", metavar="PATH", help=f"folder or file (default {MAPPINGS})"
    )


def load(path: Path, environ: Mapping[str, str]) -> tuple[Settings, Catalog] | None:
    """Load configuration and mappings; with errors, print every finding to standard error and give None."""
    settings, findings = config.load(path, environ)
    paths = mapping_paths(path) if settings is None else settings.mappings
    found, more = catalog.load(paths, settings, load_model())
    links = [] if settings is None or found is None else link_findings(settings, found)
    tell(_of_use(findings + more + links))
    if settings is None or found is None or any(one.level == ERROR for one in links):
        return None
    return settings, found


def reaches_store(settings: Settings) -> bool:
    """Tell whether a running gateway's store can be opened from here; if not, say why to standard error."""
    if settings.store != IN_MEMORY:
        return True
    told = (
        "`store: sqlite://` is in the memory of the running gateway, and cannot be opened from here: name a file or a"
    )
    print(f"{told} PostgreSQL database", file=sys.stderr)
    return False


def link_findings(settings: Settings, catalog: Catalog) -> list[Finding]:
    """Check the links of a configuration, sending nothing."""
    if not settings.links:
        return []
    with quiet():
        return asyncio.run(check_links(settings, catalog, load_model(), datetime.now(UTC)))


@contextmanager
def quiet() -> Iterator[None]:
    """Log nothing meanwhile: what is tried out and fails is told as a finding."""
    logging.disable()
    try:
        yield
    finally:
        logging.disable(logging.NOTSET)


def mapping_paths(path: Path) -> list[Path]:
    """Where a configuration that is refused says its mappings are, so that they are checked in the same run."""
    document, _ = read(path)
    if document is None or not isinstance(document.data, dict):
        return []
    given = document.data.get("mappings", [str(MAPPINGS)])
    return [path.parent / text for text in given if isinstance(text, str)] if isinstance(given, list) else []


def port(text: str) -> int:
    """Read a port for argparse, which says where the number is wrong."""
    if not text.isascii() or not text.isdigit() or int(text) > _LAST_PORT:
        raise argparse.ArgumentTypeError(f"a port is a number from 0 to {_LAST_PORT}")
    return int(text)


def load_mappings(paths: list[Path] | None) -> Mapping[str, ProviderPlan] | None:
    """Compile mappings without a configuration; with errors, print every finding and give None."""
    providers, findings = catalog.load_providers(paths or [MAPPINGS], load_model())
    tell(_of_use(findings))
    return None if any(finding.level == ERROR for finding in findings) else providers


def _of_use(findings: list[Finding]) -> list[Finding]:
    """Leave out what only says how far a mapping has come: `check` tells it."""
    return [finding for finding in findings if finding.code != "operations-left"]


def provider(providers: Mapping[str, ProviderPlan], name: str) -> ProviderPlan | None:
    """Find a provider by name; otherwise say which there are."""
    plan = providers.get(name)
    if plan is None:
        print(f"there is no provider `{name}`; the mappings describe {', '.join(sorted(providers))}", file=sys.stderr)
    return plan


def stop_event() -> asyncio.Event:
    """Give an event of the running loop that SIGTERM, SIGINT and SIGHUP set, which would end the process there."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        loop.add_signal_handler(number, stop.set)
    return stop


def tell(findings: list[Finding]) -> None:
    """Print findings to standard error."""
    if findings:
        print(show(findings, "text"), file=sys.stderr)
