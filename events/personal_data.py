"""Accounts are erased a moment after it was asked for, and then their pictures are deleted."""

from domain.personal_data import (
    delete_erased_picture,
    erase_account,
    find_erased_file,
    select_due_erasures,
    select_erased_pictures,
)
from domain.picture_size import list_file_names
from events.types import Resources, Timer


async def erase_due_account(resources: Resources, account_id: int) -> None:
    async with resources.database.writes.begin() as session:
        await erase_account(session, account_id, now=resources.clock())


async def delete_picture_of_erased(resources: Resources, media_id: int) -> None:
    """First the files, then the row: whoever is killed in between is found again by the row."""
    now = resources.clock()
    async with resources.database.reads() as session:
        name = await find_erased_file(session, media_id, now=now)
    if name is not None:
        for file_name in list_file_names(name):
            await resources.media.delete(file_name)
    async with resources.database.writes.begin() as session:
        await delete_erased_picture(session, media_id, now=now)


ERASURES = Timer("accounts.erasure_due", due=select_due_erasures, act=erase_due_account)
ERASED_PICTURES = Timer("media.of_erased", due=select_erased_pictures, act=delete_picture_of_erased)
