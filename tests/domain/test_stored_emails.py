"""Addresses that were stored before they had one spelling are brought into it."""

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.account.stored_emails import normalize_stored_emails
from models import Account
from tests.factories.account import create_account


async def emails(session: AsyncSession) -> dict[int, str | None]:
    session.expire_all()
    return {account.id: account.email for account in await session.scalars(select(Account))}


async def test_stored_addresses_get_the_spelling_in_which_they_are_looked_for(session: AsyncSession) -> None:
    decomposed = await create_account(session, email="zoe\u0308@example.com")
    foreign = await create_account(session, email="mei@例子.中国")
    plain = await create_account(session, email="emma@example.com")

    done = await normalize_stored_emails(session, 0)

    assert (done.changed, done.kept, done.last) == (2, (), plain.id)
    assert await emails(session) == {
        decomposed.id: "zoë@example.com",
        foreign.id: "mei@xn--fsqu00a.xn--fiqs8s",
        plain.id: "emma@example.com",
    }
    again = await normalize_stored_emails(session, 0)
    assert (again.changed, again.kept) == (0, ())


async def test_of_two_accounts_with_one_address_the_one_that_has_it_keeps_it_else_the_older(
    session: AsyncSession,
) -> None:
    has_not = await create_account(session, email="zoe\u0308@example.com")
    has = await create_account(session, email="zoë@example.com")
    older = await create_account(session, email="ada\u0301@example.com")
    younger = await create_account(session, email="adá\u200b@example.com")
    refused = await create_account(session, email="pаypal@example.com")

    done = await normalize_stored_emails(session, 0)

    assert (done.changed, done.kept) == (1, (has_not.id, younger.id, refused.id))
    assert await emails(session) == {
        has_not.id: "zoe\u0308@example.com",
        has.id: "zoë@example.com",
        older.id: "adá@example.com",
        younger.id: "adá\u200b@example.com",
        refused.id: "pаypal@example.com",
    }
