"""Documents → the model: the door of what makes one."""

from gateway.model.build.builder import ModelBroken
from gateway.model.build.contract import build
from gateway.model.build.gateway import build_gateway

__all__ = ["ModelBroken", "build", "build_gateway"]
