"""The meaning of sentences: texts that say the same are near each other, whatever their words."""

from gateways.meaning.protocol import MeaningIndex
from gateways.meaning.registry import connect_meaning

__all__ = ["MeaningIndex", "connect_meaning"]
