"""The index of shops that run OpenSearch: over HTTP, by its REST API (https://docs.opensearch.org)."""

from gateways.search.opensearch.api import SearchApi
from gateways.search.opensearch.index import OpenSearchIndex

__all__ = ["OpenSearchIndex", "SearchApi"]
