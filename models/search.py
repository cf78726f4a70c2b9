"""The tables products and articles are searched by, with the full-text index of each database."""

from typing import Annotated

from sqlalchemy import DDL, ForeignKey, Index, String, Table, event, func, literal_column
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base

ByBytes = String().with_variant(String(collation="C"), "postgresql")
"""Text in the order of its bytes on both databases, so that all terms with one beginning stand together."""

Term = Annotated[str, mapped_column(ByBytes, primary_key=True)]


class ProductSearchText(Base):
    """Every term a product is found by, separated by blanks."""

    __tablename__ = "product_search_texts"

    product_id: Mapped[int] = mapped_column(ForeignKey("products.id"), primary_key=True)
    text: Mapped[str]


class ProductFacetValues(Base):
    """The values of the filterable attributes of a product, as one text (see text.facet_values)."""

    __tablename__ = "product_facet_values"

    product_id: Mapped[int] = mapped_column(ForeignKey("products.id"), primary_key=True)
    facet_values: Mapped[str]


class ProductTerm(Base):
    """The weight of one term for one product (see text.term_weights); the sum of them ranks the products."""

    __tablename__ = "product_terms"
    __table_args__ = (Index("ix_product_terms_product_id", "product_id"), {"sqlite_with_rowid": False})

    term: Mapped[Term]
    product_id: Mapped[int] = mapped_column(ForeignKey("products.id"), primary_key=True)
    weight: Mapped[int]


class IndexedTerm(Base):
    """A term with the number of products that have it; the term "" counts all indexed products."""

    __tablename__ = "indexed_terms"
    __table_args__ = ({"sqlite_with_rowid": False},)

    term: Mapped[Term]
    product_count: Mapped[int]


class TermDeletion(Base):
    """An indexed term without one of its letters, by which a mistyped one is found (SymSpell's deletes)."""

    __tablename__ = "term_deletions"
    __table_args__ = (Index("ix_term_deletions_term", "term"), {"sqlite_with_rowid": False})

    deletion: Mapped[Term]
    term: Mapped[Term]


class ArticleSearchText(Base):
    """Every term an article is found by, separated by blanks."""

    __tablename__ = "article_search_texts"

    article_id: Mapped[int] = mapped_column(ForeignKey("articles.id"), primary_key=True)
    text: Mapped[str]


SEARCHED = {"product_search_texts": "product_id", "article_search_texts": "article_id"}


def sqlite_index(table: str, key: str) -> tuple[str, ...]:
    """The statements that make an FTS5 index over `table` and keep it by triggers.

    https://sqlite.org/fts5.html#external_content_tables
    """
    fts = f"{table}_fts"
    remove = f"INSERT INTO {fts}({fts}, rowid, text) VALUES ('delete', old.{key}, old.text);"  # noqa: S608
    add = f"INSERT INTO {fts}(rowid, text) VALUES (new.{key}, new.text);"  # noqa: S608
    return (
        f"CREATE VIRTUAL TABLE {fts} USING fts5(text, content='{table}', content_rowid='{key}',"
        " tokenize='unicode61 remove_diacritics 2')",
        f"CREATE TRIGGER {table}_inserted AFTER INSERT ON {table} BEGIN {add} END",
        f"CREATE TRIGGER {table}_deleted AFTER DELETE ON {table} BEGIN {remove} END",
        f"CREATE TRIGGER {table}_updated AFTER UPDATE ON {table} BEGIN {remove} {add} END",
    )


def add_text_index(table: Table, key: str) -> None:
    """Let the creation of `table` create its full-text index: tsvector on PostgreSQL, FTS5 on SQLite."""
    Index(
        f"ix_{table.name}_text",
        func.to_tsvector(literal_column("'simple'::regconfig"), table.c.text),
        postgresql_using="gin",
    ).ddl_if(dialect="postgresql")
    for statement in sqlite_index(table.name, key):
        event.listen(table, "after_create", DDL(statement.replace("%", "%%")).execute_if(dialect="sqlite"))


for name, key in SEARCHED.items():
    add_text_index(Base.metadata.tables[name], key)
