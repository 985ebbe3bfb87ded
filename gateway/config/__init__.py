"""The gateway's own settings: file, environment, defaults → frozen Settings."""

from gateway.config.keys import ADMIN, SCHEMA
from gateway.config.keys_events import IN_MEMORY
from gateway.config.links import (
    CustomerSettings,
    FacilitySettings,
    GridSettings,
    LinkSettings,
    PolicySettings,
    PriceSettings,
)
from gateway.config.load import environment, load
from gateway.config.settings import (
    Caller,
    ConnectionSettings,
    DeliverySettings,
    Listen,
    Network,
    PollingSettings,
    RetentionSettings,
    Settings,
    WebhookSettings,
)

__all__ = [
    "ADMIN",
    "IN_MEMORY",
    "SCHEMA",
    "Caller",
    "ConnectionSettings",
    "CustomerSettings",
    "DeliverySettings",
    "FacilitySettings",
    "GridSettings",
    "LinkSettings",
    "Listen",
    "Network",
    "PolicySettings",
    "PollingSettings",
    "PriceSettings",
    "RetentionSettings",
    "Settings",
    "WebhookSettings",
    "environment",
    "load",
]
