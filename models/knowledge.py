from datetime import date, datetime
from enum import StrEnum

from sqlalchemy import ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, Id, Json


class ArticleStatus(StrEnum):
    """Whether customers can read an article."""

    DRAFT = "DRAFT"
    """Only staff can."""
    PUBLISHED = "PUBLISHED"
    """Everybody can."""


class ArticleAudience(StrEnum):
    """Whom an article is for."""

    PUBLIC = "PUBLIC"
    """Everybody."""
    AGENTS = "AGENTS"
    """The staff: customers neither find nor read it."""


class Article(Base):
    """An answer to a question customers ask."""

    __tablename__ = "articles"
    __table_args__ = (
        Index("ix_articles_status_id", "status", "id"),
        Index("ix_articles_original_id", "original_id"),
    )

    id: Mapped[Id]
    slug: Mapped[str] = mapped_column(unique=True)
    status: Mapped[ArticleStatus]
    language: Mapped[str]
    category: Mapped[str]
    tags: Mapped[list[str]]
    title: Mapped[str]
    body: Mapped[str]
    version: Mapped[int]
    helpful: Mapped[int]
    unhelpful: Mapped[int]
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]
    published_at: Mapped[datetime | None]
    archived_at: Mapped[datetime | None]
    """When it was archived: nothing new uses it, and what has used it shows it still."""
    audience: Mapped[ArticleAudience] = mapped_column(
        default=ArticleAudience.PUBLIC, server_default=ArticleAudience.PUBLIC.value
    )
    original_id: Mapped[int | None] = mapped_column(ForeignKey("articles.id"))
    """The article that it translates; None for the first one of its translations."""
    owner_id: Mapped[int | None] = mapped_column(ForeignKey("accounts.id"))
    """Who of the staff answers for it."""
    review_at: Mapped[datetime | None]
    """From when on somebody should look whether it is still true."""
    draft_version: Mapped[int | None]
    """The version that is written beside the published one; None where there is none."""
    substance_changed_at: Mapped[datetime | None]
    """When what everybody reads was last published with a change that is more than minor."""
    questions: Mapped[list[str]] = mapped_column(default=list, server_default="[]")
    """Other ways to ask what it answers: searched, and not shown to customers."""
    published_version: Mapped[int | None]
    """The version that its text is of; None where it is the newest one."""


class ArticleVersion(Base):
    """A version of an article, the current one included."""

    __tablename__ = "article_versions"

    article_id: Mapped[int] = mapped_column(ForeignKey("articles.id"), primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True)
    title: Mapped[str]
    body: Mapped[str]
    author_id: Mapped[int | None] = mapped_column(ForeignKey("accounts.id"))
    created_at: Mapped[datetime]
    category: Mapped[str | None]
    """None for versions of former releases, which did not keep it; the same holds for the tags."""
    tags: Mapped[list[str] | None]

    @property
    def text(self) -> str:
        """All of it, the title first."""
        tags = ", ".join(self.tags or ())
        head = [self.title, " · ".join(each for each in (self.category, tags) if each)]
        return "\n".join([*(each for each in head if each), self.body])


class SynonymGroup(Base):
    """Words that mean the same to whoever searches articles or products."""

    __tablename__ = "synonym_groups"

    id: Mapped[Id]
    terms: Mapped[list[str]]
    version: Mapped[int]
    updated_at: Mapped[datetime]


class ArticleRating(Base):
    """The latest rating of one reader."""

    __tablename__ = "article_ratings"

    article_id: Mapped[int] = mapped_column(ForeignKey("articles.id"), primary_key=True)
    reader: Mapped[str] = mapped_column(primary_key=True)
    helpful: Mapped[bool]
    created_at: Mapped[datetime]


class ArticleRead(Base):
    """That a customer has read an article, about an order or not: kept until it is counted, a day later."""

    __tablename__ = "article_reads"
    __table_args__ = (
        Index(
            "ix_article_reads_about_order",
            "article_id",
            "reader",
            "order_id",
            "day",
            unique=True,
            sqlite_where=text("order_id IS NOT NULL"),
            postgresql_where=text("order_id IS NOT NULL"),
        ),
        Index(
            "ix_article_reads_about_nothing",
            "article_id",
            "reader",
            "day",
            unique=True,
            sqlite_where=text("order_id IS NULL"),
            postgresql_where=text("order_id IS NULL"),
        ),
        Index("ix_article_reads_reader_day", "reader", "day"),
        Index("ix_article_reads_read_at", "read_at"),
    )

    id: Mapped[Id]
    article_id: Mapped[int] = mapped_column(ForeignKey("articles.id"))
    reader: Mapped[str]
    """Their key, as ratings have it."""
    account_id: Mapped[int | None] = mapped_column(ForeignKey("accounts.id"), index=True)
    """None for a guest."""
    order_id: Mapped[int | None] = mapped_column(ForeignKey("orders.id"), index=True)
    day: Mapped[date]
    read_at: Mapped[datetime]


class ArticleDay(Base):
    """How often an article was suggested and read on one day, in the shop's time zone, and what followed."""

    __tablename__ = "article_days"
    __table_args__ = (Index("ix_article_days_day", "day"),)

    article_id: Mapped[int] = mapped_column(ForeignKey("articles.id"), primary_key=True)
    day: Mapped[date] = mapped_column(primary_key=True)
    shown: Mapped[int]
    reads: Mapped[int]
    """Readings that are a day old."""
    order_reads: Mapped[int]
    """Those about an order of the reader."""
    deflected: Mapped[int]
    """Those after which the reader opened no ticket on that order within a day."""


class UnansweredSearch(Base):
    """A text for which no article was found, without numbers and e-mail addresses, and how many have asked it
    on one day.
    """

    __tablename__ = "unanswered_searches"
    __table_args__ = (Index("ix_unanswered_searches_day", "day"),)

    query: Mapped[str] = mapped_column(primary_key=True)
    day: Mapped[date] = mapped_column(primary_key=True)
    count: Mapped[int]


class QuestionTopic(Base):
    """What several customers have asked and no article answers, as it was last found out."""

    __tablename__ = "question_topics"

    position: Mapped[int] = mapped_column(primary_key=True)
    """0 for what was asked most."""
    size: Mapped[int]
    """How often it was asked."""
    ticket_ids: Mapped[list[int]] = mapped_column(Json)
    """Tickets that are examples of it: what they say is read from them, as long as it is kept."""
    searches: Mapped[list[str]] = mapped_column(Json)
    """Searches that are examples of it."""
    found_at: Mapped[datetime]
