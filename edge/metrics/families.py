"""Making metric families of what a process has counted."""

from collections.abc import Iterable, Sequence
from math import inf

from prometheus_client import Metric
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily

from gateways.metrics import BUCKETS, CountedSeries, Durations, Labels, TimedSeries

Value = tuple[Labels, float]


def counter_of(name: str, text: str, labels: Sequence[str], values: Iterable[Value]) -> Metric:
    """A counter; its samples are named `..._total`."""
    family = CounterMetricFamily(name, text, labels=labels)
    for each, value in values:
        family.add_metric(each, value)
    return family


def gauge_of(name: str, text: str, labels: Sequence[str], values: Iterable[Value]) -> Metric:
    family = GaugeMetricFamily(name, text, labels=labels)
    for each, value in values:
        family.add_metric(each, value)
    return family


def histogram_of(
    name: str, text: str, labels: Sequence[str], values: Iterable[tuple[Labels, Durations]]
) -> Metric:
    """A histogram of durations in seconds."""
    family = HistogramMetricFamily(name, text, labels=labels)
    for each, durations in values:
        family.add_metric(each, cumulative_buckets(durations), durations.seconds)
    return family


def cumulative_buckets(durations: Durations) -> list[tuple[str, float]]:
    """Each upper bound with the number of durations up to it; the last bound is infinite."""
    buckets, total = [], 0
    for bound, count in zip((*BUCKETS, inf), list(durations.counts), strict=True):
        total += count
        buckets.append(("+Inf" if bound == inf else str(bound), float(total)))
    return buckets


def count_series(name: str, text: str, labels: Sequence[str], series: CountedSeries) -> Metric:
    return counter_of(name, text, labels, series.snapshot())


def time_series(name: str, text: str, labels: Sequence[str], series: TimedSeries) -> Metric:
    return histogram_of(name, text, [*labels, "outcome"], series.snapshot())
