"""Statements on the full-text index of each database."""

from sqlalchemy import (
    CTE,
    BindParameter,
    Integer,
    cast,
    column,
    func,
    literal_column,
    select,
    table,
)
from sqlalchemy.dialects.postgresql import REGCONFIG
from sqlalchemy.types import Text

from models import ArticleSearchText
from models.sql.types import AnyExpression, AnySelect

SCALE = 1_000_000
"""Scores are whole numbers, so that a cursor holds exactly what the database compares."""

DIVIDE_BY_LOG_LENGTH = 1
"""The normalization option of ts_rank_cd; FTS5's bm25 normalizes by itself."""

SearchText = type[ArticleSearchText]
KEYS = {ArticleSearchText: ArticleSearchText.article_id}

SIMPLE = literal_column("'simple'::regconfig", REGCONFIG)


def ranked_matches(model: SearchText, match: str, *, dialect: str, name: str = "matches") -> CTE:
    """`id` and `score` of the rows that match a full-text query of `text`; the best score is the highest."""
    if dialect == "sqlite":
        score = func.round(-SCALE * func.bm25(literal_column(fts5_name(model))))
    else:
        score = func.round(SCALE * func.ts_rank_cd(_vector(model), _tsquery(match), DIVIDE_BY_LOG_LENGTH))
    statement = select_matches(model, match, dialect=dialect).add_columns(cast(score, Integer).label("score"))
    return statement.cte(name).prefix_with("MATERIALIZED")


def select_matches(model: SearchText, match: str | BindParameter[str], *, dialect: str) -> AnySelect:
    """`id` of the rows that match a full-text query of `text`."""
    if dialect == "sqlite":
        name = fts5_name(model)
        index = table(name, column("rowid", Integer))
        return select(index.c.rowid.label("id")).where(literal_column(name).op("MATCH")(match))
    return select(KEYS[model].label("id")).where(_vector(model).op("@@")(_tsquery(match)))


def fts5_name(model: SearchText) -> str:
    return f"{model.__tablename__}_fts"


def _vector(model: SearchText) -> AnyExpression:
    return func.to_tsvector(SIMPLE, model.text)


def _tsquery(match: str | BindParameter[str]) -> AnyExpression:
    return func.to_tsquery(SIMPLE, cast(match, Text))
