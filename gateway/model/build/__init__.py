"""Documents → the model: the door of what makes one."""

from gateway.model.build.contract import ModelBroken, build

__all__ = ["ModelBroken", "build"]
