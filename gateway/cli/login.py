"""`gateway login`: a person logs in at a provider, for a connection whose mapping says that a person must."""

from __future__ import annotations

import argparse
import asyncio
import logging
import sys
import webbrowser

from gateway import config
from gateway.application import Ambient, open_engine, open_vault
from gateway.cli import options, serve
from gateway.config import Settings
from gateway.engine.catalog import Catalog
from gateway.engine.sessions.logins import MINUTES, Logins
from gateway.engine.sessions.vaults import StoreVault
from gateway.store.migrations import StoreTooNewError
from gateway.store.sessions import tokens
from gateway.values.errors import GatewayError, StoreUnavailable

HELP = """Print the address at which a person logs in at the provider. The provider sends the browser back to the
running gateway, at /oauth/callback of its `public_url`, which keeps what renews the session, encrypted with
`state_key`."""
EXAMPLES = """examples:
  gateway login club-c
  gateway login club-c --open            open the address in a browser of this machine
  gateway login club-c --scheme admin    for one of the mapping's `auth_schemes`
  gateway login --forget                 forget all sessions, where the `state_key` is lost

exit codes: 0 the login is begun, 1 it cannot be, 2 wrong usage"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Describe the verb."""
    parser.add_argument("connection", nargs="?", metavar="CONNECTION")
    parser.add_argument("--scheme", default="", metavar="NAME", help="one of the mapping's `auth_schemes`")
    parser.add_argument("--open", action="store_true", help="open the address in a browser of this machine")
    parser.add_argument("--forget", action="store_true", help="forget what is kept of all sessions, and begin no login")
    options.add_config(parser)


def run(arguments: argparse.Namespace) -> int:
    """Begin a login; 1 when the configuration or the connection does not allow it."""
    if (arguments.connection is None) != arguments.forget:
        print("gateway login: name a connection, or say --forget", file=sys.stderr)
        return 2
    loaded = options.load(arguments.config, config.environment())
    if loaded is None:
        return 1
    settings, catalog = loaded
    if not options.reaches_store(settings) or not _keeps(settings):
        return 1
    serve.start_logging(settings, catalog, sys.stderr, level=logging.CRITICAL)  # what is printed tells it all
    try:
        return asyncio.run(_forget(settings) if arguments.forget else _login(settings, catalog, arguments))
    except (StoreUnavailable, StoreTooNewError) as error:
        print(f"`store` cannot be used: {error}", file=sys.stderr)
    except GatewayError as error:
        print(error.detail, file=sys.stderr)
    return 1


def _keeps(settings: Settings) -> bool:
    """Tell whether a session can be kept; if not, say why to standard error."""
    if not settings.state_keys:
        print("say `state_key` in the configuration: without it nothing is kept of a login", file=sys.stderr)
    return bool(settings.state_keys)


async def _login(settings: Settings, catalog: Catalog, arguments: argparse.Namespace) -> int:
    ambient = Ambient()
    async with open_vault(settings, ambient) as vault, open_engine(settings, catalog, ambient, vault=vault) as engine:
        agreements = engine.agreements(arguments.connection)
        agreement = agreements.get(arguments.scheme)
        if agreement is None or not isinstance(vault, StoreVault):
            known = ", ".join(f"--scheme {name}" for name in agreements if name)
            print(f"nobody logs in there{f': try {known}' if known else ''}", file=sys.stderr)
            return 1
        if not settings.public_url:
            print("say `public_url` in the configuration: the provider sends the browser back there", file=sys.stderr)
            return 1
        logins = Logins(vault.database, vault.sealer, vault.now, vault.random, settings.public_url)
        address = await logins.begin(agreement, arguments.connection, arguments.scheme)
    print(address)
    told = f"Open this address within {MINUTES} minutes. The provider must know the redirect URI"
    print(f"{told} {settings.public_url}/oauth/callback, and the gateway must run.", file=sys.stderr)
    if arguments.open:
        webbrowser.open(address)
    return 0


async def _forget(settings: Settings) -> int:
    async with open_vault(settings, Ambient(), opens=False) as vault:
        if not isinstance(vault, StoreVault):
            return 1
        gone = await vault.database.write(tokens.forget)
    print(f"{gone} {'session' if gone == 1 else 'sessions'} forgotten")
    return 0
