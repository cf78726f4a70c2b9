"""Running Alembic for the commands of the shop, with the database URL of the settings.

`python -m migrations.runner MESSAGE` writes a new migration.
"""

import sys
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory

from models.database import sqlite_file
from settings import Settings

HERE = Path(__file__).parent


def alembic_config(url: str) -> Config:
    config = Config()
    config.set_main_option("script_location", str(HERE))
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


def revise(url: str, message: str) -> None:
    """Write a new migration from the differences between models and database."""
    command.revision(alembic_config(url), message, autogenerate=True)


if __name__ == "__main__":
    revise(Settings.from_environment().database.url, sys.argv[1])
