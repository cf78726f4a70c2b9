"""Things by their words: FTS5 on SQLite, tsvector on PostgreSQL."""

from sqlalchemy import CTE, Integer, Select, cast, column, func, literal_column, select, table
from sqlalchemy.dialects.postgresql import REGCONFIG
from sqlalchemy.types import Text

from models import ArticleWords, ProductWords

SCALE = 1_000_000
"""Scores are whole numbers: a cursor holds exactly what the database compares."""

BY_LENGTH = 1
"""ts_rank_cd divides by the logarithm of the length; bm25 has its own way."""

Words = type[ProductWords] | type[ArticleWords]
KEYS = {ProductWords: ProductWords.product_id, ArticleWords: ArticleWords.article_id}


def hits(words: Words, match: str, *, dialect: str, name: str = "hits") -> CTE:
    """`id` and `score` of what `match` finds, which domain.words wrote; the higher the score, the better."""
    found = _fts5(words, match) if dialect == "sqlite" else _tsvector(words, match)
    return found.cte(name).prefix_with("MATERIALIZED")


def _fts5(words: Words, match: str) -> Select[int, int]:
    name = f"{words.__tablename__}_fts"
    index = table(name, column("rowid", Integer))
    score = cast(func.round(-SCALE * func.bm25(literal_column(name))), Integer)
    return select(index.c.rowid.label("id"), score.label("score")).where(
        literal_column(name).op("MATCH")(match)
    )


def _tsvector(words: Words, match: str) -> Select[int, int]:
    simple = literal_column("'simple'::regconfig", REGCONFIG)
    vector = func.to_tsvector(simple, words.words)
    query = func.to_tsquery(simple, cast(match, Text))
    score = cast(func.round(SCALE * func.ts_rank_cd(vector, query, BY_LENGTH)), Integer)
    return select(KEYS[words].label("id"), score.label("score")).where(vector.op("@@")(query))
