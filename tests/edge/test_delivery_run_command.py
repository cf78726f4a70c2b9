"""`cartwheel delivery-run show` prints the stops of a run and writes its map."""

from pathlib import Path

import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from events.shop import Shop
from models import DeliveryRun
from tests.factories.delivery_run import create_delivery_run
from tests.factories.shipment import confirmed_order, pack
from tests.geo.svg import marks_of, parse_map, texts_of
from tests.given import id_of
from tests.process import call_cartwheel, process_environment


@pytest.fixture
def shown_shop(shop: Shop, tmp_path: Path) -> dict[str, str]:
    return process_environment(shop.settings.database.url, tmp_path)


async def planned_run(session: AsyncSession) -> tuple[DeliveryRun, list[str]]:
    """A run of two stops, and the numbers of its parcels."""
    parcels = [(await pack(session, await confirmed_order(session)))[0] for _ in range(2)]
    run = await create_delivery_run(session, parcels)
    await session.commit()
    return run, [parcel.number for parcel in parcels]


async def test_a_run_is_shown_by_its_id_or_its_number(
    shown_shop: dict[str, str], session: AsyncSession, tmp_path: Path
) -> None:
    run, numbers = await planned_run(session)
    file = tmp_path / "run.svg"
    file.write_text("an older map")

    shown = await call_cartwheel("delivery-run", "show", id_of(run), "--out", str(file), env=shown_shop)
    in_chinese = await call_cartwheel(
        "delivery-run", "show", str(run.id), "--out", str(file), "--language", "zh-CN", env=shown_shop
    )

    assert (shown.returncode, in_chinese.returncode) == (0, 0)
    lines = shown.stdout.splitlines()
    assert lines[:3] == ["Delivery run: planned", lines[1], "0 of 2 stops done"]
    cells = [[cell.strip() for cell in line.strip("│").split("│")] for line in lines if "│" in line]
    assert [row[:3] for row in cells] == [["1", numbers[0], "西湖区"], ["2", numbers[1], "西湖区"]]
    assert shown.stderr == f"{file} has the map.\n"
    root = parse_map(file.read_text(encoding="utf-8"))
    assert marks_of(root) == [("1", "plain"), ("2", "plain")]
    assert texts_of(root)[0] == "配送任务：已计划"
    assert in_chinese.stdout.startswith("配送任务：已计划\n")


@pytest.mark.parametrize("id", ["0", "7", "RGVsaXZlcnlSdW46Nw", "T3JkZXI6MQ", "no id", "9" * 30, "²"])
async def test_an_unknown_run_is_one_line_and_no_file(
    shown_shop: dict[str, str], tmp_path: Path, id: str
) -> None:
    file = tmp_path / "run.svg"

    shown = await call_cartwheel("delivery-run", "show", id, "--out", str(file), env=shown_shop)

    assert (shown.returncode, shown.stdout) == (1, "")
    assert shown.stderr == f"There is no delivery run {id}.\n"
    assert not file.exists()


async def test_a_file_that_cannot_be_written_is_one_line(
    shown_shop: dict[str, str], session: AsyncSession, tmp_path: Path
) -> None:
    run, _ = await planned_run(session)
    file = tmp_path / "nowhere" / "run.svg"

    shown = await call_cartwheel("delivery-run", "show", str(run.id), "--out", str(file), env=shown_shop)

    assert (shown.returncode, shown.stdout) == (1, "")
    assert shown.stderr == f"{file} cannot be written: No such file or directory.\n"
