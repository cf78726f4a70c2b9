"""The fields of the index of products, and what a word counts in each."""

from collections.abc import Iterator

from gateways.search import Alternative, Clause, IndexLayout, KeywordFilter, TextQuery
from models import CurrencyCode
from text.query_plan import QueryClause, QueryPlan

TITLE, KEYWORDS, DESCRIPTION, ATTRIBUTES = "title", "keywords", "description", "attributes"
PINYIN, CODE_PARTS, PARTS = "pinyin", "code_parts", "parts"

TITLE_HAN, OTHER_HAN = "title_han", "other_han"
"""Single Chinese characters in their order: any part of a Chinese text is a phrase of them."""

STATUS, CODE, STOCK, ATTRIBUTE = "status", "code", "stock", "attribute"
BRAND, CATEGORY, CHOICE = "brand", "category", "choice"
"""What facets count; choices are the values of filterable attributes."""

NEWEST, UNITS = "newest", "units"

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
    version=2,
    texts=(TITLE, KEYWORDS, DESCRIPTION, ATTRIBUTES, PINYIN, CODE_PARTS, PARTS),
    phrases=(TITLE_HAN, OTHER_HAN),
    keywords=(STATUS, CODE, STOCK, ATTRIBUTE),
    counted=(BRAND, CATEGORY, CHOICE),
    numbers=(NEWEST, UNITS, *price_fields()),
)

WORD_BOOSTS = {
    TITLE: 2.0,
    KEYWORDS: 1.0,
    DESCRIPTION: 0.5,
    ATTRIBUTES: 0.25,
    PINYIN: 0.5,
    CODE_PARTS: 0.5,
    PARTS: 1.0,
}
HAN_BOOSTS = {TITLE_HAN: 0.5, OTHER_HAN: 0.1}
PREFIX_BOOSTS = {TITLE: 0.5, KEYWORDS: 0.5, PINYIN: 0.25, CODE_PARTS: 0.25}
"""What a word counts that only begins as it was typed: the same for every such word."""


def category_value(path: str) -> str:
    """A category as it is counted: after its parent, so that the children of one stand together."""
    parent, _, own = path.strip("/").rpartition("/")
    return f"{parent.rpartition('/')[2] or 0}/{own}"


def attribute_value(code: str, value: str) -> str:
    return f"{code}={value}"


def text_query(plan: QueryPlan) -> TextQuery:
    """The query of a plan."""
    clauses = tuple(clause_of(clause) for clause in plan.clauses)
    code = KeywordFilter(CODE, (plan.code,)) if plan.code else None
    return TextQuery(clauses, plan.minimum_should_match, code)


def clause_of(clause: QueryClause) -> Clause:
    alternatives = [Alternative((term,), boosts_of(term, share / 100)) for term, share in clause.terms]
    for phrase in clause.phrases:
        if phrase.is_prefix:
            alternatives.append(Alternative(phrase.words, PREFIX_BOOSTS, is_prefix=True))
        elif len(phrase.words) > 1:
            alternatives.append(Alternative(phrase.words, HAN_BOOSTS))
    return tuple(alternatives)


def boosts_of(term: str, share: float) -> dict[str, float]:
    boosts = HAN_BOOSTS if len(term) == 1 and not term.isascii() else WORD_BOOSTS
    return {name: boost * share for name, boost in boosts.items()}
