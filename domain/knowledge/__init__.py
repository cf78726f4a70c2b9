"""The knowledge base: articles, how they are found, and what they answer."""

from domain.knowledge.article import (
    TRANSITIONS,
    ArticleCare,
    account_reader,
    add_article,
    can_own,
    discard_draft,
    guest_reader,
    publish_article,
    rate_article,
    remove_article,
    restore_article,
    save_draft,
    set_article_care,
    update_article,
    withdraw_article,
)
from domain.knowledge.article_text import ArticleText
from domain.knowledge.difference import TextChange, TextChangeKind, compare_texts

__all__ = [
    "TRANSITIONS",
    "ArticleCare",
    "ArticleText",
    "TextChange",
    "TextChangeKind",
    "account_reader",
    "add_article",
    "can_own",
    "compare_texts",
    "discard_draft",
    "guest_reader",
    "publish_article",
    "rate_article",
    "remove_article",
    "restore_article",
    "save_draft",
    "set_article_care",
    "update_article",
    "withdraw_article",
]
