"""The index of this machine: Tantivy."""

from gateways.search.embedded.index import EmbeddedIndex

__all__ = ["EmbeddedIndex"]
