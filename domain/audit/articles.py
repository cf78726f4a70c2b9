"""Articles against their versions, their translations, their ratings and what they have brought."""

from datetime import timedelta

from sqlalchemy import ColumnElement, String, and_, case, cast, func, literal, or_, select
from sqlalchemy.orm import aliased

from domain.audit.comparison import is_long_past, select_differences, select_rows, total_of
from domain.knowledge.reading import COUNTED_AFTER
from models import Article, ArticleDay, ArticleRating, ArticleRead, ArticleStatus, ArticleVersion
from models.sql.types import AnyColumn, AnySelect

COUNTED_WITHIN = COUNTED_AFTER + timedelta(days=1)
"""Much longer than the timer waits: also where the shop was not served for a night."""

NAME: ColumnElement[str] = literal("article ") + Article.slug


def join_numbers(first: AnyColumn, second: AnyColumn) -> ColumnElement[str]:
    return cast(first, String) + literal(" and ") + cast(second, String)


def find_wrong_texts() -> AnySelect:
    """Articles that show another text than that of their published version, which may not exist."""
    shown = and_(
        ArticleVersion.article_id == Article.id,
        ArticleVersion.version == func.coalesce(Article.published_version, Article.version),
    )
    same = and_(
        ArticleVersion.title == Article.title,
        ArticleVersion.body == Article.body,
        func.coalesce(ArticleVersion.category, Article.category) == Article.category,
    )
    return (
        select_rows(NAME, expected=literal("the text of its version"), found=Article.title)
        .outerjoin_from(Article, ArticleVersion, shown)
        .where(or_(ArticleVersion.version.is_(None), ~same))
    )


def find_version_gaps() -> AnySelect:
    """Articles of whose versions one is missing, or one is later than the newest."""
    kept = (
        select(
            ArticleVersion.article_id,
            func.count(ArticleVersion.version).label("total"),
            func.max(ArticleVersion.version).label("newest"),
        )
        .group_by(ArticleVersion.article_id)
        .subquery()
    )
    return (
        select_differences(
            NAME,
            expected=join_numbers(Article.version, Article.version),
            found=join_numbers(total_of(kept), func.coalesce(kept.c.newest, 0)),
        )
        .select_from(Article)
        .outerjoin(kept, kept.c.article_id == Article.id)
    )


def find_wrong_drafts() -> AnySelect:
    """Articles with a draft beside a text that nobody reads, or with one that is not the newest version."""
    is_right = and_(
        Article.status == ArticleStatus.PUBLISHED,
        Article.published_version.is_not(None),
        Article.draft_version == Article.version,
        Article.draft_version > func.coalesce(Article.published_version, 0),
    )
    return select_rows(
        NAME, expected=literal("a newer draft of a published text"), found=cast(Article.draft_version, String)
    ).where(Article.draft_version.is_not(None), ~is_right)


def find_wrong_statuses() -> AnySelect:
    """Articles that are published and were at no moment, and those that were and are drafts."""
    expected = case((Article.published_at.is_(None), literal("DRAFT")), else_=literal("PUBLISHED"))
    return select_differences(NAME, expected=expected, found=cast(Article.status, String))


def find_wrong_translations() -> AnySelect:
    """Articles that translate a translation, and those that are not the first in their language."""
    original, other = aliased(Article), aliased(Article)
    same_group = or_(other.id == Article.original_id, other.original_id == Article.original_id)
    twin = select(other.id).where(same_group, other.language == Article.language, other.id < Article.id)
    return (
        select_rows(NAME, expected=literal("one language of one original"), found=Article.language)
        .join_from(Article, original, original.id == Article.original_id)
        .where(or_(original.original_id.is_not(None), twin.exists()))
    )


def find_wrong_ratings() -> AnySelect:
    """Articles that have helped, or have not, more or fewer readers than have rated them so."""
    helped = func.sum(case((ArticleRating.helpful, 1), else_=0))
    rated = (
        select(ArticleRating.article_id, helped.label("helped"), func.count().label("total"))
        .group_by(ArticleRating.article_id)
        .subquery()
    )
    helpful = func.coalesce(rated.c.helped, 0)

    return (
        select_differences(
            NAME,
            expected=join_numbers(helpful, total_of(rated) - helpful),
            found=join_numbers(Article.helpful, Article.unhelpful),
        )
        .select_from(Article)
        .outerjoin(rated, rated.c.article_id == Article.id)
    )


def find_wrong_days() -> AnySelect:
    """Days of articles with more saved tickets than readings about orders, or more of those than readings."""
    is_right = and_(
        ArticleDay.deflected <= ArticleDay.order_reads,
        ArticleDay.order_reads <= ArticleDay.reads,
        *(column >= 0 for column in (ArticleDay.shown, ArticleDay.deflected)),
    )
    return (
        select_rows(
            NAME,
            expected=literal("at most as many as readings"),
            found=join_numbers(ArticleDay.order_reads, ArticleDay.deflected),
        )
        .join_from(ArticleDay, Article, Article.id == ArticleDay.article_id)
        .where(~is_right)
    )


def find_uncounted_reads() -> AnySelect:
    """Articles of which a reading still says who it was of, although it was to be counted."""
    return (
        select_rows(NAME, expected=literal("counted"), found=cast(ArticleRead.id, String))
        .join_from(ArticleRead, Article, Article.id == ArticleRead.article_id)
        .where(is_long_past(ArticleRead.read_at, COUNTED_WITHIN))
    )
