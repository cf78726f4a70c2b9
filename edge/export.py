"""The file with everything the shop knows of an account, behind a link that opens once."""

import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from domain.account import use_code
from domain.errors import ErrorCode
from domain.personal_data import export_account
from edge.responses import error_response
from events.shop import Shop
from gateways.secrets import fingerprint_of
from models import VerificationPurpose
from resolvers.account import EXPORT_PATH
from text.messages import Message

HEADERS = {
    "Content-Disposition": 'attachment; filename="account.json"',
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
TOKEN_LIMIT = 100


def export_routes(shop: Shop) -> list[Route]:
    async def send_export(request: Request) -> Response:
        account_id = await redeem_token(request.query_params.get("token", ""), shop)
        if account_id is None:
            message = Message("This link has expired or was opened before.")
            return error_response(message, ErrorCode.NOT_FOUND, 404)
        async with shop.database.snapshot() as session:
            exported = await export_account(session, account_id)
        body = {"exportedAt": shop.clock().isoformat(), "tables": exported}
        content = orjson.dumps(body, option=orjson.OPT_INDENT_2)
        return Response(content, media_type="application/json", headers=HEADERS)

    return [Route(EXPORT_PATH, send_export, methods=["GET"])]


async def redeem_token(token: str, shop: Shop) -> int | None:
    """The account of a link, which does not open again; None for any other token."""
    async with shop.database.writes.begin() as session:
        download = await use_code(
            session,
            fingerprint_of(token[:TOKEN_LIMIT]),
            VerificationPurpose.EXPORT,
            is_right=lambda _: True,
            now=shop.clock(),
        )
        return download.account_id if download else None
