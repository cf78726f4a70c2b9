"""Running Alembic for the commands of the shop, with the database URL of the settings.

`python -m migrations.runner MESSAGE` writes a new migration.
"""

import subprocess
import sys
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from alembic.util import CommandError

from migrations.repeatable import RepeatableOperations
from models.database import sqlite_file
from settings import Settings

HERE = Path(__file__).parent

OPERATIONS = {"postgresql": RepeatableOperations}
"""What operations do, where not what Alembic says; Alembic knows them as soon as they are imported."""


def alembic_config(url: str) -> Config:
    config = Config()
    config.set_main_option("script_location", str(HERE))
    config.set_main_option("file_template", "%%(rev)s_%%(slug)s")
    config.attributes["url"] = url
    return config


def newest_revision() -> str:
    return ScriptDirectory(str(HERE)).get_current_head() or "base"


def upgrade(url: str) -> str:
    """Run all pending migrations; returns the revision of the database. Not to be called in an event loop."""
    if file := sqlite_file(url):
        file.parent.mkdir(parents=True, exist_ok=True)
    command.upgrade(alembic_config(url), "head")
    return newest_revision()


def revise(url: str, message: str) -> Path:
    """Write a new migration from the differences between models and database; returns its file.

    Raises CommandError where the database lacks a migration.
    """
    revision = f"{int(newest_revision()) + 1:04}"
    command.revision(alembic_config(url), message, autogenerate=True, rev_id=revision)
    [file] = (HERE / "versions").glob(f"{revision}_*.py")
    lines = file.read_text("utf-8").splitlines(keepends=True)
    file.write_text("".join(line for line in lines if "# ###" not in line), "utf-8")
    for task in (["check", "--quiet", "--fix"], ["format", "--quiet"]):
        subprocess.run([sys.executable, "-m", "ruff", *task, str(file)], check=False)
    return file


if __name__ == "__main__":
    try:
        sys.stdout.write(f"{revise(Settings.from_environment().database.url, sys.argv[1])}\n")
    except CommandError as error:
        raise SystemExit(f"{error} Run `make migrate` first.") from None
