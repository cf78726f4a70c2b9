"""What the customer does next, as it is kept with an attempt."""

from gateways.payment.provider import Action, AppParameters, ClientSecret, NothingToDo, Redirect, ScanCode
from models import ActionKind


def describe_action(action: Action) -> tuple[ActionKind, str, str | None]:
    """An action as it is kept: its kind, its value, and the key that belongs to a client secret."""
    match action:
        case ScanCode(code):
            return ActionKind.QR_CODE, code, None
        case Redirect(url):
            return ActionKind.REDIRECT, url, None
        case AppParameters(text):
            return ActionKind.APP_PARAMETERS, text, None
        case ClientSecret(secret, key):
            return ActionKind.CLIENT_SECRET, secret, key
        case NothingToDo():
            return ActionKind.NONE, "", None
