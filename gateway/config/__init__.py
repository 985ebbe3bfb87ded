"""The gateway's own settings: file, environment, defaults → frozen Settings."""

from gateway.config.keys import ADMIN, SCHEMA
from gateway.config.load import environment, load
from gateway.config.settings import (
    Caller,
    ConnectionSettings,
    DeliverySettings,
    Listen,
    Network,
    RetentionSettings,
    Settings,
    WatchSettings,
    WebhookSettings,
)

__all__ = [
    "ADMIN",
    "SCHEMA",
    "Caller",
    "ConnectionSettings",
    "DeliverySettings",
    "Listen",
    "Network",
    "RetentionSettings",
    "Settings",
    "WatchSettings",
    "WebhookSettings",
    "environment",
    "load",
]
