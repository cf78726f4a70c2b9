"""Serving the pictures of the demo products, which are drawn on request."""

import re
from collections.abc import Awaitable, Callable

from sqlalchemy import select
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from demo.pictures import draw_picture
from events.shop import Shop
from models import Category, Product

NAME = re.compile(r"(?P<slug>[\w-]{1,255})-(?P<number>[1-9])\.svg")
HEADERS = {
    "Cache-Control": "public, max-age=86400",
    "Content-Security-Policy": "sandbox; default-src 'none'; style-src 'unsafe-inline'",
    "X-Content-Type-Options": "nosniff",
}


def picture_routes(shop: Shop) -> list[Route]:
    """Routes of `/media/demo/<slug>-<number>.svg`; none in production."""
    return (
        []
        if shop.settings.deployment.is_production
        else [Route("/media/demo/{name}", make_picture_handler(shop))]
    )


def make_picture_handler(shop: Shop) -> Callable[[Request], Awaitable[Response]]:
    async def show_picture(request: Request) -> Response:
        match = NAME.fullmatch(request.path_params["name"])
        if match is None:
            return not_found_response()
        async with shop.database.reads() as session:
            row = (
                await session.execute(
                    select(Product.title, Category.slug)
                    .outerjoin(Category, Category.id == Product.category_id)
                    .where(Product.slug == match["slug"])
                )
            ).one_or_none()
        if row is None:
            return not_found_response()
        drawn = draw_picture(match["slug"], row[0], category=row[1] or "", index=int(match["number"]) - 1)
        return Response(drawn, media_type="image/svg+xml", headers=HEADERS)

    return show_picture


def not_found_response() -> Response:
    return PlainTextResponse("There is no such picture.", 404)
