"""The content of the demo shop, read from the TOML files in this folder."""

from collections import Counter
from collections.abc import Iterable, Iterator

from demo.content.drafting import draft_product
from demo.content.files import (
    ProductRow,
    parse_rows,
    read_articles,
    read_option_translations,
    read_synonyms,
    read_tables,
)
from demo.content.kinds import (
    AddressContent,
    ArticleContent,
    AskedContent,
    AttributeContent,
    AttributeValueContent,
    CategoryContent,
    ClaimPolicyContent,
    Content,
    CourseContent,
    CustomerContent,
    PastOrderContent,
    PastTicketContent,
    PromotionContent,
    StaffContent,
    TicketAgentContent,
    TicketContent,
    WarehouseContent,
)
from demo.content.rules import category_paths, check_content

__all__ = [
    "OPTION_TRANSLATIONS",
    "AddressContent",
    "ArticleContent",
    "AttributeContent",
    "AttributeValueContent",
    "CategoryContent",
    "ClaimPolicyContent",
    "Content",
    "CourseContent",
    "CustomerContent",
    "PastOrderContent",
    "PastTicketContent",
    "PromotionContent",
    "StaffContent",
    "TicketAgentContent",
    "TicketContent",
    "WarehouseContent",
    "read_content",
    "read_emails",
]


def read_emails() -> tuple[str, ...]:
    """The e-mail addresses of the demo shop's accounts: staff, then customers."""
    return tuple(
        str(person["email"]) for key in ("staff", "customers") for person in read_tables("people.toml", key)
    )


OPTION_TRANSLATIONS: dict[str, str] = read_option_translations()
"""English for every Chinese name and value of an option in the products."""


def read_content() -> Content:
    """Return all content; ValueError that names what is wrong."""
    categories = parse_rows(CategoryContent, _number_siblings(read_tables("categories.toml", "categories")))
    paths = category_paths(categories)
    products = parse_rows(ProductRow, read_tables("products/*.toml", "products"))
    content = Content(
        categories=categories,
        attributes=parse_rows(AttributeContent, read_tables("attributes.toml", "attributes")),
        warehouses=parse_rows(WarehouseContent, read_tables("warehouses.toml", "warehouses")),
        products=tuple(draft_product(row, paths=paths) for row in products),
        claim_policies=parse_rows(ClaimPolicyContent, read_tables("claim_policies.toml", "claim_policies")),
        articles=parse_rows(ArticleContent, read_articles()),
        synonyms=read_synonyms(),
        courses=parse_rows(CourseContent, read_tables("courses.toml", "courses")),
        customers=parse_rows(CustomerContent, read_tables("people.toml", "customers")),
        guests=parse_rows(CustomerContent, read_tables("people.toml", "guests")),
        staff=parse_rows(StaffContent, read_tables("people.toml", "staff")),
        ticket_agents=parse_rows(TicketAgentContent, read_tables("people.toml", "ticket_agents")),
        promotions=parse_rows(PromotionContent, read_tables("promotions.toml", "promotions")),
        tickets=parse_rows(TicketContent, read_tables("tickets.toml", "tickets")),
        questions=parse_rows(AskedContent, read_tables("tickets.toml", "questions")),
        past_orders=parse_rows(PastOrderContent, read_tables("ticket_history.toml", "past_orders")),
    )
    check_content(content, option_translations=OPTION_TRANSLATIONS)
    return content


def _number_siblings(categories: Iterable[dict[str, object]]) -> Iterator[dict[str, object]]:
    """Add a `position`, counted from 1 among the children of each parent."""
    children: Counter[object] = Counter()
    for category in categories:
        parent = category.get("parent")
        children[parent] += 1
        yield category | {"position": children[parent]}
