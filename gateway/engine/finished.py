"""An error as callers may see it: the provider named, and nothing secret in it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import PurePath

from gateway.engine.catalog import Connection
from gateway.values.errors import (
    AnswerMismatch,
    GatewayError,
    OutcomeUnknown,
    ProviderRedirected,
    ProviderRejected,
    ProviderUnauthorised,
    ProviderUnavailable,
)
from gateway.values.messages import Json

_OF_PROVIDERS = (
    AnswerMismatch,
    OutcomeUnknown,
    ProviderRedirected,
    ProviderRejected,
    ProviderUnauthorised,
    ProviderUnavailable,
)
"""Errors that name the provider, whether or not it said anything."""
_LONGEST_WORDS = 500
"""Characters of what a provider says that callers are shown."""


def finished_error(error: GatewayError, connection: Connection, mask: Callable[[str], str]) -> GatewayError:
    """Give an error as callers may see it: the provider named, and no secret even where the provider echoed one."""
    words = {key: mask(str(text))[:_LONGEST_WORDS] for key, text in error.provider.items()}
    if words or isinstance(error, _OF_PROVIDERS):
        words = {"name": connection.provider.name} | words
    folder = f"{PurePath(connection.provider.file).parent}/"

    def shown(text: str) -> str:
        return mask(text).replace(folder, "")  # where the operator keeps a mapping is nobody's business

    return error.copy_with(detail=shown(error.detail), details=_hide(error.details, shown), provider=words)


def _hide(value: Json, mask: Callable[[str], str]) -> Json:
    """JSON with every text in it masked: details may repeat what a provider said."""
    if isinstance(value, dict):
        return {key: _hide(inner, mask) for key, inner in value.items()}
    if isinstance(value, list):
        return [_hide(inner, mask) for inner in value]
    return mask(value) if isinstance(value, str) else value
