"""Addresses of printed documents: signed, and good for a short time only."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum

from gateways.secrets import sign_message, verify_signature

DOCUMENTS_PATH = "/documents/"
MESSAGE = "document:"
"""Stands before what is signed, so that the signature of nothing else is one of an address."""
TOKEN = re.compile(
    r"(?P<kind>[A-Z_]{1,20})\.(?P<format>[A-Z]{1,10})\.(?P<row>[0-9]{1,18})\.(?P<reader>[0-9]{1,18})"
    r"\.(?P<expires>[0-9]{1,12})\.(?P<signature>[0-9a-f]{64})"
)


class DocumentKind(StrEnum):
    """What is printed."""

    LABEL = "LABEL"
    """The label of a parcel that the shop makes."""
    CARRIER_LABEL = "CARRIER_LABEL"
    """The label of a parcel that its carrier gave."""
    PACKING_SLIP = "PACKING_SLIP"
    """What lies in a parcel."""
    PICK_LIST = "PICK_LIST"
    """What a wave picks."""


class DocumentFormat(StrEnum):
    """How a document is made."""

    PDF = "PDF"
    """A file to print."""
    HTML = "HTML"
    """A page to print."""


KINDS = frozenset(kind.value for kind in DocumentKind)
FORMATS = frozenset(format_.value for format_ in DocumentFormat)


@dataclass(frozen=True, slots=True)
class DocumentLink:
    """Which document of which row an address opens, for whom it was made, and until when."""

    kind: DocumentKind
    format: DocumentFormat
    row_id: int
    reader_id: int
    expires_at: datetime


def write_document_path(key: str, link: DocumentLink) -> str:
    """The path of a document, with what it opens and a signature."""
    expires = int(link.expires_at.timestamp())
    content = f"{link.kind}.{link.format}.{link.row_id}.{link.reader_id}.{expires}"
    return f"{DOCUMENTS_PATH}{content}.{sign_message(key, f'{MESSAGE}{content}'.encode())}"


def read_document_token(keys: Sequence[str], token: str, *, now: datetime) -> DocumentLink | None:
    """What a token opens; None for one that is not ours, and for one that has expired."""
    found = TOKEN.fullmatch(token)
    if found is None or found["kind"] not in KINDS or found["format"] not in FORMATS:
        return None
    message = f"{MESSAGE}{token.rpartition('.')[0]}".encode()
    if not any(verify_signature(key, message, found["signature"]) for key in keys):
        return None
    expires_at = datetime.fromtimestamp(int(found["expires"]), UTC)
    if expires_at <= now:
        return None
    kind, format_ = DocumentKind(found["kind"]), DocumentFormat(found["format"])
    return DocumentLink(kind, format_, int(found["row"]), int(found["reader"]), expires_at)
