"""Articles have readers, translations, drafts beside the published text, versions and owners."""

from typing import Any

import pytest
from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncSession

from domain.knowledge.article_text import BRACKETS_LIMIT
from events.shop import Shop
from models import Account, Article, ArticleAudience, Role
from resolvers.ids import global_id
from tests.clients import Client, Clients
from tests.factories.knowledge import create_article

FIELDS = """id slug status title body version audience draft { version title body author { id } }
  owner { id } reviewAt translations { slug }"""
PAYLOAD = f"article {{ {FIELDS} }} userErrors {{ code field }}"
SAVE = f"mutation($input: ArticleSaveInput!) {{ articleSave(input: $input) {{ {PAYLOAD} }} }}"
PUBLISH = f"mutation($input: ArticlePublishInput!) {{ articlePublish(input: $input) {{ {PAYLOAD} }} }}"
DISCARD = (
    f"mutation($input: ArticleDraftDiscardInput!) {{ articleDraftDiscard(input: $input) {{ {PAYLOAD} }} }}"
)
CARE = f"mutation($input: ArticleCareSetInput!) {{ articleCareSet(input: $input) {{ {PAYLOAD} }} }}"
RATE = "mutation($input: ArticleRateInput!) { articleRate(input: $input) { userErrors { code } } }"
READ = f"query($id: ID!) {{ article(id: $id) {{ {FIELDS} }} }}"
EVERYWHERE = """query($id: ID!) { article(id: $id) { slug } bySlug: article(slug: "inside") { slug }
  node(id: $id) { ... on Article { slug } } articles(first: 9) { nodes { slug } totalCount }
  found: articles(query: "goodwill") { nodes { slug } totalCount }
  articleSuggestions(query: "goodwill for angry people") { slug } }"""
DIFFERENCE = """query($id: ID!, $from: Int!, $to: Int!) { article(id: $id) {
  difference(fromVersion: $from, toVersion: $to) { kind text } } }"""
HTML = "query($id: ID!) { article(id: $id) { html } }"

WRITTEN = {
    "slug": "returns",
    "language": "en",
    "category": "returns",
    "tags": ["refund"],
    "title": "How to return",
    "body": "Within seven days.\n\nKeep the box.",
}


async def written(agent: Client, **changes: Any) -> dict[str, Any]:
    answer: dict[str, Any] = await agent.do(SAVE, **(WRITTEN | changes))
    return answer


async def test_the_published_text_stays_until_its_draft_is_published(clients: Clients) -> None:
    agent, guest = await clients.staff(Role.SUPPORT), clients.guest()
    article = (await written(agent))["article"]
    await agent.do(PUBLISH, id=article["id"])
    drafted = (await written(agent, id=article["id"], version=1, title="Returning", draft=True))["article"]
    late = await written(agent, id=article["id"], version=1, title="Third", draft=True)
    before = (await guest.get(READ, id=article["id"]))["article"]

    published = (await agent.do(PUBLISH, id=article["id"]))["article"]
    again = await agent.do(PUBLISH, id=article["id"])

    assert (drafted["title"], drafted["version"], drafted["draft"]["title"]) == (
        "How to return",
        2,
        "Returning",
    )
    assert late["userErrors"] == [{"code": "CONFLICT", "field": ["version"]}]
    assert (before["title"], before["draft"]) == ("How to return", None)
    assert (published["title"], published["version"], published["draft"]) == ("Returning", 2, None)
    assert again["userErrors"] == [{"code": "WRONG_STATE", "field": []}]
    assert (await guest.get(READ, id=article["id"]))["article"]["title"] == "Returning"


async def test_a_draft_is_dropped_and_changes_nothing_else(clients: Clients) -> None:
    agent = await clients.staff(Role.SUPPORT)
    article = (await written(agent))["article"]
    await agent.do(PUBLISH, id=article["id"])
    refused = await written(agent, id=article["id"], version=1, slug="other", language="zh-CN", draft=True)
    await written(agent, id=article["id"], version=1, body="Other", draft=True)

    dropped = (await agent.do(DISCARD, id=article["id"]))["article"]
    nothing = await agent.do(DISCARD, id=article["id"])

    assert refused["userErrors"] == [
        {"code": "INVALID", "field": ["slug"]},
        {"code": "INVALID", "field": ["language"]},
    ]
    assert (dropped["draft"], dropped["body"]) == (None, WRITTEN["body"])
    assert nothing["userErrors"] == [{"code": "WRONG_STATE", "field": ["id"]}]


async def test_versions_differ_line_by_line(clients: Clients) -> None:
    agent = await clients.staff(Role.SUPPORT)
    article = (await written(agent))["article"]
    await written(agent, id=article["id"], version=1, body="Within nine days.\n\nKeep the box.")

    compared = await agent.get(DIFFERENCE, **{"id": article["id"], "from": 1, "to": 2})
    unknown = await agent.get(DIFFERENCE, **{"id": article["id"], "from": 1, "to": 7})
    await agent.do(PUBLISH, id=article["id"])
    for_guests = await clients.guest().get(DIFFERENCE, **{"id": article["id"], "from": 1, "to": 2})

    assert compared["article"]["difference"] == [
        {"kind": "SAME", "text": "How to return\nreturns · refund"},
        {"kind": "REMOVED", "text": "Within seven days."},
        {"kind": "ADDED", "text": "Within nine days."},
        {"kind": "SAME", "text": "\nKeep the box."},
    ]
    assert unknown["article"]["difference"] == for_guests["article"]["difference"] == []


async def test_what_is_for_agents_never_reaches_customers(clients: Clients, session: AsyncSession) -> None:
    inside = await create_article(
        session, slug="inside", title="Goodwill for angry people", audience=ArticleAudience.AGENTS
    )
    await session.commit()
    article_id = global_id("Article", inside.id)
    nothing = {"nodes": [], "totalCount": 0}

    for viewer in (clients.guest(), await clients.customer(), await clients.staff(Role.COURIER)):
        seen = await viewer.get(EVERYWHERE, id=article_id)
        assert seen == {
            "article": None,
            "bySlug": None,
            "node": None,
            "articles": nothing,
            "found": nothing,
            "articleSuggestions": [],
        }
    rated = await (await clients.customer()).do(RATE, id=article_id, helpful=True)
    assert rated["userErrors"] == [{"code": "NOT_FOUND"}]
    seen = await (await clients.staff(Role.SUPPORT)).get(EVERYWHERE, id=article_id)
    assert seen["article"] == seen["node"] == seen["articleSuggestions"][0] == {"slug": "inside"}
    assert seen["found"]["totalCount"] == 1


async def test_translations_know_each_other_one_a_language(clients: Clients, session: AsyncSession) -> None:
    agent = await clients.staff(Role.SUPPORT)
    first = (await written(agent))["article"]
    chinese = {"slug": "tuihuo", "language": "zh-CN", "translationOf": first["id"]}
    second = (await written(agent, **chinese))["article"]
    same = await written(agent, **(chinese | {"slug": "tuihuo-2"}))
    back = await written(agent, id=first["id"], version=1, translationOf=second["id"])
    french = (await written(agent, slug="retour", language="fr", translationOf=second["id"]))["article"]

    assert [each["slug"] for each in second["translations"]] == ["returns"]
    assert same["userErrors"] == [{"code": "TAKEN", "field": ["translationOf"]}]
    assert back["userErrors"] == [{"code": "INVALID", "field": ["translationOf"]}]
    assert [each["slug"] for each in french["translations"]] == ["returns", "tuihuo"]
    await agent.do(PUBLISH, id=first["id"])
    seen = (await clients.guest().get(READ, id=first["id"]))["article"]
    assert seen["translations"] == []  # the others are drafts


async def test_an_owner_may_edit_articles_and_ends_to_be_one_with_the_role(
    clients: Clients, shop: Shop, session: AsyncSession
) -> None:
    agent = await clients.staff(Role.SUPPORT)
    article = await create_article(session)
    await session.commit()
    given = {"id": global_id("Article", article.id), "reviewAt": "2027-01-01T00:00:00Z"}
    owner_id = await agent.get("{ viewer { account { id } } }")
    agent_id = owner_id["viewer"]["account"]["id"]
    clerk = await clients.staff(Role.WAREHOUSE)
    clerk_id = (await clerk.get("{ viewer { account { id } } }"))["viewer"]["account"]["id"]

    refused = await agent.do(CARE, **given, ownerId=clerk_id)
    owned = (await agent.do(CARE, **given, ownerId=agent_id))["article"]
    forbidden = await clerk.do(CARE, **given)
    await session.execute(update(Account).where(Account.role == Role.SUPPORT).values(role=Role.WAREHOUSE))
    await session.commit()
    left = (await clerk.get(READ, id=given["id"]))["article"]

    assert refused["userErrors"] == [{"code": "NOT_FOUND", "field": ["ownerId"]}]
    assert (owned["owner"], owned["reviewAt"]) == ({"id": agent_id}, "2027-01-01T00:00:00+00:00")
    assert forbidden["userErrors"] == [{"code": "FORBIDDEN", "field": []}]
    assert left["owner"] is None
    seen = (await clients.guest().get(READ, id=given["id"]))["article"]
    assert (seen["owner"], seen["reviewAt"]) == (None, None)


@pytest.mark.parametrize(
    ("body", "html"),
    [
        ("**Seven** days", "<p><strong>Seven</strong> days</p>\n"),
        ("<script>alert(1)</script>", "<p>&lt;script&gt;alert(1)&lt;/script&gt;</p>\n"),
        ("[x](javascript:alert(1))", "<p>[x](javascript:alert(1))</p>\n"),
        ("[x](data:text/html,x)", "<p>[x](data:text/html,x)</p>\n"),
        ("[x](JaVaScRiPt:alert(1))", "<p>[x](JaVaScRiPt:alert(1))</p>\n"),
        ("![x](https://example.com/x.png)", "<p></p>\n"),
        ("[x](/help)", '<p><a href="/help" rel="nofollow noopener noreferrer">x</a></p>\n'),
        ("[x](vbscript:x)", "<p>[x](vbscript:x)</p>\n"),
        ("[x](ftp://example.com)", '<p><a rel="nofollow noopener noreferrer">x</a></p>\n'),
    ],
)
async def test_markdown_becomes_safe_html(
    clients: Clients, session: AsyncSession, body: str, html: str
) -> None:
    article = await create_article(session, body=body)
    await session.commit()

    seen = await clients.guest().get(HTML, id=global_id("Article", article.id))

    assert seen["article"]["html"] == html


@pytest.mark.parametrize(
    "body",
    [">" * 99_999, "- " * 49_999, "[" * BRACKETS_LIMIT, "![" * BRACKETS_LIMIT, "*a " * 9_999, "|a" * 9_999],
)
async def test_nested_markdown_of_any_depth_is_answered(
    clients: Clients, session: AsyncSession, body: str
) -> None:
    article = await create_article(session, body=body)
    await session.commit()

    assert "html" in (await clients.guest().get(HTML, id=global_id("Article", article.id)))["article"]


async def test_a_removed_original_is_archived_and_its_translation_stays(
    clients: Clients, shop: Shop, session: AsyncSession
) -> None:
    original = await create_article(session, slug="one", published=False)
    translation = await create_article(session, slug="two", language="zh-CN")
    await session.execute(update(Article).where(Article.id == translation.id).values(original_id=original.id))
    await session.commit()
    agent = await clients.staff(Role.SUPPORT)
    remove = "mutation($input: ArticleRemoveInput!) { articleRemove(input: $input) { outcome } }"

    assert await agent.do(remove, id=global_id("Article", original.id)) == {"outcome": "ARCHIVED"}
    seen = (await agent.get(READ, id=global_id("Article", translation.id)))["article"]
    assert (seen["slug"], seen["translations"]) == ("two", [])
