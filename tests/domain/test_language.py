"""Language tags are compared in their canonical spelling."""

import pytest

from domain.language import canonical_tag


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
def test_a_language_tag_has_one_spelling(given: str, tag: str) -> None:
    assert canonical_tag(given) == canonical_tag(tag) == tag
