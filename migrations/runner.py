"""Alembic, called by our own commands: the address comes from the settings, never from a file."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory

from models.database import sqlite_file

HERE = Path(__file__).parent


def configured(url: str) -> Config:
    config = Config()
    config.set_main_option("script_location", str(HERE))
    config.attributes["url"] = url
    return config


def newest() -> str:
    return ScriptDirectory(str(HERE)).get_current_head() or "base"


def upgrade(url: str) -> str:
    """Run what has not been run yet; the revision the database is at then. Not inside an event loop."""
    if file := sqlite_file(url):
        file.parent.mkdir(parents=True, exist_ok=True)
    command.upgrade(configured(url), "head")
    return newest()


def revise(url: str, message: str) -> None:
    """Write a new revision from what the models have that the database lacks."""
    command.revision(configured(url), message, autogenerate=True)
