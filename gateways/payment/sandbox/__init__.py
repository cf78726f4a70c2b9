"""The built-in sandbox provider: a pay page that settles, declines, delays and misreports on demand."""

from gateways.payment.sandbox.notices import NoticeFault
from gateways.payment.sandbox.provider import SandboxProvider

__all__ = ["NoticeFault", "SandboxProvider"]
