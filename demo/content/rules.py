"""Checks of the demo shop's content."""

from collections.abc import Iterable, Mapping
from datetime import date
from decimal import Decimal

from demo.content.kinds import AttributeContent, CategoryContent, Content
from domain.catalog.product import ProductDraft, VariantDraft
from models.catalog import AttributeType
from models.money import CurrencyCode

CURRENCIES = frozenset({CurrencyCode.CNY, CurrencyCode.USD})
LEVELS = 3
BARCODE_DIGITS = 13


def check_content(content: Content, *, option_translations: Mapping[str, str]) -> None:
    """ValueError that names the first mistake."""
    _check_unique(content)
    paths = category_paths(content.categories)
    slugs = {path: slug for slug, path in paths.items() if len(path) == LEVELS}
    _check_owners(content, paths)
    attributes = attributes_by_category(content)
    warehouses = frozenset(warehouse.code for warehouse in content.warehouses)
    for product in content.products:
        if product.category_path not in slugs:
            raise ValueError(f"{product.slug}: {product.category_path} is not a leaf category")
        _check_texts(product)
        _check_attributes(product, attributes[slugs[product.category_path]])
        for variant in product.variants:
            _check_variant(variant, warehouses=warehouses, option_translations=option_translations)
    _check_promotions(content)
    _check_courses(content)
    _check_agents(content)
    for policy in content.claim_policies:
        if policy.category not in paths:
            raise ValueError(f"a claim policy: there is no category {policy.category}")


def _check_courses(content: Content) -> None:
    """Courses teach articles that there are, and their translations have all options."""
    slugs = {article.slug for article in content.articles}
    for course in content.courses:
        if missing := set(course.articles) - slugs:
            raise ValueError(f"{course.title}: there are no articles {sorted(missing)}")
        for question in course.questions:
            if len(question.en.options) != len(question.options):
                raise ValueError(f"{question.prompt}: its translation has other options")


def _check_agents(content: Content) -> None:
    emails = {person.email for person in content.staff}
    for agent in content.ticket_agents:
        if agent.email not in emails:
            raise ValueError(f"a ticket agent: nobody of the staff has {agent.email}")


def category_paths(categories: Iterable[CategoryContent]) -> dict[str, tuple[str, ...]]:
    """Return the Chinese names from the root down, by the slug of the category."""
    paths: dict[str, tuple[str, ...]] = {}
    for category in categories:
        if category.parent is not None and category.parent not in paths:
            raise ValueError(f"{category.slug}: its parent {category.parent} does not come before it")
        parent_path = paths[category.parent] if category.parent else ()
        paths[category.slug] = (*parent_path, category.name)
    return paths


def attributes_by_category(content: Content) -> dict[str, tuple[AttributeContent, ...]]:
    """Return the attributes of each category, inherited ones first, by its slug."""
    attributes: dict[str, tuple[AttributeContent, ...]] = {}
    for category in content.categories:
        inherited = attributes[category.parent] if category.parent else ()
        own = tuple(attribute for attribute in content.attributes if attribute.category == category.slug)
        attributes[category.slug] = inherited + own
    return attributes


def _check_texts(product: ProductDraft) -> None:
    english = product.translations.get("en", {})
    texts = (product.title, product.description, english.get("title"), english.get("description"))
    if not all(texts):
        raise ValueError(f"{product.slug}: a title or a description is missing")
    if not product.variants:
        raise ValueError(f"{product.slug}: there is no variant")
    _check_no_duplicates(f"{product.slug}: options", (variant.options for variant in product.variants))


def _check_attributes(product: ProductDraft, attributes: Iterable[AttributeContent]) -> None:
    known = {attribute.code: attribute for attribute in attributes}
    for code, values in product.attributes.items():
        if code not in known:
            raise ValueError(f"{product.slug}: its category has no attribute {code}")
        for value in values:
            _check_value(product, known[code], value)
    for code, attribute in known.items():
        if attribute.required and not product.attributes.get(code):
            raise ValueError(f"{product.slug}: the required attribute {code} is missing")


def _check_variant(
    variant: VariantDraft, *, warehouses: frozenset[str], option_translations: Mapping[str, str]
) -> None:
    if missing := CURRENCIES - variant.prices.keys():
        raise ValueError(f"{variant.sku}: no price in {', '.join(sorted(missing))}")
    for price in variant.prices.values():
        if price.compare_at is not None and price.compare_at <= price.amount:
            raise ValueError(f"{variant.sku}: {price.compare_at} before is no more than {price.amount} now")
    if variant.stock.keys() != warehouses:
        raise ValueError(f"{variant.sku}: stock is not given for exactly the warehouses")
    if variant.barcode is not None and not is_ean13(variant.barcode):
        raise ValueError(f"{variant.sku}: {variant.barcode} is not an EAN-13")
    for word in (word for option in variant.options for word in option if word not in option_translations):
        raise ValueError(f"{variant.sku}: the option {word} has no English")


def is_ean13(barcode: str) -> bool:
    """Whether it has 13 digits and the last is the check digit (GS1: weights 1 and 3)."""
    if len(barcode) != BARCODE_DIGITS or not (barcode.isascii() and barcode.isdigit()):
        return False
    digits = [int(digit) for digit in barcode]
    return (sum(digits[::2]) + 3 * sum(digits[1::2])) % 10 == 0


def _check_value(product: ProductDraft, attribute: AttributeContent, value: str) -> None:
    try:
        match attribute.type:
            case AttributeType.NUMBER:
                Decimal(value)
            case AttributeType.DATE:
                date.fromisoformat(value)
            case AttributeType.BOOLEAN:
                ("false", "true").index(value)
            case AttributeType.ENUM:
                [allowed.code for allowed in attribute.values].index(value)
            case AttributeType.TEXT:
                pass
    except (ValueError, ArithmeticError):
        raise ValueError(f"{product.slug}: {attribute.code} cannot be {value}") from None


def _check_owners(content: Content, paths: Mapping[str, tuple[str, ...]]) -> None:
    for attribute in content.attributes:
        if attribute.category not in paths:
            raise ValueError(f"{attribute.code}: there is no category {attribute.category}")
        if (attribute.type is AttributeType.ENUM) != bool(attribute.values):
            raise ValueError(f"{attribute.code}: an ENUM has values, and nothing else has")
    skus = {variant.sku for product in content.products for variant in product.variants}
    for ticket in content.tickets:
        if ticket.sku not in skus:
            raise ValueError(f"a ticket is about {ticket.sku}, which is not sold")


def _check_promotions(content: Content) -> None:
    """Check that their categories and variants exist; their terms are checked by the shop."""
    slugs = {category.slug for category in content.categories}
    skus = {variant.sku for product in content.products for variant in product.variants}
    for promotion in content.promotions:
        if promotion.category is not None and promotion.category not in slugs:
            raise ValueError(f"{promotion.en}: there is no category {promotion.category}")
        if promotion.sku is not None and promotion.sku not in skus:
            raise ValueError(f"{promotion.en}: {promotion.sku} is not sold")


def _check_unique(content: Content) -> None:
    variants = [variant for product in content.products for variant in product.variants]
    _check_no_duplicates("category", (category.slug for category in content.categories))
    _check_no_duplicates("attribute", (attribute.code for attribute in content.attributes))
    _check_no_duplicates("product", (product.slug for product in content.products))
    _check_no_duplicates("SKU", (variant.sku for variant in variants))
    _check_no_duplicates("barcode", (variant.barcode for variant in variants if variant.barcode))
    _check_no_duplicates("article", (article.slug for article in content.articles))
    emails = [customer.email for customer in content.customers]
    _check_no_duplicates("e-mail", emails + [person.email for person in content.staff])
    _check_no_duplicates("phone", (customer.phone for customer in content.customers))
    _check_no_duplicates("warehouse", (warehouse.code for warehouse in content.warehouses))
    _check_no_duplicates("coupon", (promotion.code for promotion in content.promotions if promotion.code))


def _check_no_duplicates(what: str, keys: Iterable[object]) -> None:
    seen: set[object] = set()
    for key in keys:
        if key in seen:
            raise ValueError(f"{what} {key} is given twice")
        seen.add(key)
