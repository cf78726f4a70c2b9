"""The answers of OpenSearch, of which only what is used is read."""

import re
from collections.abc import Mapping, Sequence

from pydantic import BaseModel, ConfigDict, Field

KIND = re.compile("[a-z_]{1,100}")


class Answer(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore", populate_by_name=True)


class Acknowledged(Answer):
    acknowledged: bool = True


class EngineVersion(Answer):
    number: str
    distribution: str = ""


class Banner(Answer):
    """What a server says of itself."""

    version: EngineVersion


class ErrorKind(Answer):
    type: str = ""


class ErrorAnswer(Answer):
    error: ErrorKind | str = ""

    @property
    def kind(self) -> str:
        """The engine's name of the error; empty where it is none of its names."""
        kind = self.error.type if isinstance(self.error, ErrorKind) else ""
        return kind if KIND.fullmatch(kind) else ""


class Shards(Answer):
    failed: int = 0


class FoundDocument(Answer):
    sort: tuple[float | int, ...] = ()


class Total(Answer):
    value: int = 0


class FoundDocuments(Answer):
    total: Total = Total()
    hits: tuple[FoundDocument, ...] = ()


class Bucket(Answer):
    key: str = ""
    doc_count: int


class Aggregation(Answer):
    """Values with their documents, or the least or greatest number."""

    buckets: tuple[Bucket, ...] | Mapping[str, Bucket] = ()
    value: float | None = None


class SearchAnswer(Answer):
    timed_out: bool = False
    shards: Shards = Field(Shards(), alias="_shards")
    hits: FoundDocuments = FoundDocuments()
    aggregations: Mapping[str, Aggregation] = {}


class PositionSource(Answer):
    position: str | None = None


class PositionAnswer(Answer):
    """The document that says up to where an index follows the database."""

    index: str = Field(alias="_index")
    source: PositionSource = Field(PositionSource(), alias="_source")


class LeaseSource(Answer):
    holder: str = ""
    term: int = 0


class LeaseAnswer(Answer):
    """Who writes, and the number of this version of the document."""

    sequence: int = Field(alias="_seq_no")
    primary_term: int = Field(alias="_primary_term")
    source: LeaseSource = Field(LeaseSource(), alias="_source")


class WrittenAnswer(Answer):
    sequence: int = Field(0, alias="_seq_no")
    primary_term: int = Field(0, alias="_primary_term")


class BulkItem(Answer):
    id: str = Field("", alias="_id")
    status: int
    error: ErrorKind | None = None


class BulkAnswer(Answer):
    errors: bool
    items: Sequence[Mapping[str, BulkItem]] = ()


class IndexNames(Answer):
    """Names of indexes, whatever is said of each."""

    model_config = ConfigDict(frozen=True, extra="allow")

    @property
    def names(self) -> list[str]:
        return sorted(self.model_extra or {})
