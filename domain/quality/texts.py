"""Texts that say nothing of their product: placeholders, and one description for many products."""

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterator

from domain.quality.completeness import DESCRIPTION_LENGTH
from domain.quality.facts import CatalogueFacts, ProductFacts
from domain.quality.issue import QualityIssue, QualityReason
from text.messages import Message

MANY = 4
"""Products with one description from which it is an issue: colours of one thing often share theirs."""

PLACEHOLDER_TITLE = re.compile(
    r"(?:(?:a |my |new |the )?(?:test|tests|testing|sample|dummy|placeholder|untitled|asdf+|qwert[yz]?|x{3,}"
    r"|tbd|todo)(?: (?:product|item|title|article))?|new product|product (?:name|title)|example product"
    r"|测试(?:商品|产品)?|样品|示例商品|商品名称|商品标题|无标题|新商品)[\W_]*[0-9]*"
)
"""The whole of a title without case."""

PLACEHOLDER_TEXT = re.compile(r"lorem ipsum|\bdolor sit amet\b")


def find_poor_texts(catalogue: CatalogueFacts) -> Iterator[QualityIssue]:
    for product in catalogue.products:
        yield from find_placeholders(product)
    yield from find_same_descriptions(catalogue)


def find_placeholders(product: ProductFacts) -> Iterator[QualityIssue]:
    title = fold_text(product.title)
    if PLACEHOLDER_TITLE.fullmatch(title) or PLACEHOLDER_TEXT.search(title):
        message = Message("“{title}” is a placeholder, not a title.", title=product.title)
        yield QualityIssue(product.id, QualityReason.PLACEHOLDER, "title", message)
    if PLACEHOLDER_TEXT.search(fold_text(product.text)):
        message = Message("Its description is a placeholder.")
        yield QualityIssue(product.id, QualityReason.PLACEHOLDER, "description", message)


def find_same_descriptions(catalogue: CatalogueFacts) -> Iterator[QualityIssue]:
    """An issue of each product whose description is that of several others."""
    owners: defaultdict[str, list[ProductFacts]] = defaultdict(list)
    for product in catalogue.products:
        if len(product.text) >= DESCRIPTION_LENGTH:
            owners[fold_text(product.text)].append(product)
    for products in owners.values():
        if len(products) < MANY:
            continue
        for product in products:
            others = len(products) - 1
            message = Message("Its description is that of {others} other products, too.", others=others)
            yield QualityIssue(product.id, QualityReason.DUPLICATE_DESCRIPTION, "description", message)


def fold_text(text: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())
