"""Titles of what was ordered, in the language of who reads them."""

from collections.abc import Sequence

from models import OrderLine, Translations
from resolvers.context import Info


async def line_titles(lines: Sequence[OrderLine], info: Info) -> list[str]:
    """The title that the product had when it was ordered."""
    older = {line.product_id for line in lines if line.translations is None}
    products = {
        product.id: product for product in await info.context.load.product.load_many(list(older)) if product
    }

    def translations_of(line: OrderLine) -> Translations:
        product = products.get(line.product_id)
        if line.translations is None:
            return product.translations if product and product.title == line.title else {}
        return line.translations

    viewer = info.context.viewer_of(info)
    return [viewer.translate(translations_of(line), "title", line.title) for line in lines]
