"""Resolvers of the viewer, and of who may see how an account can be reached."""

from models import Account
from resolvers.context import Info, Viewer
from resolvers.guard import Permission


async def viewer(info: Info) -> Viewer:
    """Who sends the request; a guest has no account."""
    return info.context.viewer


def email(root: Account, info: Info) -> str | None:
    """The e-mail address; null unless it is the viewer's own or the viewer is staff."""
    return root.email if may_see_contact(info, root) else None


def phone(root: Account, info: Info) -> str | None:
    """The phone number in E.164; null unless it is the viewer's own or the viewer is staff."""
    return root.phone if may_see_contact(info, root) else None


def may_see_contact(info: Info, account: Account) -> bool:
    """Whether it is the viewer's own account or the viewer may see contacts; others see only the name."""
    return info.context.viewer.owns(account.id) or info.context.viewer.may(Permission.CONTACT_VIEW)


async def find_account(info: Info, account_id: int) -> Account | None:
    visible = info.context.viewer.owns(account_id) or info.context.viewer.may(Permission.ACCOUNT_VIEW)
    return await info.context.load.account.load(account_id) if visible else None
