"""The sandbox as an integrator's test suite uses it."""

from homeroom.testing.sandbox import SandboxClient as Sandbox

__all__ = ["Sandbox"]
