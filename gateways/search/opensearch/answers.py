"""The answers of OpenSearch, of which only what is used is read."""

import re
from collections.abc import Mapping, Sequence

from pydantic import BaseModel, ConfigDict, Field

KIND = re.compile("[a-z_]{1,100}")


class EngineAnswer(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore", populate_by_name=True)


class Acknowledged(EngineAnswer):
    acknowledged: bool = True


class EngineVersion(EngineAnswer):
    number: str
    distribution: str = ""


class Banner(EngineAnswer):
    """What a server says of itself."""

    version: EngineVersion


class ErrorKind(EngineAnswer):
    type: str = ""


class EngineError(EngineAnswer):
    error: ErrorKind | str = ""

    @property
    def kind(self) -> str:
        """The engine's name of the error; empty where it is none of its names."""
        kind = self.error.type if isinstance(self.error, ErrorKind) else ""
        return kind if KIND.fullmatch(kind) else ""


class Shards(EngineAnswer):
    failed: int = 0


class FoundDocument(EngineAnswer):
    sort: tuple[float | int, ...] = ()


class Total(EngineAnswer):
    value: int = 0


class FoundDocuments(EngineAnswer):
    total: Total = Total()
    hits: tuple[FoundDocument, ...] = ()


class Bucket(EngineAnswer):
    key: str = ""
    doc_count: int


class Aggregation(EngineAnswer):
    """Values with their documents, or the least or greatest number."""

    buckets: tuple[Bucket, ...] | Mapping[str, Bucket] = ()
    value: float | None = None


class SearchAnswer(EngineAnswer):
    timed_out: bool = False
    shards: Shards = Field(Shards(), alias="_shards")
    hits: FoundDocuments = FoundDocuments()
    aggregations: Mapping[str, Aggregation] = {}


class PositionSource(EngineAnswer):
    position: str | None = None


class PositionAnswer(EngineAnswer):
    """The document that says up to where an index follows the database."""

    index: str = Field(alias="_index")
    source: PositionSource = Field(PositionSource(), alias="_source")


class LeaseSource(EngineAnswer):
    holder: str = ""
    term: int = 0


class LeaseAnswer(EngineAnswer):
    """Who writes, and the number of this version of the document."""

    sequence: int = Field(alias="_seq_no")
    primary_term: int = Field(alias="_primary_term")
    source: LeaseSource = Field(LeaseSource(), alias="_source")


class WrittenAnswer(EngineAnswer):
    sequence: int = Field(0, alias="_seq_no")
    primary_term: int = Field(0, alias="_primary_term")


class BulkItem(EngineAnswer):
    id: str = Field("", alias="_id")
    status: int
    error: ErrorKind | None = None


class BulkAnswer(EngineAnswer):
    errors: bool
    items: Sequence[Mapping[str, BulkItem]] = ()


class IndexNames(EngineAnswer):
    """Names of indexes, whatever is said of each."""

    model_config = ConfigDict(frozen=True, extra="allow")

    @property
    def names(self) -> list[str]:
        return sorted(self.model_extra or {})
