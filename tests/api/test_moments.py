"""Moments: told with their zone, wherever a client can name one."""

import pytest

from models import Role
from schema import schema
from tests.documents import document, places, roots
from tests.front import Front

SDL = schema._schema
ASKED = [
    (keyword, name, path)
    for keyword, root in roots(SDL).items()
    for name in root.fields
    for path in places(SDL, keyword, name, "DateTime")
    if keyword != "subscription"
]
NO_MOMENTS = [
    "2026-11-11T00:00:00",
    "0001-01-01T00:00:00+14:00",
    "9999-12-31T23:59:59-14:00",
    "2026-02-30T00:00:00Z",
    "yesterday",
]


@pytest.mark.parametrize(
    ("keyword", "name", "path"), ASKED, ids=[f"{name}.{path}" for _, name, path in ASKED]
)
async def test_a_time_that_is_no_moment_is_refused_by_name(
    front: Front, keyword: str, name: str, path: str
) -> None:
    boss = await front.staff(Role.ADMIN)
    for given in NO_MOMENTS:
        reply = await boss.ask(document(SDL, keyword, name, {path: f'"{given}"'}))

        [error] = reply["errors"]
        assert error["message"].startswith(f'Value cannot represent a DateTime: "{given}".'), reply
        assert not reply.get("data")


async def test_moments_of_all_zones_are_the_same_moment(front: Front) -> None:
    boss = await front.staff(Role.ADMIN)
    save = "mutation($input: OfferSaveInput!) { offerSave(input: $input) { offer { startsAt } } }"

    told = [
        await boss.do(save, title="Tea", kind="PERCENT", percent=10, startsAt=moment)
        for moment in ("2026-11-11T00:00:00+08:00", "2026-11-10T16:00:00Z", "2026-11-10T11:00:00-05:00")
    ]

    assert [each["offer"]["startsAt"] for each in told] == ["2026-11-10T16:00:00+00:00"] * 3
