"""The fields of the indexes, and what a word counts in each."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from gateways.search import Alternative, Clause, IndexLayout, KeywordFilter, TextQuery
from models import CATEGORY_DEPTH_LIMIT, ArticleStatus, CurrencyCode, ProductStatus
from text.query_plan import QueryClause, QueryPlan

TITLE, KEYWORDS, DESCRIPTION, ATTRIBUTES = "title", "keywords", "description", "attributes"
PINYIN, CODE_PARTS, PARTS = "pinyin", "code_parts", "parts"

HEADS = "heads"
"""What the title and the category say that the product is."""

TITLE_HAN, OTHER_HAN = "title_han", "other_han"
"""Single Chinese characters in their order: any part of a Chinese text is a phrase of them."""

STATUS, CODE, STOCK, ATTRIBUTE = "status", "code", "stock", "attribute"
BRAND, CATEGORY, CHOICE = "brand", "category", "choice"
"""What facets count; choices are the values of filterable attributes."""

CATEGORY_LEVELS = tuple(f"category_{level}" for level in range(1, CATEGORY_DEPTH_LIMIT + 1))
"""The category of a product at each depth, the roots first: one value is counted sooner than a list."""

NEWEST, UNITS = "newest", "units"

INTEREST, LOOK = "interest", "look"
"""How much buyers clicked and bought it, and what is the same for products that differ in colour or size."""

QUESTIONS, QUESTIONS_HAN = "questions", "questions_han"
"""Other ways to ask what an article answers."""

WRITTEN = frozenset({TITLE, KEYWORDS, QUESTIONS, DESCRIPTION})
"""Where words stand as somebody wrote them: others are their pinyin, parts of codes, or values."""

TAG, LANGUAGE, LISTED, AUDIENCE = "tag", "language", "listed", "audience"
"""What articles are filtered by, beside their status and category."""

IS_LISTED = "yes"
"""The value of LISTED where an article is not archived."""

IN_STOCK = "in"
"""The value of STOCK where one unit of any variant can be ordered."""

WITHOUT_PRICE = 2**62
"""Sorts products without a price last where the lowest price comes first."""


def price_field(currency: CurrencyCode) -> str:
    """The prices of all variants."""
    return f"price_{currency.value}"


def cheapest_field(currency: CurrencyCode, *, descending: bool) -> str:
    """The lowest price, for an order in which products without a price are the last ones."""
    return f"{'high' if descending else 'low'}_{currency.value}"


def price_fields() -> Iterator[str]:
    for currency in CurrencyCode:
        yield price_field(currency)
        yield from (cheapest_field(currency, descending=each) for each in (False, True))


PRODUCT_LAYOUT = IndexLayout(
    name="products",
    version=8,
    texts=(TITLE, KEYWORDS, DESCRIPTION, ATTRIBUTES, PINYIN, CODE_PARTS, PARTS, HEADS),
    phrases=(TITLE_HAN, OTHER_HAN),
    keywords=(STATUS, CODE, STOCK, ATTRIBUTE),
    counted=(BRAND, CATEGORY, CHOICE, *CATEGORY_LEVELS),
    numbers=(NEWEST, UNITS, INTEREST, LOOK, *price_fields()),
    states={STATUS: tuple(each.value for each in ProductStatus)},
)

ARTICLE_LAYOUT = IndexLayout(
    name="articles",
    version=5,
    texts=(TITLE, KEYWORDS, QUESTIONS, DESCRIPTION, PINYIN),
    phrases=(TITLE_HAN, QUESTIONS_HAN, OTHER_HAN),
    keywords=(STATUS, CATEGORY, TAG, LANGUAGE, LISTED, AUDIENCE),
    states={STATUS: tuple(each.value for each in ArticleStatus)},
)


HAN_HEADS = 2.0
"""How much more a Chinese head counts: the characters after a word, as in 手机壳, do not lengthen a title."""


def words_of(texts: Mapping[str, Sequence[str]], *, without: Collection[str] = ()) -> list[str]:
    """The terms of a document's texts, each once; those of some fields count only where others have them."""
    return list(dict.fromkeys(term for name, terms in texts.items() if name not in without for term in terms))


SHORTEST_CODE_BEGINNING = 4
"""Letters of a code with which its products are found before it is typed whole; shorter, nearly all are."""


@dataclass(frozen=True, slots=True)
class FieldBoosts:
    """What a word counts in each field of an index."""

    words: Mapping[str, float]
    han: Mapping[str, float]
    """Single Chinese characters and phrases of them."""
    prefixes: Mapping[str, float]
    """A word that only begins as it was typed: the same for every such word."""
    heads: Mapping[str, float] = field(default_factory=dict)
    """What the word that the query is about counts beside `words`."""
    anywhere: bool = True
    """Whether these are all fields that have words, so that one list of documents stands for them."""


PRODUCT_BOOSTS = FieldBoosts(
    words={
        TITLE: 2.0,
        KEYWORDS: 1.0,
        DESCRIPTION: 0.5,
        ATTRIBUTES: 0.25,
        PINYIN: 0.5,
        CODE_PARTS: 0.5,
        PARTS: 1.0,
    },
    han={TITLE_HAN: 0.5, OTHER_HAN: 0.1},
    prefixes={TITLE: 0.5, KEYWORDS: 0.5, PINYIN: 0.25, CODE_PARTS: 0.25},
    heads={HEADS: 1.0},
)
ARTICLE_BOOSTS = FieldBoosts(
    words={TITLE: 2.0, KEYWORDS: 1.0, QUESTIONS: 1.0, DESCRIPTION: 0.5, PINYIN: 0.25},
    han={TITLE_HAN: 0.5, QUESTIONS_HAN: 0.5, OTHER_HAN: 0.1},
    prefixes={TITLE: 0.5, KEYWORDS: 0.5, QUESTIONS: 0.5, DESCRIPTION: 0.25, PINYIN: 0.25},
)

NAME_BOOSTS = FieldBoosts(
    words={KEYWORDS: 1.0, PINYIN: 1.0},
    han={OTHER_HAN: 1.0},
    prefixes={KEYWORDS: 1.0, PINYIN: 1.0},
    anywhere=False,
)
"""Where the names of brands and categories stand: who has one of them in a query is found there."""


def category_value(path: str) -> str:
    """A category as it is counted: after its parent, so that the children of one stand together."""
    parent, _, own = path.strip("/").rpartition("/")
    return f"{parent.rpartition('/')[2] or 0}/{own}"


def attribute_value(code: str, value: str) -> str:
    return f"{code}={value}"


def text_query(plan: QueryPlan, boosts: FieldBoosts = PRODUCT_BOOSTS) -> TextQuery:
    """The query of a plan."""
    code = KeywordFilter(CODE, (plan.code,)) if plan.code else None
    needed, optional = (plan.words, plan.numbers) if plan.is_partial else (plan.clauses, ())
    return TextQuery(
        tuple(clause_of(clause, boosts) for clause in needed),
        plan.minimum_should_match,
        code,
        optional=tuple(clause_of(clause, boosts) for clause in optional),
    )


def clause_of(clause: QueryClause, boosts: FieldBoosts) -> Clause:
    heads = boosts.heads if clause.is_head else {}
    alternatives = [
        Alternative(
            (term,),
            boosts_of(term, share / 100, boosts, heads),
            anywhere=boosts.anywhere and not is_character(term),
        )
        for term, share in clause.terms
    ]
    for phrase in clause.phrases:
        if phrase.is_prefix:
            alternatives.append(
                Alternative(phrase.words, prefixes_of(phrase.words[-1], boosts), is_prefix=True)
            )
        elif len(phrase.words) > 1:
            alternatives.append(Alternative(phrase.words, boosts.han))
    return tuple(alternatives)


def prefixes_of(beginning: str, boosts: FieldBoosts) -> Mapping[str, float]:
    if len(beginning) >= SHORTEST_CODE_BEGINNING:
        return boosts.prefixes
    return {name: boost for name, boost in boosts.prefixes.items() if name != CODE_PARTS}


def boosts_of(term: str, share: float, boosts: FieldBoosts, heads: Mapping[str, float]) -> dict[str, float]:
    words = boosts.han if is_character(term) else boosts.words
    more = heads if term.isascii() else {name: HAN_HEADS * boost for name, boost in heads.items()}
    return {name: boost * share for name, boost in {**words, **more}.items()}


def is_character(term: str) -> bool:
    """Whether it is a single Chinese character, which is no word of its own."""
    return len(term) == 1 and not term.isascii()
