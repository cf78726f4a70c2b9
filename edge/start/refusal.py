"""Why a process does not start."""

WRONG = 2
"""Exit code where a setting has to be changed; also that of settings which cannot be read."""

UNAVAILABLE = 1
"""Exit code where a later start may succeed with the same settings."""


class StartRefused(Exception):
    """One line: the name of a setting, and what is wrong. It never holds a password."""

    def __init__(self, name: str, reason: str, *, exit_code: int = UNAVAILABLE) -> None:
        super().__init__(f"{name}: {reason}")
        self.exit_code = exit_code
