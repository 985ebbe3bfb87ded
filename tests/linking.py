"""A link as settings, which tests change where they look."""

from gateway.config import CustomerSettings, LinkSettings, PolicySettings


def link_settings(**changed):
    """Give a link from `market` to `club` with the defaults of the configuration, and no facility yet."""
    usual = {"name": "link", "peer": "market", "club": "club", "center_id": "WYZ", "time_zone": None}
    usual |= {"slot_duration": None, "horizon_days": 14, "interval": 120.0, "debounce": 2.0, "facilities": ()}
    usual |= {"grid": None, "customer": CustomerSettings(), "policy": PolicySettings()}
    return LinkSettings(**usual | changed)
