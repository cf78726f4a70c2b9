"""What requests of clients pass and posts of partners do not."""

from collections.abc import Sequence

from starlette.middleware import Middleware
from starlette.types import ASGIApp, Receive, Scope, Send

from edge.rates import PARTNER_PATHS


class ClientGuards:
    """ASGI middleware of others, which what partners post does not pass.

    It is read in no language, comes from no page, is limited where it is judged and never becomes a stream; a
    carrier posts a thousand times a second.
    """

    def __init__(self, app: ASGIApp, *, guards: Sequence[Middleware]) -> None:
        self.app = self.guarded = app
        for guard in reversed(guards):
            self.guarded = guard.cls(self.guarded, *guard.args, **guard.kwargs)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        is_partner = scope["type"] == "http" and scope["path"].startswith(PARTNER_PATHS)
        await (self.app if is_partner else self.guarded)(scope, receive, send)
