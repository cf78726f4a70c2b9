"""Every bench says what it does when it is asked for help, and runs nothing."""

import sys
from importlib import import_module

import pytest

from bench.__main__ import BENCHES, main


def ask(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, *given: str) -> str:
    monkeypatch.setattr(sys, "argv", ["bench", *given])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 0
    return capsys.readouterr().out


@pytest.mark.parametrize("name", BENCHES)
def test_a_bench_that_is_asked_for_help_runs_nothing(
    name: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    shown = ask(capsys, monkeypatch, name, "--help")

    first_line = (import_module(f"bench.{name}").__doc__ or "").splitlines()[0]
    assert first_line in shown
    assert shown.startswith(f"usage: python -m bench {name} ")


def test_the_benches_are_named(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    shown = " ".join(ask(capsys, monkeypatch, "--help").split())

    assert f"There are: {', '.join(BENCHES)}." in shown
