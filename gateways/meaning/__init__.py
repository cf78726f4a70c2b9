"""The meaning of sentences: texts that say the same are near each other, whatever their words."""

from gateways.meaning.protocol import ArticleSentences, MeaningIndex, Nearest
from gateways.meaning.registry import connect_meaning

__all__ = ["ArticleSentences", "MeaningIndex", "Nearest", "connect_meaning"]
