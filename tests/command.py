"""Runs the `cartwheel` command in a process that has imported the shop already.

The fork server of `multiprocessing` imports this module once; each process it forks starts in milliseconds
instead of over a second.
"""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

import uvicorn  # noqa: F401

import app  # noqa: F401
import cli
import migrations.runner  # noqa: F401


def run_command(arguments: Sequence[str], env: Mapping[str, str], stdout: Path, stderr: Path) -> None:
    """What a forked process does from its start to its end; it exits with the code of the command."""
    os.environ.clear()
    os.environ.update(env)
    os.chdir(Path(__file__).parents[1])
    for path, number in ((stdout, 1), (stderr, 2)):
        with path.open("ab") as file:
            os.dup2(file.fileno(), number)
    cli.app(arguments, prog_name="cartwheel")
