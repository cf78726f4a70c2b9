"""No answer, log line or message of a command holds a secret or a value that somebody has sent.

Marked secrets go through every door of a real process, first while all is well and then while its database
fails; everything that comes back, and everything that is logged, is searched for them.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import make_url, text
from sqlalchemy.ext.asyncio import create_async_engine
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.typing import Subprotocol

from events.shop import Shop
from gateways.payment.sandbox.notices import NONCE_HEADER, SIGNATURE_HEADER, TIMESTAMP_HEADER
from gateways.secrets import Secrets
from gateways.tokens import write_cart_token
from models import Role
from tests.factories.account import create_account
from tests.factories.token import sign_in_account
from tests.process import Process, call_cartwheel, open_shop_of, process_environment, serve_shop

KEY = "mark-secret-key-which-is-long-enough-to-sign"
DATABASE_PASSWORD = "mark-database-password"
PASSWORD, LOGIN, PHONE = "mark-password-1", "mark-login@example.com", "+8613800138471"
COUPON, ADDRESS, CODE, PATH = "MARK-COUPON", "mark street 7", "mark-one-time-code", "mark-path"
SIGNATURE, BODY, QUERY_TOKEN = "mark-signature", "mark-webhook-body", "mark-query-token"

FIXED = (
    KEY,
    DATABASE_PASSWORD,
    PASSWORD,
    LOGIN,
    PHONE,
    COUPON,
    ADDRESS,
    CODE,
    PATH,
    SIGNATURE,
    BODY,
    QUERY_TOKEN,
    "mark-smtp-password",
    "mark-webhook",
    "bWFyay13ZWJob29r",
)

NOTICES = {
    "SMTP_HOST": "127.0.0.1",
    "SMTP_PORT": "9",
    "SMTP_SECURITY": "none",
    "SMTP_USER": "shop",
    "SMTP_PASSWORD": "mark-smtp-password",
    "NOTICE_WEBHOOK_URL": "http://mark-webhook-user:mark-webhook-password@127.0.0.1:9/mark-webhook-path",
    "NOTICE_WEBHOOK_SECRET": "whsec_bWFyay13ZWJob29rLXNlY3JldC13aGljaC1pcy1sb25n",
}
"""Where notices go: nobody answers there. Without it development writes them to its log, codes included."""

FAILING_TABLES = (
    "carts",
    "accounts",
    "sessions",
    "sign_ins",
    "media",
    "payments",
    "verifications",
    "promotions",
    "addresses",
    "notices",
    "sign_in_failures",
)

SIGN_IN = "mutation($input: SessionCreateInput!) { sessionCreate(input: $input) { userErrors { message } } }"
REGISTER = (
    "mutation($input: AccountRegisterInput!) { accountRegister(input: $input) { userErrors { message } } }"
)
REFRESH = (
    "mutation($input: SessionRefreshInput!) { sessionRefresh(input: $input) { userErrors { message } } }"
)
APPLY = (
    "mutation($input: CartCouponApplyInput!) { cartCouponApply(input: $input) { userErrors { message } } }"
)
SAVE = "mutation($input: AddressSaveInput!) { addressSave(input: $input) { userErrors { message } } }"
CONFIRM = (
    "mutation($input: RegistrationConfirmInput!)"
    " { registrationConfirm(input: $input) { userErrors { message } } }"
)
WATCH = "subscription { cartUpdates { version } }"
CART = "{ cart { version } }"


@dataclass
class Doors:
    """Everything that a stranger can send something to, and what came back."""

    process: Process
    http: httpx.AsyncClient
    headers: dict[str, str]
    answers: list[str] = field(default_factory=list)

    def keep(self, answer: httpx.Response) -> None:
        self.answers.append(f"{answer.status_code} {answer.headers} {answer.text}")

    async def post(self, document: object, variables: object = None, **headers: str) -> None:
        body = {"query": document, "variables": variables}
        self.keep(await self.http.post("/graphql", json=body, headers=self.headers | headers))

    async def try_all(self) -> None:
        for door in (self.ask, self.ask_wrongly, self.watch, self.stream, self.upload, self.call_back):
            await door()

    async def ask(self) -> None:
        await self.post(SIGN_IN, {"input": {"login": LOGIN, "password": PASSWORD}}, Authorization="")
        await self.post(SIGN_IN, {"input": {"login": LOGIN, "password": PASSWORD + "!"}})
        await self.post(REGISTER, {"input": {"name": ADDRESS, "password": PASSWORD, "email": LOGIN}})
        await self.post(REGISTER, {"input": {"name": ADDRESS, "password": PASSWORD, "phone": PHONE}})
        await self.post(CONFIRM, {"input": {"token": CODE, "code": CODE}})
        await self.post(REFRESH, {"input": {"refreshToken": QUERY_TOKEN}})
        await self.post(APPLY, {"input": {"code": COUPON}})
        await self.post(
            SAVE, {"input": {"address": {"recipient": ADDRESS, "phone": PHONE, "city": "x", "line1": "y"}}}
        )
        await self.post(CART, Authorization="")
        self.keep(
            await self.http.get(
                "/graphql", params={"query": CART, "token": QUERY_TOKEN}, headers=self.headers
            )
        )
        self.keep(await self.http.get(f"/{PATH}?token={QUERY_TOKEN}", headers={"Cookie": f"a={QUERY_TOKEN}"}))
        self.keep(await self.http.get(f"/sandbox/pay/{PATH}?token={QUERY_TOKEN}"))
        self.keep(await self.http.get(f"/media/{PATH}.png"))

    async def ask_wrongly(self) -> None:
        for value in (
            f'"{PASSWORD}"',
            f'[{{ password: "{PASSWORD}" }}]',
            f'{{ login: {{ a: "{PASSWORD}" }} }}',
        ):
            await self.post(f"mutation {{ sessionCreate(input: {value}) {{ userErrors {{ code }} }} }}")
        await self.post(f'{{ viewer("{PASSWORD}") }}')
        await self.post(f'{{ viewer(a: "{PASSWORD}')
        await self.post(SIGN_IN, {"input": PASSWORD})
        await self.post(SIGN_IN, {"input": {"login": [LOGIN], "password": {"a": PASSWORD}}})
        await self.post(SIGN_IN, PASSWORD)
        await self.post([PASSWORD])
        await self.post(CART, Authorization=f"Bearer {QUERY_TOKEN}")
        await self.post(
            CART, **{"X-Cart-Token": QUERY_TOKEN, "X-Currency": COUPON, "Accept-Language": COUPON}
        )
        for content in (f'{{"query": "{PASSWORD}', f'"{PASSWORD}"', PASSWORD):
            headers = {"Content-Type": "application/json"}
            self.keep(await self.http.post("/graphql", content=content, headers=headers))

    async def watch(self) -> None:
        """Messages over WebSocket, each on a connection of its own."""
        subscribe = {"type": "subscribe", "id": "1"}
        messages: list[Any] = [
            {"type": "connection_init", "payload": {"Authorization": f"Bearer {QUERY_TOKEN}"}},
            {**subscribe, "payload": {"query": WATCH}},
            {
                **subscribe,
                "payload": {"query": SIGN_IN, "variables": {"input": {"login": LOGIN, "password": PASSWORD}}},
            },
            {**subscribe, "payload": {"query": SIGN_IN, "variables": {"input": PASSWORD}}},
            {**subscribe, "payload": {"query": f'{{ viewer("{PASSWORD}") }}'}},
            {"type": PASSWORD},
            PASSWORD,
        ]
        for message in messages:
            with suppress(ConnectionClosed, InvalidStatus, TimeoutError):
                await self.exchange(message)

    async def exchange(self, message: Any) -> None:
        url = f"{self.process.url.replace('http', 'ws')}/graphql?token={QUERY_TOKEN}"
        async with connect(url, subprotocols=[Subprotocol("graphql-transport-ws")]) as socket:
            if not (isinstance(message, dict) and message["type"] == "connection_init"):
                await socket.send(json.dumps({"type": "connection_init", "payload": self.headers}))
                self.answers.append(str(await socket.recv()))
            await socket.send(json.dumps(message))
            try:
                async with asyncio.timeout(0.3):
                    self.answers.append(str(await socket.recv()))
            except ConnectionClosed as closed:
                self.answers.append(str(closed))

    async def stream(self) -> None:
        for accept in ("text/event-stream", "multipart/mixed;subscriptionSpec=1.0"):
            for document, variables in (
                (SIGN_IN, {"input": PASSWORD}),
                (f'subscription {{ a(b: "{PASSWORD}") }}', None),
            ):
                await self.post(document, variables, Accept=accept)

    async def upload(self) -> None:
        files = {"file": (f"{PATH}.png", f"no picture: {BODY}".encode())}
        for path in ("/media", f"/products.csv?currency={COUPON}&dryRun={COUPON}"):
            self.keep(await self.http.post(path, files=files, headers=self.headers))

    async def call_back(self) -> None:
        signed = {SIGNATURE_HEADER: SIGNATURE, NONCE_HEADER: CODE, TIMESTAMP_HEADER: "1"}
        for path in ("/webhooks/payments/sandbox", f"/webhooks/payments/{PATH}"):
            self.keep(await self.http.post(path, content=BODY, headers=signed))


@pytest.fixture
def env(new_postgres_url: str, tmp_path: Path) -> dict[str, str]:
    url = make_url(new_postgres_url).set(password=DATABASE_PASSWORD)
    return process_environment(
        url.render_as_string(hide_password=False).replace("+asyncpg", ""),
        tmp_path,
        SECRET_KEY=KEY,
        LOG_LEVEL="DEBUG",
        **NOTICES,
    )


@pytest.fixture
async def secrets_of_requests(env: dict[str, str]) -> AsyncIterator[dict[str, str]]:
    """The headers of a customer of the shop, each with a secret."""
    async with open_shop_of(env) as shop:
        yield await create_customer(shop)


async def create_customer(shop: Shop) -> dict[str, str]:
    async with shop.database.writes.begin() as session:
        account = await create_account(session, email=LOGIN, role=Role.CUSTOMER)
    cart_token = write_cart_token(KEY, Secrets().new_token())
    return {"Authorization": f"Bearer {await sign_in_account(shop, account)}", "X-Cart-Token": cart_token}


async def refuse_rows(url: str) -> None:
    """Let every new row fail: PostgreSQL then repeats the row in the detail of its error."""
    await change_tables(url, "ALTER TABLE IF EXISTS {} ADD CONSTRAINT refused CHECK (false) NOT VALID")


async def remove_tables(url: str) -> None:
    await change_tables(url, "ALTER TABLE IF EXISTS {0} RENAME TO gone_{0}")


async def change_tables(url: str, statement: str) -> None:
    engine = create_async_engine(make_url(url).set(drivername="postgresql+asyncpg"))
    async with engine.begin() as connection:
        for name in FAILING_TABLES:
            await connection.execute(text(statement.format(name)))
    await engine.dispose()


def found_in(texts: Sequence[str], secrets: Sequence[str]) -> list[tuple[str, str]]:
    return [(secret, each[:2_000]) for each in texts for secret in secrets if secret.lower() in each.lower()]


async def test_no_answer_and_no_log_line_holds_what_somebody_has_sent(
    env: dict[str, str], secrets_of_requests: dict[str, str], tmp_path: Path
) -> None:
    marks = [*FIXED, *(value.removeprefix("Bearer ") for value in secrets_of_requests.values())]
    async with (
        serve_shop(env, tmp_path / "log") as process,
        httpx.AsyncClient(base_url=process.url, timeout=30) as http,
    ):
        doors = Doors(process, http, secrets_of_requests)
        await doors.try_all()
        well = len(doors.answers)
        for break_database in (refuse_rows, remove_tables):
            await break_database(env["DATABASE_URL"])
            await doors.try_all()

    log = (tmp_path / "log").read_text()
    assert well > 40
    assert len(doors.answers) > 1.5 * well
    for failure in ("CheckViolationError", "UndefinedTableError"):
        assert failure in log  # what has failed is logged
    assert "INTERNAL" in str(doors.answers[well:])
    assert found_in(doors.answers, marks) == []
    assert found_in(log.splitlines(), marks) == []


@pytest.mark.parametrize(
    ("arguments", "changes"),
    [
        (["staff", "create", LOGIN, "--role", "ADMIN", "--name", "x"], {"STAFF_PASSWORD": PASSWORD}),
        (["ask", "--as", LOGIN, "{ viewer { role } }"], {"CARTWHEEL_PASSWORD": PASSWORD, "PORT": "9"}),
        (["settings"], {}),
        (["audit"], {"DATABASE_URL": f"postgresql://nobody:{DATABASE_PASSWORD}@127.0.0.1:9/nothing"}),
        (["audit"], {"DATABASE_URL": f"mysql://nobody:{DATABASE_PASSWORD}@127.0.0.1/nothing"}),
        (["audit"], {"SECRET_KEY": "mark-short", "OLD_SECRET_KEY": "mark-short"}),
        (["audit"], {"REDIS_URL": f"nonsense://:{DATABASE_PASSWORD}@127.0.0.1"}),
        (["audit"], {"CORS_ORIGINS": QUERY_TOKEN, "S3_SECRET_ACCESS_KEY": CODE, "MEDIA_URL": "s3://"}),
    ],
)
async def test_no_command_prints_a_secret(
    env: dict[str, str], secrets_of_requests: dict[str, str], arguments: list[str], changes: dict[str, str]
) -> None:
    finished = await call_cartwheel(*arguments, env=env | changes)

    secrets = [
        each for each in (*FIXED, "mark-short") if each != LOGIN
    ]  # the login stands on the command line
    assert found_in([finished.stdout, finished.stderr], secrets) == []
