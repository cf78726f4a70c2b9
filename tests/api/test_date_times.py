"""DateTime arguments, which need a time zone."""

import pytest

from models import Role
from schema import schema
from tests.clients import Clients
from tests.documents import argument_paths, root_types, write_document

SDL = schema._schema
ARGUMENTS = [
    (keyword, name, path)
    for keyword, root in root_types(SDL).items()
    for name in root.fields
    for path in argument_paths(SDL, keyword, name, "DateTime")
    if keyword != "subscription"
]
INVALID = [
    "2026-11-12T00:00:00",
    "0001-01-01T00:00:00+14:00",
    "9999-12-31T23:59:59-14:00",
    "9999-12-31T20:00:00Z",
    "3000-01-01T00:00:00Z",
    "2026-02-30T00:00:00Z",
    "yesterday",
]


@pytest.mark.parametrize(
    ("keyword", "name", "path"), ARGUMENTS, ids=[f"{name}.{path}" for _, name, path in ARGUMENTS]
)
async def test_an_invalid_date_time_is_refused_without_repeating_it(
    clients: Clients, keyword: str, name: str, path: str
) -> None:
    boss = await clients.staff(Role.ADMIN)
    for given in INVALID:
        reply = await boss.ask(write_document(SDL, keyword, name, {path: f'"{given}"'}))

        [error] = reply["errors"]
        assert error["message"].startswith("Value cannot represent a DateTime."), reply
        assert given not in str(reply)
        assert not reply.get("data")


async def test_a_date_time_is_the_same_in_every_time_zone(clients: Clients) -> None:
    boss = await clients.staff(Role.ADMIN)
    save = "mutation($input: PromotionSaveInput!) { promotionSave(input: $input) { promotion { startsAt } } }"

    saved = [
        await boss.do(save, title="Tea", kind="PERCENT", percent=10, startsAt=moment)
        for moment in ("2026-11-11T00:00:00+08:00", "2026-11-10T16:00:00Z", "2026-11-10T11:00:00-05:00")
    ]

    assert [each["promotion"]["startsAt"] for each in saved] == ["2026-11-10T16:00:00+00:00"] * 3
