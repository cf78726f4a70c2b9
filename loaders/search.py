"""Things by their words: FTS5 on SQLite, tsvector on PostgreSQL; products are ranked alike on both."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import cache
from typing import Any

import orjson
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
    literal_column,
    or_,
    select,
    table,
    union_all,
)
from sqlalchemy.dialects.postgresql import JSONB, REGCONFIG
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.types import BigInteger, String, Text, TypeEngine

from loaders.prepared import Prepared, Reads, dialect_of, is_among, packed, rows_of
from models import ArticleWords, KnownWord, Product, ProductStatus, ProductTerm, ProductWords, WordRemains
from words import CODE, EVERYTHING, Phrase, all_of, code
from words.asking import (
    COMPLETIONS,
    CORRECTIONS,
    Concept,
    Known,
    Plan,
    Wish,
    halves,
    joined,
    mistyped,
    parted,
    planned,
    to_look_up,
    wishes,
)
from words.cutting import forms
from words.slips import near, near_beginning, remains

SCALE = 1_000_000
"""Scores are whole numbers: a cursor holds exactly what the database compares."""

BY_LENGTH = 1
"""ts_rank_cd divides by the logarithm of the length; bm25 has its own way."""

BEYOND = "\U0010ffff"
"""Behind every letter: all words with one beginning stand before it."""

MATCH, TERMS, NAMES, LEAST = "match", "terms", "names", "least"
"""What statements bind: the question for the full-text index, what ranks, and how many words must match."""

CODE_WORTH = 1_000
"""How much more a product counts whose SKU or barcode the whole question is."""

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
    points = _points(plan, dialect=dialect).subquery("points")
    if plan.least is not None:
        return (
            select(points.c.product_id.label("id"), points.c.score)
            .where(points.c.matched >= bindparam(LEAST, plan.least, Integer))
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
    points = _points(plan, dialect=dialect).subquery("points")
    return (
        select(points.c.product_id.label("id"))
        .where(points.c.matched >= bindparam(LEAST, plan.least, Integer))
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
    """What the statements of a plan depend on apart from what they bind."""
    if plan is None:
        return None
    return Plan(
        concepts=(Concept(0, (), ()),) * len(plan.concepts),
        code="code" if plan.code else "",
        least=plan.least and 1,
    )


def bound(plan: Plan | None, *, dialect: str) -> dict[str, Any]:
    """What a statement made for the form of a plan is run with."""
    if plan is None:
        return {}
    return {
        MATCH: _match(plan, dialect=dialect),
        TERMS: _written(plan),
        NAMES: _names(plan),
        LEAST: plan.least,
    }


def _match(plan: Plan, *, dialect: str) -> str:
    match = all_of([concept.phrases for concept in plan.concepts], dialect=dialect)
    if not plan.code:
        return match
    exact = all_of([[Phrase((plan.code,))]], dialect=dialect)
    return f"({match}) OR {exact}" if dialect == "sqlite" else f"({match}) | {exact}"


def _points(plan: Plan, *, dialect: str) -> Select[int, int, int]:
    """What the words of a plan make of each product that has any: its score, and how many it has.

    Each word asked for counts once, by the best of what it may be.
    """
    terms = _terms(plan, dialect=dialect)
    best = [
        func.max(case((terms.c.place == literal_column(str(place)), ProductTerm.weight * terms.c.worth)))
        for place in range(len(plan.concepts) + bool(plan.code))
    ]
    zero, one = literal_column("0", Integer), literal_column("1", Integer)
    score: ColumnElement[Any] = sum(
        (func.coalesce(points, zero) for points in best[1:]), start=func.coalesce(best[0], zero)
    )
    words = best[: len(plan.concepts)]
    matched: ColumnElement[Any] = sum(
        (case((points.is_not(None), one), else_=zero) for points in words[1:]),
        start=case((words[0].is_not(None), one), else_=zero),
    )
    points = (
        select(
            ProductTerm.product_id,
            cast(score, BigInteger).label("score"),
            cast(matched, Integer).label("matched"),
        )
        .join(terms, terms.c.term == ProductTerm.term)
        .group_by(ProductTerm.product_id)
    )
    if dialect == "sqlite":
        return points
    # PostgreSQL guesses a hundred terms, and would rather read the whole table once
    return points.where(is_among(ProductTerm.term, NAMES, dialect, _names(plan)))


def _terms(plan: Plan, *, dialect: str) -> CTE:
    """The terms of a plan as rows: which of its words each may be, and what it is worth then."""
    given = bindparam(TERMS, _written(plan), String)
    columns: Mapping[str, TypeEngine[Any]] = {"term": String(), "place": Integer(), "worth": BigInteger()}
    if dialect == "sqlite":
        row = func.json_each(given).table_valued("value")
        rows = select(
            *(
                func.json_extract(row.c.value, literal_column(f"'$.{name}'"), type_=kind).label(name)
                for name, kind in columns.items()
            )
        )
    else:
        told = func.jsonb_to_recordset(cast(given, JSONB)).table_valued(
            *(column(name, kind) for name, kind in columns.items())
        )
        rows = select(told.render_derived(name="told", with_types=True))
    return rows.cte("terms").prefix_with("MATERIALIZED")


def _names(plan: Plan) -> list[str]:
    exact = [CODE + plan.code] if plan.code else []
    return sorted({*exact, *(term for concept in plan.concepts for term, _ in concept.terms)})


def _written(plan: Plan) -> str:
    rows = [
        {"term": term, "place": place, "worth": concept.worth * share}
        for place, concept in enumerate(plan.concepts)
        for term, share in concept.terms
    ]
    if plan.code:
        rows.append({"term": CODE + plan.code, "place": len(plan.concepts), "worth": CODE_WORTH})
    return orjson.dumps(rows).decode()


async def understood(reads: Reads, question: str, *, typing: bool = False) -> Plan | None:
    """What is looked for, by what the shop knows of the words; None when there is no word in it."""
    asked = wishes(question)
    if not asked:
        return None
    known = replace(await _known(reads, question, asked), typing=typing)
    asked = joined(asked, known)
    wrong = mistyped(asked, known)
    corrections = await _corrected(reads, wrong) if wrong else {}
    lost = [wish for wish in wrong if not corrections[wish.word]]
    if not lost:
        return planned(question, asked, known, corrections)
    known = replace(known, products={**known.products, **await _halves(reads, lost)})
    two = parted(asked, known, lost)
    return planned(question, two, known, corrections, apart=len(two) > len(asked))


async def _halves(reads: Reads, lost: Iterable[Wish]) -> dict[str, int]:
    """How many products have what may be half of a word that none has."""
    wanted = {look for wish in lost for pair in halves(wish.word) for half in pair for look in forms(half)}
    rows = await rows_of(
        reads,
        _looked_up(unfinished=False, dialect=dialect_of(reads)),
        words=packed(sorted(wanted), dialect_of(reads)),
        exact=CODE,
    )
    return {word: products for kind, word, products in rows if kind == "word"}


async def _known(reads: Reads, question: str, asked: Sequence[Wish]) -> Known:
    """One statement: the words, what the last one may become, and whether all is a code."""
    dialect = dialect_of(reads)
    begun = asked[-1].word if asked[-1].unfinished else ""
    rows = await rows_of(
        reads,
        _looked_up(unfinished=bool(begun), dialect=dialect),
        words=packed(sorted({*to_look_up(asked), EVERYTHING}), dialect),
        exact=CODE + code(question),
        begun=begun,
        beyond=begun + BEYOND,
    )
    by_kind: defaultdict[str, dict[str, int]] = defaultdict(dict)
    for kind, word, products in rows:
        by_kind[kind][word] = products
    counts = by_kind["word"]
    return Known(
        products={word: count for word, count in counts.items() if word != EVERYTHING},
        completions=sorted(by_kind["longer"].items(), key=lambda each: (-each[1], each[0])),
        codes=frozenset(by_kind["code"]),
        all_products=counts.get(EVERYTHING, 0),
    )


@cache
def _looked_up(*, unfinished: bool, dialect: str) -> Prepared:
    kinds = {kind: literal_column(f"'{kind}'", String).label("kind") for kind in ("word", "code", "longer")}
    words = select(kinds["word"], KnownWord.word, KnownWord.products).where(
        is_among(KnownWord.word, "words", dialect)
    )
    codes = select(kinds["code"], ProductTerm.term, ProductTerm.product_id).where(
        ProductTerm.term == bindparam("exact", None, String)
    )
    parts = [words, codes.limit(literal_column("1")).subquery("codes").select()]
    if unfinished:
        begun, beyond = bindparam("begun", None, String), bindparam("beyond", None, String)
        longer = (
            select(kinds["longer"], KnownWord.word, KnownWord.products)
            .where(KnownWord.word > begun, KnownWord.word < beyond)
            .order_by(KnownWord.products.desc(), KnownWord.word)
            .limit(literal_column(str(COMPLETIONS)))
        )
        parts.append(longer.subquery("longer").select())
    return Prepared(union_all(*parts), dialect)


async def _corrected(reads: Reads, wrong: Iterable[Wish]) -> Mapping[str, Sequence[tuple[str, int]]]:
    """For each mistyped word what it may have been meant for, the most frequent first."""
    async with reads() as session:
        return {wish.word: await _meant(session, wish) for wish in wrong}


async def _meant(session: AsyncSession, wish: Wish) -> Sequence[tuple[str, int]]:
    one_off = await _with_remains(session, WordRemains.remains.in_(sorted(remains(wish.word))))
    meant = near(wish.word, one_off)
    if not meant and wish.unfinished:
        begun = [
            and_(WordRemains.remains >= each, WordRemains.remains < each + BEYOND)
            for each in sorted(remains(wish.word))
        ]
        one_off = await _with_remains(session, or_(*begun))
        meant = near_beginning(wish.word, one_off)
    return [(word, one_off[word]) for word in meant[:CORRECTIONS]]


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
    points = _points(plan, dialect=dialect).subquery("points")
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
