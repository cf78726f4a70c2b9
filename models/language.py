"""Tags of languages."""

import re

LANGUAGE_TAG = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8}){0,3}")
"""A language tag as clients and settings give it (RFC 5646, without extensions)."""
