"""What `cartwheel import products` and `cartwheel export products` print."""

from pathlib import Path

import pytest

from tests.process import call_cartwheel, process_environment

MAP = """
handle = ["code"]
[columns]
name = "Title"
code = "Variant SKU"
cost = "Variant Price"
"""


@pytest.fixture
def env(sqlite_url: str, tmp_path: Path) -> dict[str, str]:
    return process_environment(sqlite_url, tmp_path) | {"COLUMNS": "160"}


def save(folder: Path, name: str, text: str) -> str:
    file = folder / name
    file.write_text(text)
    return str(file)


async def test_an_import_ends_with_a_summary_that_names_every_change_of_meaning(
    env: dict[str, str], tmp_path: Path
) -> None:
    rows = "".join(f"p{number},P,-1,<p class=c>x</p>\n" for number in range(30))
    file = save(tmp_path, "p.csv", f"Handle,Title,Inventory Qty,Body (HTML)\n{rows}")

    imported = await call_cartwheel("import", "products", file, env=env)
    exported = await call_cartwheel("export", "products", str(tmp_path / "out.csv"), env=env)

    assert (imported.returncode, exported.returncode) == (0, 0)
    summary = [line.split("│") for line in imported.stderr.splitlines() if line.startswith("│ p.csv")]
    assert [[cell.strip() for cell in cells[1:-1]] for cells in summary] == [
        ["p.csv", "Body (HTML)", "2", "30", "class is removed from the HTML"],
        ["p.csv", "Inventory Qty", "2", "30", '"-1" is negative: taken as 0'],
        ["p.csv", "30", "0", "0", "0"],
    ]
    assert f"{tmp_path}/out.csv: 30 products." in exported.stderr


async def test_what_would_be_read_as_what_is_shown_without_a_shop(
    env: dict[str, str], tmp_path: Path
) -> None:
    file = save(tmp_path, "p.csv", "name,code,cost,shelf\nTea,T-1,¥9,7\nCup,C-1,1o,8\n")
    mapping = save(tmp_path, "map.toml", MAP)
    without = env | {"DATABASE_URL": f"sqlite:///{tmp_path}/none.db"}

    shown = await call_cartwheel("import", "products", "--explain", "--columns", mapping, file, env=without)

    assert shown.returncode == 1
    cells = [line.split("│")[1:-1] for line in shown.stdout.splitlines() if line.startswith("│")]
    assert [[cell.strip() for cell in row] for row in cells] == [
        ["code", "Handle", "t-1"],
        ["name", "Title", "Tea"],
        ["code", "Variant SKU", "T-1"],
        ["cost", "Variant Price", "¥9"],
        ["shelf", "(kept as it is)", "7"],
    ]
    assert f'{file}:3: column cost: "1o" is not an amount such as 12.50 (problem)' in shown.stderr
    assert not (tmp_path / "none.db").exists()


async def test_the_columns_of_a_file_that_names_no_products_are_shown(
    env: dict[str, str], tmp_path: Path
) -> None:
    file = save(tmp_path, "p.csv", "name,price\nTea,5\n")

    shown = await call_cartwheel("import", "products", "--explain", file, env=env)

    assert shown.returncode == 1
    rows = [[cell.strip() for cell in line.split("│")[1:-1]] for line in shown.stdout.splitlines()]
    assert [row for row in rows if len(row) == 3] == [
        ["name", "(kept as it is)", "Tea"],
        ["price", "Variant Price", "5"],
    ]
    assert "said in a mapping file (--columns) (note)" in shown.stderr


async def test_an_explanation_ends_with_every_change_of_meaning(env: dict[str, str], tmp_path: Path) -> None:
    file = save(
        tmp_path, "p.csv", "Handle,Title,Inventory Qty\n" + "".join(f"p{n},P,-1\n" for n in range(30))
    )

    shown = await call_cartwheel("import", "products", "--explain", file, env=env)

    assert shown.returncode == 0
    rows = [[cell.strip() for cell in line.split("│")[1:-1]] for line in shown.stdout.splitlines()]
    assert ["p.csv", "Inventory Qty", "2", "30", '"-1" is negative: taken as 0'] in rows


async def test_an_export_that_cannot_be_written_is_one_line_and_leaves_nothing(
    env: dict[str, str], tmp_path: Path
) -> None:
    imported = await call_cartwheel(
        "import", "products", save(tmp_path, "p.csv", "Handle,Title\ntea,Tea\n"), env=env
    )
    target = tmp_path / "none" / "out.csv"

    refused = await call_cartwheel("export", "products", str(target), env=env)

    assert (imported.returncode, refused.returncode) == (0, 1)
    assert refused.stderr == f"{target}: No such file or directory.\n"
    assert not target.parent.exists()


async def test_a_mapping_that_cannot_be_used_is_one_line(env: dict[str, str], tmp_path: Path) -> None:
    file = save(tmp_path, "p.csv", "name\nTea\n")
    mapping = save(tmp_path, "map.toml", '[columns]\nname = "Titel"\n')

    refused = await call_cartwheel("import", "products", "--columns", mapping, file, env=env)

    assert refused.returncode == 2
    assert refused.stderr == f'{mapping}: "Titel" is no column the shop knows\n'


async def test_a_mapping_in_another_encoding_is_told_to_be_saved_as_utf_8(
    env: dict[str, str], tmp_path: Path
) -> None:
    file = save(tmp_path, "p.csv", "name\nTea\n")
    mapping = tmp_path / "map.toml"
    mapping.write_bytes('[columns]\n"名称" = "Title"\n'.encode("gbk"))

    refused = await call_cartwheel("import", "products", "--columns", str(mapping), file, env=env)

    assert (refused.returncode, refused.stderr) == (2, f"{mapping}: not UTF-8: save it as UTF-8\n")


async def test_a_database_that_is_not_migrated_is_one_line(env: dict[str, str], tmp_path: Path) -> None:
    file = save(tmp_path, "p.csv", "Handle,Title\ntea,Tea\n")
    url = f"sqlite:///{tmp_path}/none.db"

    for arguments in (("import", "products", file), ("export", "products", str(tmp_path / "o.csv"))):
        refused = await call_cartwheel(*arguments, env=env | {"DATABASE_URL": url})

        assert refused.returncode == 1
        assert refused.stderr == (
            f"DATABASE_URL: there is no file {tmp_path}/none.db yet: run `cartwheel migrate`\n"
        )
