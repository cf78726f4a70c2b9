"""What partners say is kept without secrets and people's data."""

import re

from text.characters import clean_text

REASON_LIMIT = 300
"""Characters kept of what a partner says."""
INSTEAD = "…"

NO_REFERENCE_LENGTH = 33
"""References have at most 32 characters; longer runs without a space are keys, signatures and codes."""
WITHHELD = re.compile(
    r"\b[a-z][a-z0-9+.-]*:/\S+"  # addresses of pages and codes to scan
    r"|\S+@\S+"  # e-mail addresses
    r"|\b(?:sk|pk|rk|whsec)_\w+|\w+_secret_\w*"  # keys and client secrets of Stripe
    r"|\b\d{1,3}(?:\.\d{1,3}){3}\b"  # network addresses
    r"|(?<![\w-])\+?\d(?:[ -]?\d){10,}(?![\w-])"  # telephone and card numbers
    rf"|[A-Za-z0-9+/=_%*-]{{{NO_REFERENCE_LENGTH},}}",
    re.IGNORECASE,
)


def withhold_secrets(text: str) -> str:
    """The words of a partner in one line, without addresses, keys and numbers of people, up to a limit."""
    words = " ".join(clean_text(text).split())
    return WITHHELD.sub(INSTEAD, words)[:REASON_LIMIT]
