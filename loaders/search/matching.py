"""Statements that find and rank the products a query plan matches."""

from collections.abc import Collection
from dataclasses import replace
from functools import lru_cache

from sqlalchemy import (
    CTE,
    Integer,
    bindparam,
    case,
    cast,
    func,
    literal_column,
    select,
)
from sqlalchemy.types import BigInteger, String

from loaders.search.fulltext import select_matches
from models import Product, ProductSearchText, ProductStatus, ProductTerm
from models.database import Reads
from models.sql.parameters import bound_table, encode_rows, encode_values, is_among
from models.sql.prepared import PreparedSelect, driver_connection
from models.sql.types import AnyExpression, AnySelect, ColumnTypes, Parameters
from text import CODE_PREFIX, Phrase, and_query
from text.query_plan import QueryClause, QueryPlan

MATCH, TERM_ROWS, TERM_NAMES, MINIMUM = "match", "term_rows", "term_names", "minimum_should_match"
"""Parameters of the statements: the full-text query, the terms that rank, how many clauses must match."""

STATEMENTS_LIMIT = 64
"""Shapes of plans whose statements for partial matches are kept."""

CODE_BOOST = 1_000
"""How much more a product counts whose SKU or barcode the whole query is."""

TERM_COLUMNS: ColumnTypes = {
    "term": String(),
    "clause": Integer(),
    "boost": BigInteger(),
}


def ranked_products(plan: QueryPlan, *, dialect: str) -> CTE:
    """`id` and `score` of the products a plan matches.

    The full-text index finds them, the weights of their terms rank them. A score is the same whole number on
    both databases; the best is the highest.
    """
    scores = _select_scores(plan, dialect=dialect).subquery("scores")
    if plan.minimum_should_match is not None:
        statement = select(scores.c.product_id.label("id"), scores.c.score).where(
            scores.c.matched >= bindparam(MINIMUM, plan.minimum_should_match, Integer)
        )
    else:
        matches = _select_matches(plan, dialect=dialect).cte("matches").prefix_with("MATERIALIZED")
        statement = select(matches.c.id, func.coalesce(scores.c.score, 0).label("score")).outerjoin(
            scores, scores.c.product_id == matches.c.id
        )
    return statement.cte("found").prefix_with("MATERIALIZED")


def matching_products(plan: QueryPlan, *, dialect: str) -> CTE:
    """`id` of the products a plan matches, in no order: cheaper than `ranked_products`."""
    if plan.minimum_should_match is None:
        statement = _select_matches(plan, dialect=dialect)
    else:
        scores = _select_scores(plan, dialect=dialect).subquery("scores")
        statement = select(scores.c.product_id.label("id")).where(
            scores.c.matched >= bindparam(MINIMUM, plan.minimum_should_match, Integer)
        )
    return statement.cte("found").prefix_with("MATERIALIZED")


def plan_shape(plan: QueryPlan | None) -> QueryPlan | None:
    """A plan without what its statements take as parameters: the key of a compiled statement."""
    if plan is None:
        return None
    return QueryPlan(
        clauses=(QueryClause(0, (), ()),) * len(plan.clauses),
        code="code" if plan.code else "",
        minimum_should_match=plan.minimum_should_match and 1,
    )


def plan_parameters(plan: QueryPlan | None, *, dialect: str) -> Parameters:
    """The parameters of a statement that was compiled for the shape of a plan."""
    if plan is None:
        return {}
    return {
        MATCH: _match_expression(plan, dialect=dialect),
        TERM_ROWS: _encode_terms(plan, dialect=dialect),
        TERM_NAMES: encode_values(_term_names(plan), dialect),
        MINIMUM: plan.minimum_should_match,
    }


async def plan_partial_match(
    reads: Reads, plan: QueryPlan, statuses: Collection[ProductStatus], *, dialect: str
) -> QueryPlan | None:
    """The plan that also takes products with only some of the words: as many as the best one has.

    None where a product in one of these states has all the words, or none has any.
    """
    shape = plan_shape(plan) or plan
    complete, most = _partial_match_statements(shape, tuple(statuses), dialect)
    parameters = plan_parameters(plan, dialect=dialect)
    async with driver_connection(reads) as connection:
        if await complete.fetch(connection, **parameters):
            return None
        ((minimum,),) = await most.fetch(connection, **parameters)
    return replace(plan, minimum_should_match=minimum) if minimum else None


@lru_cache(STATEMENTS_LIMIT)
def _partial_match_statements(
    shape: QueryPlan, statuses: tuple[ProductStatus, ...], dialect: str
) -> tuple[PreparedSelect, PreparedSelect]:
    """A product with all words of a plan, and how many words the best product has.

    Compiled once for all plans of one shape: a statement with 20 clauses takes 10 ms to compile.
    """
    # else SQLite reads every product and looks for it in the index
    matches = _select_matches(shape, dialect=dialect).cte("matches").prefix_with("MATERIALIZED")
    visible = select(Product.id).join(matches, matches.c.id == Product.id).where(Product.status.in_(statuses))
    scores = _select_scores(shape, dialect=dialect).subquery("scores")
    most = (
        select(func.max(scores.c.matched))
        .join(Product, Product.id == scores.c.product_id)
        .where(Product.status.in_(statuses))
    )
    return PreparedSelect(visible.limit(literal_column("1")), dialect), PreparedSelect(most, dialect)


def _select_matches(plan: QueryPlan, *, dialect: str) -> AnySelect:
    """`id` of the products that match all clauses of a plan, or have its code."""
    match = bindparam(MATCH, _match_expression(plan, dialect=dialect), String)
    return select_matches(ProductSearchText, match, dialect=dialect)


def _match_expression(plan: QueryPlan, *, dialect: str) -> str:
    words = and_query([clause.phrases for clause in plan.clauses], dialect=dialect)
    if not plan.code:
        return words
    code = and_query([[Phrase((plan.code,))]], dialect=dialect)
    return f"({words}) OR {code}" if dialect == "sqlite" else f"({words}) | {code}"


def _select_scores(plan: QueryPlan, *, dialect: str) -> AnySelect:
    """`product_id`, `score` and `matched` (how many clauses) of each product with any term of a plan.

    Each clause counts once, by the best of its terms.
    """
    terms = _terms_table(plan, dialect=dialect)
    clause_scores = [
        func.max(case((terms.c.clause == literal_column(str(place)), ProductTerm.weight * terms.c.boost)))
        for place in range(len(plan.clauses) + bool(plan.code))
    ]
    zero, one = literal_column("0", Integer), literal_column("1", Integer)
    score: AnyExpression = sum(
        (func.coalesce(each, zero) for each in clause_scores[1:]),
        start=func.coalesce(clause_scores[0], zero),
    )
    word_scores = clause_scores[: len(plan.clauses)]
    matched: AnyExpression = sum(
        (case((each.is_not(None), one), else_=zero) for each in word_scores[1:]),
        start=case((word_scores[0].is_not(None), one), else_=zero),
    )
    statement: AnySelect = (
        select(
            ProductTerm.product_id,
            cast(score, BigInteger).label("score"),
            cast(matched, Integer).label("matched"),
        )
        .join(terms, terms.c.term == ProductTerm.term)
        .group_by(ProductTerm.product_id)
    )
    if dialect == "sqlite":
        return statement
    # PostgreSQL estimates a hundred terms and would read the whole table; named, they are looked up
    names = encode_values(_term_names(plan), dialect)
    return statement.where(is_among(ProductTerm.term, TERM_NAMES, dialect, names))


def _terms_table(plan: QueryPlan, *, dialect: str) -> CTE:
    """The terms of a plan as rows: the term, the number of its clause, and its boost."""
    rows = bound_table(TERM_ROWS, TERM_COLUMNS, dialect, _encode_terms(plan, dialect=dialect))
    return select(rows).cte("terms").prefix_with("MATERIALIZED")


def _term_names(plan: QueryPlan) -> list[str]:
    code = [CODE_PREFIX + plan.code] if plan.code else []
    return sorted({*code, *(term for clause in plan.clauses for term, _ in clause.terms)})


def _encode_terms(plan: QueryPlan, *, dialect: str) -> str:
    rows = [
        {"term": term, "clause": place, "boost": clause.idf * share}
        for place, clause in enumerate(plan.clauses)
        for term, share in clause.terms
    ]
    if plan.code:
        rows.append({"term": CODE_PREFIX + plan.code, "clause": len(plan.clauses), "boost": CODE_BOOST})
    return encode_rows(rows, dialect)
