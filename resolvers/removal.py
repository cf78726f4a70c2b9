"""What becomes of things that are removed, as clients see it."""

from domain.removal import RemovalOutcome

__all__ = ["RemovalOutcome"]
