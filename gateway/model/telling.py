"""Which code of the contract an error is told by. A provider's 401 or 403 never passes for the caller's own."""

from __future__ import annotations

from http import HTTPStatus
from typing import Final

from gateway.model.contract import ErrorCode, Model
from gateway.values.errors import CallerRefused, GatewayError, ProviderUnauthorised

_CALLERS_OWN: Final = frozenset({HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN})


def code_of(error: GatewayError, model: Model) -> ErrorCode:
    """Give the code by which an error is told. One that the contract does not know is a defect and raises KeyError."""
    told = model.errors[error.code]
    if told.status in _CALLERS_OWN and not isinstance(error, CallerRefused):
        return model.errors[ProviderUnauthorised.CODE]
    return told
