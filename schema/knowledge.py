"""The knowledge base. Bodies are Markdown; clients turn them into what they show."""

from datetime import datetime

import strawberry

import models
from resolvers import knowledge as resolve
from resolvers.described import describe_enum
from resolvers.guard import ANYONE, SUPPORT
from schema.account import Account
from schema.connection import Connection
from schema.freshness import MINUTES, NEVER
from schema.mutation import mutation
from schema.node import Node
from schema.rows import batched, field, loaded, row_type

ArticleStatus = describe_enum(models.ArticleStatus)


@row_type(models.ArticleVersion)
class ArticleVersion:
    """What an article said at one of its versions."""

    version: int
    """The version; the first is 1."""
    title: str
    """Its title then."""
    body: str
    """Its body then, in Markdown."""
    author: Account | None = loaded("account", key="author_id")
    """Who wrote it so; null when the shop did by itself."""
    created_at: datetime
    """When it was written."""


@row_type(models.Article)
class Article(Node):
    """An answer, written once for everybody who will ask."""

    slug: str
    """Its place in an address."""
    status: models.ArticleStatus
    """Whether customers can read it."""
    language: str
    """The language it is written in, as a tag such as "zh-CN"."""
    category: str
    """What it is about."""
    tags: list[str]
    """Words it is filed under."""
    title: str
    """What it answers."""
    body: str
    """The answer, in Markdown."""
    version: int
    """One higher with each change; pass it to `articleSave`."""
    helpful: int
    """Readers whom it helped."""
    unhelpful: int
    """Readers whom it did not help."""
    created_at: datetime
    """When it was begun."""
    updated_at: datetime
    """When it was changed last."""
    published_at: datetime | None
    """Since when everybody can read it; null for a draft."""
    versions: list[ArticleVersion] = batched(resolve.versions, public=NEVER)


@strawberry.type
class KnowledgeQuery:
    article: Article | None = field(resolve.article, allow=ANYONE, public=MINUTES)
    articles: Connection[Article] = field(resolve.articles, allow=ANYONE, public=MINUTES)
    article_suggestions: list[Article] = field(resolve.article_suggestions, allow=ANYONE, public=MINUTES)


@strawberry.type
class KnowledgeMutation:
    article_save = mutation(resolve.article_save, returns=Article, allow=SUPPORT)
    article_publish = mutation(resolve.article_publish, returns=Article, allow=SUPPORT)
    article_withdraw = mutation(resolve.article_withdraw, returns=Article, allow=SUPPORT)
    article_rate = mutation(resolve.article_rate, returns=Article, allow=ANYONE)
