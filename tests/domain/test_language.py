"""Capitals make no other language."""

import pytest

from domain.language import canonical


@pytest.mark.parametrize(
    ("given", "tag"),
    [
        ("EN", "en"),
        ("zh-cn", "zh-CN"),
        ("ZH-HANT-hk", "zh-Hant-HK"),
        ("es-419", "es-419"),
        ("sl-ROZAJ", "sl-rozaj"),
        ("", ""),
        ("-", "-"),
    ],
)
def test_a_language_has_one_spelling(given: str, tag: str) -> None:
    assert canonical(given) == canonical(tag) == tag
