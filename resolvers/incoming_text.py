"""What is done with each text of an operation before its resolver sees it."""

from domain.incoming_text import normalize_incoming_text
from text.characters import normalize_password

__all__ = ["normalize_incoming_text", "normalize_password"]
