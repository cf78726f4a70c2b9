"""Articles of the knowledge base. Bodies are Markdown."""

from datetime import datetime

import strawberry

import models
from resolvers import knowledge as resolve
from resolvers.descriptions import describe_enum
from resolvers.guard import Permission
from schema.account import Account
from schema.cache_control import MINUTES, NEVER
from schema.connection import Connection
from schema.limits.sizes import COUNT, FEW, MANY, RENDERING, SEARCH, SOME
from schema.mutation import ARCHIVED_THING, REMOVAL_OUTCOME, mutation
from schema.node import Node
from schema.rows import batched, field, loaded, plain_list, row_type

ArticleStatus = describe_enum(models.ArticleStatus)
ArticleAudience = describe_enum(models.ArticleAudience)
ArticleConcern = describe_enum(resolve.ArticleConcern)
TextChangeKind = describe_enum(resolve.TextChangeKind)


@row_type(models.ArticleVersion)
class ArticleVersion:
    """One version of an article."""

    version: int
    """The version; the first is 1."""
    title: str
    """Its title then."""
    body: str
    """Its body then, in Markdown."""
    author: Account | None = loaded("account", key="author_id")
    """Who wrote it; null when the shop did."""
    category: str | None
    """What it was about then; null where that was not kept."""
    created_at: datetime
    """When it was written."""


@row_type(resolve.TextChange)
class TextChange:
    """Lines that stand next to each other, and what became of them."""

    kind: resolve.TextChangeKind
    """What became of them."""
    text: str
    """The lines."""


@row_type(models.Article)
class Article(Node):
    """An answer to a question customers ask."""

    slug: str
    """Its place in an address."""
    status: models.ArticleStatus
    """Whether customers can read it."""
    language: str
    """The language it is written in, as a tag such as "zh-CN"."""
    category: str
    """What it is about."""
    tags: list[str] = plain_list(size=FEW)
    """Keywords."""
    title: str
    """The question it answers."""
    body: str
    """The answer, in Markdown."""
    html: str = batched(resolve.html, public=MINUTES, price=RENDERING)
    audience: models.ArticleAudience
    """Whom it is for."""
    translations: list["Article"] = batched(resolve.translations, public=MINUTES, size=FEW)
    version: int
    """One higher with each change; pass it to `articleSave`."""
    helpful: int
    """How many readers it helped."""
    unhelpful: int
    """How many readers it did not help."""
    created_at: datetime
    """When it was added."""
    updated_at: datetime
    """When it was last changed."""
    published_at: datetime | None
    """Since when everybody can read it; null for a draft."""
    archived_at: datetime | None
    """When it was archived: it is not listed any more; null while it is in use."""
    questions: list[str] = batched(resolve.questions, public=NEVER, size=SOME)
    owner: Account | None = batched(resolve.owner, public=NEVER)
    review_at: datetime | None = batched(resolve.review_at, public=NEVER)
    draft: ArticleVersion | None = batched(resolve.draft, public=NEVER)
    difference: list[TextChange] = batched(resolve.difference, public=NEVER, size=MANY, price=RENDERING)
    versions: list[ArticleVersion] = batched(resolve.versions, public=NEVER, size=SOME)


@row_type(models.SynonymGroup)
class SynonymGroup(Node):
    """Words that mean the same to whoever searches articles or products."""

    terms: list[str] = plain_list(size=SOME)
    """The words."""
    version: int
    """One higher with each change."""
    updated_at: datetime
    """When it was last changed."""


@row_type(resolve.ArticleFigures)
class ArticleFigures:
    """What became of one article in some days."""

    article: Article
    """The article; how many it has helped is there."""
    shown: int
    """How often it was suggested to customers."""
    reads: int
    """How often customers opened it: each once a day for each order."""
    order_reads: int
    """Those of them, a day old, that were about an order of the reader."""
    deflected: int
    """After how many of these no ticket on that order followed within 24 hours."""
    tickets: int
    """After how many of these one followed."""
    deflection: float | None
    """Deflected divided by readings about an order, from 0 to 1; null where there were none."""


@row_type(resolve.SearchFigures)
class SearchFigures:
    """A text that found no article."""

    query: str
    """What was looked for, in small letters, without numbers and e-mail addresses."""
    count: int
    """How many have looked for it, each once a day."""


@row_type(resolve.ConcerningArticle)
class ConcerningArticle:
    """A published article that may be out of date."""

    article: Article
    """The article."""
    concerns: list[resolve.ArticleConcern] = plain_list(size=FEW)
    """Why."""


@row_type(resolve.FoundTopic)
class QuestionTopic:
    """What several customers have asked and no article answers."""

    size: int
    """How often it was asked."""
    examples: list[str] = plain_list(size=FEW)
    """How they have asked it, without numbers and addresses; those of erased accounts are left out."""
    found_at: datetime
    """When that was found."""


@strawberry.type
class KnowledgeQuery:
    question_topics: list[QuestionTopic] = field(
        resolve.question_topics, allow=Permission.ARTICLE_EDIT, size=MANY
    )
    article_figures: list[ArticleFigures] = field(
        resolve.article_figures, allow=Permission.ARTICLE_EDIT, size=MANY, price=COUNT
    )
    unanswered_searches: list[SearchFigures] = field(
        resolve.unanswered_searches, allow=Permission.ARTICLE_EDIT, size=MANY, price=COUNT
    )
    concerning_articles: list[ConcerningArticle] = field(
        resolve.concerning_articles, allow=Permission.ARTICLE_EDIT, size=MANY, price=COUNT
    )
    synonym_groups: list[SynonymGroup] = field(
        resolve.synonym_groups, allow=Permission.ARTICLE_VIEW, size=MANY
    )
    article: Article | None = field(resolve.article, allow=Permission.PUBLIC, public=MINUTES)
    articles: Connection[Article] = field(
        resolve.articles, allow=Permission.PUBLIC, public=MINUTES, price=SEARCH
    )
    article_suggestions: list[Article] = field(
        resolve.article_suggestions, allow=Permission.PUBLIC, public=MINUTES, price=SEARCH
    )


@strawberry.type
class KnowledgeMutation:
    article_save = mutation(resolve.article_save, returns=Article, allow=Permission.ARTICLE_EDIT)
    article_publish = mutation(resolve.article_publish, returns=Article, allow=Permission.ARTICLE_EDIT)
    article_care_set = mutation(resolve.article_care_set, returns=Article, allow=Permission.ARTICLE_EDIT)
    article_draft_discard = mutation(
        resolve.article_draft_discard, returns=Article, allow=Permission.ARTICLE_EDIT
    )
    article_withdraw = mutation(resolve.article_withdraw, returns=Article, allow=Permission.ARTICLE_EDIT)
    article_remove = mutation(
        resolve.article_remove,
        returns=Article,
        allow=Permission.ARTICLE_EDIT,
        field_description=ARCHIVED_THING,
        further_fields=REMOVAL_OUTCOME,
    )
    article_restore = mutation(resolve.article_restore, returns=Article, allow=Permission.ARTICLE_EDIT)
    synonym_group_save = mutation(
        resolve.synonym_group_save, returns=SynonymGroup, allow=Permission.ARTICLE_EDIT
    )
    synonym_group_remove = mutation(
        resolve.synonym_group_remove, returns=SynonymGroup, allow=Permission.ARTICLE_EDIT
    )
    article_read = mutation(resolve.article_read, returns=Article, allow=Permission.PUBLIC)
    article_rate = mutation(resolve.article_rate, returns=Article, allow=Permission.PUBLIC)
