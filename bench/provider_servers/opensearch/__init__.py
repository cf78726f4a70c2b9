"""OpenSearch's REST API, as far as a shop uses it."""
