"""What search indexes are told by the database: changes of products and articles."""

from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import DDL, BigInteger, Index, event, text
from sqlalchemy.orm import Mapped, mapped_column

from models.analytics import ProductSales
from models.base import Base, BigId, Id
from models.catalog import Attribute, AttributeValue, Category, Price, Product, ProductAttribute, Variant
from models.knowledge import Article
from models.stock import StockLevel, Warehouse


class IndexSubject(StrEnum):
    """What kind of row has changed in a way that search indexes show."""

    PRODUCT = "PRODUCT"
    VARIANT = "VARIANT"
    """Its product is indexed again."""
    CATEGORY = "CATEGORY"
    """The products in it and below it are indexed again."""
    ATTRIBUTE = "ATTRIBUTE"
    """The products that have it are indexed again."""
    WAREHOUSE = "WAREHOUSE"
    """The products with stock in it are indexed again."""
    ARTICLE = "ARTICLE"
    EVERYTHING = "EVERYTHING"
    """The indexes are built anew."""


class IndexChange(Base):
    """A change that search indexes have to show, noted by triggers in the transaction that makes it.

    This is the outbox of the indexes: each machine reads it from its own position on.
    """

    __tablename__ = "index_changes"
    __table_args__ = (
        Index(
            "ix_index_changes_transaction_id", "transaction_id", postgresql_where=text("transaction_id > 0")
        ),
    )

    id: Mapped[Id]
    subject: Mapped[IndexSubject]
    subject_id: Mapped[int] = mapped_column(BigId)
    transaction_id: Mapped[int] = mapped_column(BigInteger, default=0, server_default="0")
    """That of PostgreSQL, where a lower id may become visible after a higher one; 0 on SQLite."""


@dataclass(frozen=True, slots=True)
class WatchedTable:
    """A table whose changes are noted: those of `columns`, or all where there are none."""

    model: type[Base]
    subject: IndexSubject
    key: str
    columns: tuple[str, ...] = ()
    acts: tuple[str, ...] = ("INSERT", "UPDATE", "DELETE")
    value: str = ""
    """An expression over a row, such as whether it has stock: an update is noted only where it changes."""

    @property
    def table(self) -> str:
        name: str = self.model.__tablename__
        return name


UPDATED = ("UPDATE",)
"""Rows that are made before any product uses them, and removed after."""

WATCHED = (
    WatchedTable(
        Product,
        IndexSubject.PRODUCT,
        "id",
        (
            "title",
            "description",
            "brand",
            "product_type",
            "category_id",
            "status",
            "tags",
            "translations",
            "published_at",
        ),
    ),
    WatchedTable(
        Variant,
        IndexSubject.PRODUCT,
        "product_id",
        ("sku", "barcode", "options", "tracked", "sells_when_out", "archived_at"),
    ),
    WatchedTable(Price, IndexSubject.VARIANT, "variant_id", ("amount",)),
    WatchedTable(ProductAttribute, IndexSubject.PRODUCT, "product_id"),
    WatchedTable(Category, IndexSubject.CATEGORY, "id", ("name", "path", "translations"), UPDATED),
    WatchedTable(
        Attribute, IndexSubject.ATTRIBUTE, "id", ("code", "type", "filterable", "archived_at"), UPDATED
    ),
    WatchedTable(
        AttributeValue, IndexSubject.ATTRIBUTE, "attribute_id", ("code", "name", "translations"), UPDATED
    ),
    WatchedTable(StockLevel, IndexSubject.VARIANT, "variant_id", value="{row}.on_hand - {row}.reserved > 0"),
    WatchedTable(Warehouse, IndexSubject.WAREHOUSE, "id", ("active",), UPDATED),
    WatchedTable(ProductSales, IndexSubject.PRODUCT, "product_id", value="{row}.units * 64 + {row}.interest"),
    WatchedTable(
        Article,
        IndexSubject.ARTICLE,
        "id",
        ("title", "body", "category", "tags", "language", "status", "archived_at", "audience", "questions"),
    ),
)
"""Every table that indexes are made of; flash sales are looked up when somebody searches."""


def watch_statements(watched: WatchedTable, *, dialect: str) -> list[str]:
    """The triggers that note the changes of a table."""
    name, made = f"note_index_{watched.table}", []
    for act in watched.acts:
        row = "OLD" if act == "DELETE" else "NEW"
        of = f" OF {', '.join(watched.columns)}" if act == "UPDATE" and watched.columns else ""
        condition = ""
        if act == "UPDATE" and watched.value:
            before, after = watched.value.format(row="OLD"), watched.value.format(row="NEW")
            condition = f" WHEN (({before}) <> ({after}))"
        head = (
            f"CREATE TRIGGER {name}_{act.lower()} AFTER {act}{of} ON {watched.table} FOR EACH ROW{condition}"
        )
        if dialect == "postgresql":
            made.append(f"{head} EXECUTE FUNCTION {name}()")
        else:
            values = f"('{watched.subject.value}', {row}.{watched.key})"
            note = f"INSERT INTO index_changes (subject, subject_id) VALUES {values};"  # noqa: S608
            made.append(f"{head} BEGIN {note} END")
    if dialect == "postgresql":
        row_id = f"COALESCE(NEW.{watched.key}, OLD.{watched.key})"
        values = f"('{watched.subject.value}', {row_id}, pg_current_xact_id()::text::bigint)"
        note = f"INSERT INTO index_changes (subject, subject_id, transaction_id) VALUES {values};"  # noqa: S608
        made.insert(
            0,
            f"CREATE OR REPLACE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS"
            f" $$ BEGIN {note} RETURN NULL; END $$",
        )
    return made


def add_triggers(watched: WatchedTable) -> None:
    """Let the creation of the tables create the triggers of one of them."""
    for dialect in ("sqlite", "postgresql"):
        for statement in watch_statements(watched, dialect=dialect):
            made = DDL(statement.replace("%", "%%")).execute_if(dialect=dialect)
            event.listen(Base.metadata.tables[watched.table], "after_create", made)


for watched in WATCHED:
    add_triggers(watched)
