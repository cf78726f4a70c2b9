"""Shows the demo's pictures, drawn when somebody looks."""

import re
from collections.abc import Awaitable, Callable

from sqlalchemy import select
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from demo.pictures import picture
from events.shop import Shop
from models import Category, Product

NAME = re.compile(r"(?P<slug>[\w-]{1,255})-(?P<number>[1-9])\.svg")
HEADERS = {
    "Cache-Control": "public, max-age=86400",
    "Content-Security-Policy": "sandbox; default-src 'none'; style-src 'unsafe-inline'",
    "X-Content-Type-Options": "nosniff",
}


def gallery_routes(shop: Shop) -> list[Route]:
    """`/media/demo/<slug>-<number>.svg`; nothing in production."""
    return [] if shop.settings.production else [Route("/media/demo/{name}", show(shop))]


def show(shop: Shop) -> Callable[[Request], Awaitable[Response]]:
    async def answer(request: Request) -> Response:
        wanted = NAME.fullmatch(request.path_params["name"])
        if wanted is None:
            return missing()
        async with shop.database.reads() as session:
            row = (
                await session.execute(
                    select(Product.title, Category.slug)
                    .outerjoin(Category, Category.id == Product.category_id)
                    .where(Product.slug == wanted["slug"])
                )
            ).one_or_none()
        if row is None:
            return missing()
        drawn = picture(wanted["slug"], row[0], category=row[1] or "", index=int(wanted["number"]) - 1)
        return Response(drawn, media_type="image/svg+xml", headers=HEADERS)

    return answer


def missing() -> Response:
    return PlainTextResponse("There is no such picture.", 404)
