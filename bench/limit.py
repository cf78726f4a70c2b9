"""The lower limit of the cost of a page of products: written by hand, with no framework but Starlette.

`python -m bench.limit` serves it on PORT from DATABASE_URL; bench.reads starts it beside the shop.
"""

import base64
import os
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import asyncpg
import orjson
import uvicorn
from sqlalchemy import select
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from bench.arguments import read_arguments
from models import Variant
from models.availability import is_available
from models.sql.prepared import DIALECTS

PRODUCTS = """
SELECT p.id, p.slug, p.title, c.name AS category
FROM products p LEFT JOIN categories c ON c.id = p.category_id
WHERE p.status = 'ACTIVE' ORDER BY p.published_at DESC, p.id DESC LIMIT 20
"""
MEDIA = """
SELECT pm.product_id, m.url, m.alt FROM product_media pm JOIN media m ON m.id = pm.media_id
WHERE pm.product_id = ANY($1) ORDER BY pm.product_id, pm.position
"""
AVAILABLE = select(Variant.id, is_available().label("in_stock")).compile(
    dialect=DIALECTS["postgresql"], compile_kwargs={"literal_binds": True}
)
VARIANTS = f"""
SELECT v.id, v.product_id, v.sku, p.amount, p.currency, a.in_stock
FROM variants v JOIN ({AVAILABLE}) a ON a.id = v.id
LEFT JOIN prices p ON p.variant_id = v.id AND p.currency = 'CNY'
WHERE v.product_id = ANY($1) AND v.archived_at IS NULL ORDER BY v.product_id, v.position
"""


def global_id(kind: str, number: int) -> str:
    return base64.urlsafe_b64encode(f"{kind}:{number}".encode()).decode().rstrip("=")


def variant_json(row: Any) -> dict[str, Any]:
    price = row["amount"]
    return {
        "id": global_id("Variant", row["id"]),
        "sku": row["sku"],
        "price": None
        if price is None
        else {"amount": f"{price // 100}.{price % 100:02}", "currencyCode": row["currency"]},
        "availability": {"inStock": row["in_stock"]},
    }


async def page_json(pool: Any) -> bytes:
    async with pool.acquire() as connection:
        products = await connection.fetch(PRODUCTS)
        ids = [row["id"] for row in products]
        media, variants = defaultdict(list), defaultdict(list)
        for row in await connection.fetch(MEDIA, ids):
            media[row["product_id"]].append({"url": row["url"], "alt": row["alt"]})
        for row in await connection.fetch(VARIANTS, ids):
            variants[row["product_id"]].append(variant_json(row))
    nodes = [
        {
            "id": global_id("Product", row["id"]),
            "slug": row["slug"],
            "title": row["title"],
            "category": row["category"] and {"name": row["category"]},
            "media": media[row["id"]],
            "variants": variants[row["id"]],
        }
        for row in products
    ]
    return orjson.dumps({"data": {"products": {"nodes": nodes}}})


def create_app(url: str) -> Starlette:
    @asynccontextmanager
    async def open_pool(starlette: Starlette) -> AsyncIterator[dict[str, Any]]:
        async with asyncpg.create_pool(url, min_size=2, max_size=10) as pool:
            yield {"pool": pool}

    async def answer(request: Request) -> Response:
        orjson.loads(await request.body())
        return Response(await page_json(request.state.pool), media_type="application/json")

    return Starlette(routes=[Route("/graphql", answer, methods=["POST"])], lifespan=open_pool)


if __name__ == "__main__":
    read_arguments(__doc__)
    address = os.environ["DATABASE_URL"].replace("postgresql+asyncpg", "postgresql")
    uvicorn.run(create_app(address), port=int(os.environ["PORT"]), log_level="warning", access_log=False)
