"""Words of customers that make a ticket urgent, kept by clerks in versions."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import DDL, CheckConstraint, ForeignKey, Index, UniqueConstraint, event, func, select
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, Id
from models.sql.types import AnySelect

HOURS_LIMIT = 48
"""The most hours earlier that a word makes a ticket."""


class UrgentTerm(Base):
    """One version of a word that makes a ticket urgent; it never changes."""

    __tablename__ = "urgent_terms"
    __table_args__ = (
        UniqueConstraint("language", "term", "version"),
        CheckConstraint(f"hours BETWEEN 0 AND {HOURS_LIMIT}", name="hours"),
        Index("ix_urgent_terms_edition", "edition"),
    )

    id: Mapped[Id]
    language: Mapped[str]
    term: Mapped[str]
    """What is compared: the word as the text analysis of the search spells it, an English one by its stem."""
    word: Mapped[str]
    """The word as it was written."""
    version: Mapped[int]
    hours: Mapped[int]
    """How many hours earlier a ticket with it is attended to; 0: the word makes it urgent no more."""
    exceptions: Mapped[list[str]]
    """Longer expressions with the word in which it says something else."""
    edition: Mapped[int]
    """One higher with each change of any word; 0 of those that a new shop begins with."""
    author_id: Mapped[int | None] = mapped_column(ForeignKey("accounts.id"))
    created_at: Mapped[datetime]


@dataclass(frozen=True, slots=True)
class FirstTerm:
    """A word that a new shop begins with."""

    language: str
    term: str
    word: str
    hours: int
    exceptions: tuple[str, ...] = ()


def han_terms(words: str, hours: int) -> Iterable[FirstTerm]:
    return (FirstTerm("zh", word, word, hours) for word in words.split())


FIRST_TERMS = (
    *han_terms("律师 起诉 法院 诈骗 骗子 欺诈 举报 曝光 投诉 消协 消费者协会 工商局 市场监管 12315", 24),
    FirstTerm("zh", "报警", "报警", 24, ("报警器",)),
    *han_terms("生气 愤怒 气死 气愤 太差 失望 差评 忍无可忍 恶心", 12),
    FirstTerm("zh", "垃圾", "垃圾", 12, ("垃圾桶", "垃圾袋", "垃圾箱", "垃圾篓", "垃圾车")),
    *han_terms("着急 很急 紧急 加急 尽快 马上 立刻 急用 等不及", 6),
    FirstTerm("en", "lawyer", "lawyer", 24),
    FirstTerm("en", "attorney", "attorney", 24),
    FirstTerm("en", "lawsuit", "lawsuit", 24),
    FirstTerm("en", "sue", "sue", 24),
    FirstTerm("en", "court", "court", 24),
    FirstTerm("en", "polic", "police", 24),
    FirstTerm("en", "fraud", "fraud", 24),
    FirstTerm("en", "scam", "scam", 24),
    FirstTerm("en", "fraudul", "fraudulent", 24),
    FirstTerm("en", "chargeback", "chargeback", 24),
    FirstTerm("en", "complaint", "complaint", 24),
    FirstTerm("en", "angri", "angry", 12),
    FirstTerm("en", "furious", "furious", 12),
    FirstTerm("en", "terribl", "terrible", 12),
    FirstTerm("en", "aw", "awful", 12),
    FirstTerm("en", "horribl", "horrible", 12),
    FirstTerm("en", "disgust", "disgusting", 12),
    FirstTerm("en", "unaccept", "unacceptable", 12),
    FirstTerm("en", "ridicul", "ridiculous", 12),
    FirstTerm("en", "disappoint", "disappointed", 12),
    FirstTerm("en", "worst", "worst", 12),
    FirstTerm("en", "urgent", "urgent", 6),
    FirstTerm("en", "asap", "asap", 6),
    FirstTerm("en", "immedi", "immediately", 6),
    FirstTerm("en", "emergenc", "emergency", 6),
    FirstTerm("en", "hurri", "hurry", 6),
)
"""The words that a new shop begins with, as the migrations write them."""


def term_values(created_at: str) -> str:
    """The values of these words in an INSERT, in the order of FIRST_COLUMNS."""
    return ", ".join(
        f"('{each.language}', '{each.term}', '{each.word}', 1, {each.hours},"
        f" '{json.dumps(each.exceptions, ensure_ascii=False)}', 0, '{created_at}')"
        for each in FIRST_TERMS
    )


FIRST_COLUMNS = "language, term, word, version, hours, exceptions, edition, created_at"

event.listen(
    UrgentTerm.__table__,
    "after_create",
    DDL(f"INSERT INTO urgent_terms ({FIRST_COLUMNS}) VALUES {term_values('2000-01-01 00:00:00')}"),  # noqa: S608
)


def select_terms_now() -> AnySelect:
    """The newest version of each word, those that make a ticket urgent no more included."""
    newest = select(func.max(UrgentTerm.id)).group_by(UrgentTerm.language, UrgentTerm.term)
    return select(UrgentTerm).where(UrgentTerm.id.in_(newest))
