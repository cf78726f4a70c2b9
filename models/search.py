"""The words things are found by: one plain table each, with the index each database is good at."""

from typing import Annotated

from sqlalchemy import DDL, ForeignKey, Index, String, Table, event, func, literal_column
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base

ByBytes = String().with_variant(String(collation="C"), "postgresql")
"""Text in the order of its bytes on both databases, so that all words with one beginning stand together."""

Word = Annotated[str, mapped_column(ByBytes, primary_key=True)]


class ProductWords(Base):
    """Every word a product is found by, segmented and separated by blanks."""

    __tablename__ = "product_words"

    product_id: Mapped[int] = mapped_column(ForeignKey("products.id"), primary_key=True)
    words: Mapped[str]


class ProductChoices(Base):
    """What customers can choose a product by (words.choices): what it says of filterable attributes."""

    __tablename__ = "product_choices"

    product_id: Mapped[int] = mapped_column(ForeignKey("products.id"), primary_key=True)
    choices: Mapped[str]


class ProductTerm(Base):
    """How much one word says about one product (words.weighing): what ranks the products found."""

    __tablename__ = "product_terms"
    __table_args__ = (Index("ix_product_terms_product_id", "product_id"), {"sqlite_with_rowid": False})

    term: Mapped[Word]
    product_id: Mapped[int] = mapped_column(ForeignKey("products.id"), primary_key=True)
    weight: Mapped[int]


class KnownWord(Base):
    """A word that products are found by, and how many have it; "" stands for all products there are."""

    __tablename__ = "known_words"
    __table_args__ = ({"sqlite_with_rowid": False},)

    word: Mapped[Word]
    products: Mapped[int]


class WordRemains(Base):
    """What is left of a known word without one letter: how one with a typo is found again."""

    __tablename__ = "word_remains"
    __table_args__ = (Index("ix_word_remains_word", "word"), {"sqlite_with_rowid": False})

    remains: Mapped[Word]
    word: Mapped[Word]


class ArticleWords(Base):
    """Every word an article is found by, segmented and separated by blanks."""

    __tablename__ = "article_words"

    article_id: Mapped[int] = mapped_column(ForeignKey("articles.id"), primary_key=True)
    words: Mapped[str]


SEARCHED = {"product_words": "product_id", "article_words": "article_id"}


def sqlite_index(table: str, key: str) -> tuple[str, ...]:
    """FTS5 over `table`, kept by triggers (https://sqlite.org/fts5.html, external content tables)."""
    fts = f"{table}_fts"
    gone = f"INSERT INTO {fts}({fts}, rowid, words) VALUES ('delete', old.{key}, old.words);"  # noqa: S608
    come = f"INSERT INTO {fts}(rowid, words) VALUES (new.{key}, new.words);"  # noqa: S608
    return (
        f"CREATE VIRTUAL TABLE {fts} USING fts5(words, content='{table}', content_rowid='{key}',"
        " tokenize='unicode61 remove_diacritics 2')",
        f"CREATE TRIGGER {table}_come AFTER INSERT ON {table} BEGIN {come} END",
        f"CREATE TRIGGER {table}_gone AFTER DELETE ON {table} BEGIN {gone} END",
        f"CREATE TRIGGER {table}_changed AFTER UPDATE ON {table} BEGIN {gone} {come} END",
    )


def index_words(table: Table, key: str) -> None:
    Index(
        f"ix_{table.name}_words",
        func.to_tsvector(literal_column("'simple'::regconfig"), table.c.words),
        postgresql_using="gin",
    ).ddl_if(dialect="postgresql")
    for statement in sqlite_index(table.name, key):
        event.listen(table, "after_create", DDL(statement.replace("%", "%%")).execute_if(dialect="sqlite"))


for name, key in SEARCHED.items():
    index_words(Base.metadata.tables[name], key)
