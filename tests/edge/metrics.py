"""Reading the metrics of a shop under test."""

from collections.abc import Iterator

from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.samples import Sample


class Scrape:
    """The samples of one scrape."""

    def __init__(self, text: str) -> None:
        self.text = text
        families = list(text_string_to_metric_families(text))
        self.samples: list[Sample] = [sample for family in families for sample in family.samples]
        self.families = {family.name: family.type for family in families}

    def find(self, name: str, **labels: str) -> Iterator[Sample]:
        """Yield the samples with this name and at least these labels."""
        for sample in self.samples:
            if sample.name == name and labels.items() <= sample.labels.items():
                yield sample

    def value(self, name: str, **labels: str) -> float:
        """The sum of the samples with this name and at least these labels."""
        return sum(sample.value for sample in self.find(name, **labels))

    def labels(self, name: str, label: str) -> set[str]:
        return {sample.labels[label] for sample in self.find(name)}
