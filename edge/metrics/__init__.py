"""The metrics of a process for Prometheus, on a port of their own."""

from edge.metrics.server import serving_metrics

__all__ = ["serving_metrics"]
