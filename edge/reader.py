"""In which language and time zone a request is answered where there is no viewer: refusals at the door."""

from datetime import tzinfo

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from edge.auth import choose_accepted_language
from resolvers.context import Viewer
from settings import Settings
from text.messages import Message

LANGUAGE, ZONE = "reader_language", "reader_zone"


class ReaderLanguage:
    """ASGI middleware that notes the language of `Accept-Language`, else the shop's, and its time zone."""

    def __init__(self, app: ASGIApp, *, settings: Settings) -> None:
        self.app = app
        self.settings = settings

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] in {"http", "websocket"}:
            accepted = choose_accepted_language(Headers(scope=scope).get("accept-language", ""))
            note_language(scope, accepted or self.settings.locale.default_language, self.settings.locale.zone)
        await self.app(scope, receive, send)


def note_language(scope: Scope, language: str, zone: tzinfo) -> None:
    scope.setdefault("state", {}).update({LANGUAGE: language, ZONE: zone})


def note_viewer(scope: Scope, viewer: Viewer) -> None:
    """Answer refusals of the request in the viewer's language, which may be that of the account."""
    note_language(scope, viewer.language, viewer.zone)


def text_for(scope: Scope, message: Message) -> str:
    """A message in the language of who has sent the request; in English where that is not noted."""
    state = scope.get("state", {})
    return message.text(state[LANGUAGE], state[ZONE]) if LANGUAGE in state else str(message)
