"""Passwords are hashed beside the event loop, few at a time; too many at once are refused, not queued."""

import asyncio
import threading
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
from argon2 import PasswordHasher
from sqlalchemy.ext.asyncio import AsyncSession

from events.shop import Shop
from gateways.hashing import HASHES_AT_ONCE, HashingBusy, HashQueue
from gateways.secrets import Secrets
from tests.clients import Clients
from tests.factories.account import PASSWORD, create_account
from tests.observe import wait_until

SIGN_IN = """mutation($input: SessionCreateInput!) { sessionCreate(input: $input) {
  session { accessToken } userErrors { code retryAfterSeconds } } }"""


class HeldHasher(PasswordHasher):
    """A hasher whose hashes all wait until they are let go."""

    def __init__(self) -> None:
        super().__init__(time_cost=1, memory_cost=8, parallelism=1)
        self.may_go = threading.Event()
        self.counting = threading.Lock()
        self.running = self.most = 0

    def hash(self, password: str | bytes, *, salt: bytes | None = None) -> str:
        with self.counting:
            self.running += 1
            self.most = max(self.most, self.running)
        self.may_go.wait(20)
        with self.counting:
            self.running -= 1
        return super().hash(password, salt=salt)


@pytest.fixture
async def hasher() -> AsyncIterator[HeldHasher]:
    hasher = HeldHasher()
    yield hasher
    hasher.may_go.set()


async def test_few_hashes_run_at_the_same_time_and_the_event_loop_goes_on(hasher: HeldHasher) -> None:
    secrets = Secrets(hasher)

    hashes = [asyncio.create_task(secrets.hash_password(PASSWORD)) for _ in range(10)]
    await wait_until(lambda: hasher.running == HASHES_AT_ONCE)
    await asyncio.sleep(0.05)
    hasher.may_go.set()

    assert len(set(await asyncio.gather(*hashes))) == 10
    assert hasher.most == HASHES_AT_ONCE


async def test_more_hashes_than_may_wait_are_refused_at_once(hasher: HeldHasher) -> None:
    secrets = Secrets(hasher, HashQueue(at_once=1, waiting=2))
    hashes = [asyncio.create_task(secrets.hash_password(PASSWORD)) for _ in range(3)]
    await asyncio.sleep(0)

    with pytest.raises(HashingBusy):
        await secrets.verify_password(None, PASSWORD)
    hashes.pop().cancel()
    await asyncio.sleep(0)
    hashes.append(asyncio.create_task(secrets.hash_password(PASSWORD)))
    hasher.may_go.set()

    assert len(await asyncio.gather(*hashes)) == 3


async def test_a_sign_in_that_would_wait_too_long_is_told_when_to_try_again(
    clients: Clients, shop: Shop, session: AsyncSession, hasher: HeldHasher
) -> None:
    await create_account(session, email="mei@example.com")
    await session.commit()
    shop.secrets = replace(shop.secrets, queue=HashQueue(at_once=1, waiting=0))
    held = asyncio.create_task(shop.secrets.queue.run(hasher.hash, PASSWORD))
    await wait_until(lambda: hasher.running == 1)

    refused = await clients.guest().do(SIGN_IN, login="mei@example.com", password=PASSWORD)
    hasher.may_go.set()
    await held
    signed_in = await clients.guest().do(SIGN_IN, login="mei@example.com", password=PASSWORD)

    assert refused == {"session": None, "userErrors": [{"code": "BUSY", "retryAfterSeconds": 2.0}]}
    assert signed_in["session"]["accessToken"]
