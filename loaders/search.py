"""Things by their words: FTS5 on SQLite, tsvector on PostgreSQL; products are ranked alike on both."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import (
    CTE,
    ColumnElement,
    Integer,
    Select,
    and_,
    bindparam,
    case,
    cast,
    column,
    func,
    literal,
    literal_column,
    or_,
    select,
    table,
    union_all,
)
from sqlalchemy.dialects.postgresql import REGCONFIG
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.types import BigInteger, String, Text

from loaders.base import Reads
from models import ArticleWords, KnownWord, Product, ProductStatus, ProductTerm, ProductWords, WordRemains
from words import CODE, EVERYTHING, Phrase, all_of, code
from words.asking import (
    COMPLETIONS,
    CORRECTIONS,
    Concept,
    Known,
    Plan,
    Wish,
    joined,
    mistyped,
    planned,
    to_look_up,
    wishes,
)
from words.slips import near, near_beginning, remains

SCALE = 1_000_000
"""Scores are whole numbers: a cursor holds exactly what the database compares."""

BY_LENGTH = 1
"""ts_rank_cd divides by the logarithm of the length; bm25 has its own way."""

BEYOND = "\U0010ffff"
"""Behind every letter: all words with one beginning stand before it."""

MATCH = "match"
"""The name under which statements bind what the full-text index is asked."""

CANDIDATES = 200
"""Known words looked at for one that was mistyped."""

Words = type[ProductWords] | type[ArticleWords]
KEYS = {ProductWords: ProductWords.product_id, ArticleWords: ArticleWords.article_id}


def hits(words: Words, match: str, *, dialect: str, name: str = "hits") -> CTE:
    """`id` and `score` of what `match` finds, which words wrote; the higher the score, the better."""
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


def found(plan: Plan, *, dialect: str) -> CTE:
    """`id` and `score` of the products a plan finds: the full-text index finds them, their weights rank them.

    A score is the same whole number on both databases.
    """
    points = _points(plan).subquery("points")
    if plan.least is not None:
        return (
            select(points.c.product_id.label("id"), points.c.score)
            .where(points.c.matched >= plan.least)
            .cte("found")
            .prefix_with("MATERIALIZED")
        )
    index = _holders(plan, dialect=dialect).cte("holders").prefix_with("MATERIALIZED")
    return (
        select(index.c.id, func.coalesce(points.c.score, 0).label("score"))
        .outerjoin(points, points.c.product_id == index.c.id)
        .cte("found")
        .prefix_with("MATERIALIZED")
    )


def finds(plan: Plan, *, dialect: str) -> CTE:
    """`id` of the products a plan finds, in no order: less work than `found`."""
    if plan.least is None:
        return _holders(plan, dialect=dialect).cte("found").prefix_with("MATERIALIZED")
    points = _points(plan).subquery("points")
    return (
        select(points.c.product_id.label("id"))
        .where(points.c.matched >= plan.least)
        .cte("found")
        .prefix_with("MATERIALIZED")
    )


def _holders(plan: Plan, *, dialect: str) -> Select[int]:
    """`id` of the products that have all words of a plan, or the code it is."""
    match = bindparam(MATCH, _match(plan, dialect=dialect), String)
    if dialect == "sqlite":
        name = f"{ProductWords.__tablename__}_fts"
        index = table(name, column("rowid", Integer))
        return select(index.c.rowid.label("id")).where(literal_column(name).op("MATCH")(match))
    simple = literal_column("'simple'::regconfig", REGCONFIG)
    query = func.to_tsquery(simple, cast(match, Text))
    return select(ProductWords.product_id.label("id")).where(
        func.to_tsvector(simple, ProductWords.words).op("@@")(query)
    )


def form(plan: Plan | None) -> Plan | None:
    """What the statements of `finds` depend on apart from what they bind."""
    return plan if plan is None or plan.nearest else Plan()


def bound(plan: Plan | None, *, dialect: str) -> dict[str, str]:
    """What a statement made for the form of a plan is run with."""
    return {} if plan is None or plan.nearest else {MATCH: _match(plan, dialect=dialect)}


def _match(plan: Plan, *, dialect: str) -> str:
    match = all_of([concept.phrases for concept in plan.concepts], dialect=dialect)
    if not plan.code:
        return match
    exact = all_of([[Phrase((plan.code,))]], dialect=dialect)
    return f"({match}) OR {exact}" if dialect == "sqlite" else f"({match}) | {exact}"


def _points(plan: Plan) -> Select[int, int, int]:
    """What the words of a plan make of each product that has any: its score, and how many it has.

    Each word asked for counts once, by the best of what it may be.
    """
    best = [_best(concept) for concept in plan.concepts]
    terms = {term for concept in plan.concepts for term, _ in concept.terms}
    score: ColumnElement[Any] = sum(
        (func.coalesce(points, 0) for points in best[1:]), start=func.coalesce(best[0], 0)
    )
    matched: ColumnElement[Any] = sum(
        (case((points.is_not(None), 1), else_=0) for points in best[1:]),
        start=case((best[0].is_not(None), 1), else_=0),
    )
    if plan.code:
        exact = CODE + plan.code
        terms.add(exact)
        score = score + func.coalesce(func.max(case((ProductTerm.term == exact, ProductTerm.weight))), 0) * (
            literal_column("1000")
        )
    return (
        select(
            ProductTerm.product_id,
            cast(score, BigInteger).label("score"),
            cast(matched, Integer).label("matched"),
        )
        .where(ProductTerm.term.in_(sorted(terms)))
        .group_by(ProductTerm.product_id)
    )


def _best(concept: Concept) -> ColumnElement[Any]:
    """The best of what one word may be, or NULL."""
    by_share: defaultdict[int, list[str]] = defaultdict(list)
    for term, share in concept.terms:
        by_share[concept.worth * share].append(term)
    return func.max(
        case(
            *(
                (ProductTerm.term.in_(terms), ProductTerm.weight * cast(literal(value), BigInteger))
                for value, terms in by_share.items()
            )
        )
    )


async def understood(session: AsyncSession, question: str, *, typing: bool = False) -> Plan | None:
    """What is looked for, by what the shop knows of the words; None when there is no word in it."""
    asked = wishes(question)
    if not asked:
        return None
    known = replace(await _known(session, question, asked), typing=typing)
    asked = joined(asked, known)
    wrong = mistyped(asked, known)
    corrections = await _corrected(session, wrong) if wrong else {}
    return planned(question, asked, known, corrections)


async def _known(session: AsyncSession, question: str, asked: Sequence[Wish]) -> Known:
    """One statement: the words, what the last one may become, and whether all is a code."""
    words = select(literal("word", String).label("kind"), KnownWord.word, KnownWord.products).where(
        KnownWord.word.in_(sorted({*to_look_up(asked), EVERYTHING}))
    )
    exact = CODE + code(question)
    codes = select(literal("code", String), ProductTerm.term, ProductTerm.product_id).where(
        ProductTerm.term == exact
    )
    parts = [words, codes.limit(1).subquery("codes").select()]
    if asked[-1].unfinished:
        longer = _beginning(KnownWord.word, asked[-1].word).order_by(
            KnownWord.products.desc(), KnownWord.word
        )
        parts.append(longer.limit(COMPLETIONS).subquery("longer").select())
    by_kind: defaultdict[str, dict[str, int]] = defaultdict(dict)
    for kind, word, products in await session.execute(union_all(*parts)):
        by_kind[kind][word] = products
    counts = by_kind["word"]
    return Known(
        products={word: count for word, count in counts.items() if word != EVERYTHING},
        completions=sorted(by_kind["longer"].items(), key=lambda each: (-each[1], each[0])),
        codes=frozenset(by_kind["code"]),
        all_products=counts.get(EVERYTHING, 0),
    )


def _beginning(word: Any, beginning: str) -> Select[str, str, int]:
    return select(literal("longer", String).label("kind"), KnownWord.word, KnownWord.products).where(
        word > beginning, word < beginning + BEYOND
    )


async def _corrected(session: AsyncSession, wrong: Iterable[Wish]) -> Mapping[str, Sequence[tuple[str, int]]]:
    """For each mistyped word what it may have been meant for, the most frequent first."""
    corrected = {}
    for wish in wrong:
        one_off = await _with_remains(session, WordRemains.remains.in_(sorted(remains(wish.word))))
        meant = near(wish.word, one_off)
        if not meant and wish.unfinished:
            begun = [
                and_(WordRemains.remains >= each, WordRemains.remains < each + BEYOND)
                for each in sorted(remains(wish.word))
            ]
            one_off = await _with_remains(session, or_(*begun))
            meant = near_beginning(wish.word, one_off)
        corrected[wish.word] = [(word, one_off[word]) for word in meant[:CORRECTIONS]]
    return corrected


async def _with_remains(session: AsyncSession, condition: ColumnElement[bool]) -> Mapping[str, int]:
    rows = await session.execute(
        select(KnownWord.word, KnownWord.products)
        .where(KnownWord.word.in_(select(WordRemains.word).where(condition)))
        .order_by(KnownWord.products.desc(), KnownWord.word)
        .limit(CANDIDATES)
    )
    return {word: products for word, products in rows}  # noqa: C416 - a Row is a tuple only at run time


async def nearest(
    reads: Reads, plan: Plan, statuses: Collection[ProductStatus], *, dialect: str
) -> Plan | None:
    """The plan for what comes nearest where nothing that may be seen has all the words; else None."""
    index = _holders(plan, dialect=dialect).subquery("holders")
    seen = select(Product.id).join(index, index.c.id == Product.id).where(Product.status.in_(statuses))
    points = _points(plan).subquery("points")
    most = (
        select(func.max(points.c.matched))
        .join(Product, Product.id == points.c.product_id)
        .where(Product.status.in_(statuses))
    )
    async with reads() as session:
        if await session.scalar(seen.limit(1)) is not None:
            return None
        least = await session.scalar(most)
    return replace(plan, least=least) if least else None
