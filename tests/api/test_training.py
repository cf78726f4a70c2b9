"""Training over GraphQL: learners, clerks and managers, and what each of them sees."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest
from graphql import GraphQLObjectType, get_named_type
from sqlalchemy.ext.asyncio import AsyncSession

from models import GRANTS, Account, Permission, Role
from resolvers.ids import global_id
from tests.api.guard.fields import REQUIRED, SCHEMA
from tests.clients import Client, Clients
from tests.conftest import STARTED_AT
from tests.factories.knowledge import create_article
from tests.factories.training import certify, create_course, create_learner, take
from tests.observe import count_statements

ATTEMPT = """
  id status scorePercent
  questions { number kind situation prompt options { key text } choices }
  review { number creditPercent rightChoices explanation }
"""
START = f"""mutation ($input: QuizStartInput!) {{
  quizStart(input: $input) {{ quizAttempt {{ {ATTEMPT} }} userErrors {{ code field retryAfterSeconds }} }}
}}"""
SUBMIT = f"""mutation ($input: QuizSubmitInput!) {{
  quizSubmit(input: $input) {{ quizAttempt {{ {ATTEMPT} }} userErrors {{ code field }} }}
}}"""
KEEP = """mutation ($input: QuizAnswerSaveInput!) {
  quizAnswerSave(input: $input) {
    quizAttempt { questions { number choices } review { number } } userErrors { code field }
  }
}"""
SAVE = """mutation ($input: CourseSaveInput!) {
  courseSave(input: $input) {
    course { id version status draft { number title } published { number } } userErrors { code field }
  }
}"""
PUBLISH = """mutation ($input: CoursePublishInput!) {
  coursePublish(input: $input) { course { id status published { number } } userErrors { code field } }
}"""
LISTS = """{
  quizAttempts { totalCount nodes { id account { name } } }
  certificates { totalCount nodes { id account { name } } }
}"""
COURSES = """{
  courses {
    nodes {
      title nextAttemptAt
      published { title questionCount articles { title } }
      myCertificate { status attempt { scorePercent } }
      figures { passed failed open certified renewalDue expired }
    }
  }
}"""
RIGHT = {1: {"Seven days"}, 2: {"Made to order", "Perishable"}, 4: {"Agree"}}
ORDER = ["Apply", "Agree", "Send back", "Refund"]


def right_answers(attempt: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The right answers by the keys that the attempt shows."""
    answers = []
    for question in attempt["questions"]:
        keys = {option["text"]: option["key"] for option in question["options"]}
        number = question["number"]
        texts = ORDER if question["kind"] == "ORDERING" else sorted(RIGHT[number])
        answers.append({"number": number, "choices": [keys[text] for text in texts]})
    return answers


async def add_course(clients: Clients) -> str:
    async with clients.shop.database.writes.begin() as session:
        return global_id("Course", (await create_course(session, now=STARTED_AT)).id)


async def test_a_learner_takes_a_quiz_and_learns_what_was_right_only_afterwards(clients: Clients) -> None:
    course_id, learner = await add_course(clients), await clients.staff(Role.SUPPORT)

    begun = (await learner.do(START, courseId=course_id))["quizAttempt"]
    again = (await learner.do(START, courseId=course_id))["quizAttempt"]
    answers = right_answers(begun)
    kept = await learner.do(KEEP, id=begun["id"], **answers[0])
    handed_in = (await learner.do(SUBMIT, id=begun["id"], answers=answers[1:]))["quizAttempt"]
    twice = (await learner.do(SUBMIT, id=begun["id"], answers=[]))["quizAttempt"]

    assert again == begun
    assert (begun["status"], begun["review"], begun["scorePercent"]) == ("OPEN", None, None)
    assert kept["quizAttempt"]["questions"][0]["choices"] == answers[0]["choices"]
    assert kept["quizAttempt"]["review"] is None
    assert (handed_in["status"], handed_in["scorePercent"]) == ("PASSED", 100)
    assert [each["creditPercent"] for each in handed_in["review"]] == [100] * 4
    assert [set(each["rightChoices"]) for each in handed_in["review"]] == [
        set(answer["choices"]) for answer in answers
    ]
    assert handed_in["review"][2]["rightChoices"] == answers[2]["choices"]
    assert twice == handed_in


async def test_a_quiz_is_shown_in_the_language_of_the_learner(clients: Clients) -> None:
    course_id, learner = await add_course(clients), await clients.staff(Role.COURIER)
    learner.headers["Accept-Language"] = "zh-CN"

    begun = (await learner.do(START, courseId=course_id))["quizAttempt"]

    assert begun["questions"][0]["prompt"] == "无理由退货期限是多久？"
    assert begun["questions"][1]["prompt"] == "Which goods are excluded?"


def test_no_field_that_a_learner_may_use_leads_to_what_clerks_write() -> None:
    secret = {"CourseContent", "QuizQuestion", "QuizOption"}
    roots = {"query": SCHEMA.query_type, "mutation": SCHEMA.mutation_type}
    clerks_only = set()
    for keyword, root in roots.items():
        assert root
        for name, declared in root.fields.items():
            if secret & reach(get_named_type(declared.type)):
                clerks_only.add(name)
                assert REQUIRED[keyword][name] is Permission.TRAINING_EDIT

    assert clerks_only == {"courseContent"}
    assert {role for role in Role if Permission.TRAINING_EDIT in GRANTS[role]} == {
        Role.CATALOGUE,
        Role.MANAGER,
        Role.ADMIN,
    }


def reach(kind: object, seen: set[str] | None = None) -> set[str]:
    """The names of all types that fields lead to from a type."""
    seen = set() if seen is None else seen
    if isinstance(kind, GraphQLObjectType) and kind.name not in seen:
        seen.add(kind.name)
        for declared in kind.fields.values():
            reach(get_named_type(declared.type), seen)
    return seen


async def test_learners_see_their_own_attempts_and_managers_all(
    clients: Clients, session: AsyncSession
) -> None:
    learner, manager = await clients.staff(Role.SUPPORT), await clients.staff(Role.MANAGER)
    assert learner.account
    course = await create_course(session, now=STARTED_AT)
    other = await create_learner(session)
    certificate = await certify(session, course, other, now=STARTED_AT)
    await take(session, course, learner.account, answers={}, now=STARTED_AT)
    await session.commit()
    ids = [
        global_id("QuizAttempt", certificate.attempt_id),
        global_id("Certificate", certificate.id),
        global_id("Course", course.id),
    ]
    nodes = "query($ids: [ID!]!) { nodes(ids: $ids) { id } }"

    seen = {name: await client.get(LISTS) for name, client in (("own", learner), ("all", manager))}

    assert [seen["own"][each]["totalCount"] for each in ("quizAttempts", "certificates")] == [1, 0]
    assert [seen["all"][each]["totalCount"] for each in ("quizAttempts", "certificates")] == [2, 1]
    assert [each and each["id"] for each in (await learner.get(nodes, ids=ids))["nodes"]] == [
        None,
        None,
        ids[2],
    ]
    assert [each["id"] for each in (await manager.get(nodes, ids=ids))["nodes"]] == ids
    for stranger in (await clients.customer(), clients.guest()):
        assert (await stranger.get(nodes, ids=ids))["nodes"] == [None] * 3
        assert (await stranger.ask(LISTS))["errors"][0]["extensions"]["code"] in {
            "FORBIDDEN",
            "UNAUTHENTICATED",
        }
    refused = await learner.do(SUBMIT, id=ids[0], answers=[])
    assert refused["userErrors"] == [{"code": "NOT_FOUND", "field": ["id"]}]


async def test_a_clerk_writes_a_course_and_learners_see_it_once_it_is_published(
    clients: Clients, session: AsyncSession
) -> None:
    article = await create_article(session, now=STARTED_AT)
    await session.commit()
    clerk, learner = await clients.staff(Role.CATALOGUE), await clients.staff(Role.WAREHOUSE)
    question = {
        "kind": "SINGLE",
        "prompt": "Yes?",
        "explanation": "Yes.",
        "options": [{"text": "Yes", "isCorrect": True}, {"text": "No"}],
    }
    terms = {
        "title": "Yes and no",
        "description": "When to say which.",
        "articleIds": [global_id("Article", article.id)],
        "questions": [question],
    }

    saved = (await clerk.do(SAVE, **terms))["course"]
    unseen = await learner.get("query($id: ID!) { course(id: $id) { id } }", id=saved["id"])
    wrong = await clerk.do(SAVE, **terms | {"id": saved["id"]})
    published = (await clerk.do(PUBLISH, id=saved["id"]))["course"]
    refused = await learner.do(SAVE, **terms)
    shown = await learner.get(COURSES)

    assert saved["draft"] == {"number": 1, "title": "Yes and no"}
    assert unseen == {"course": None}
    assert wrong["userErrors"] == [{"code": "INVALID", "field": ["version"]}]
    assert (published["status"], published["published"]) == ("PUBLISHED", {"number": 1})
    assert [each["code"] for each in refused["userErrors"]] == ["FORBIDDEN"]
    [course] = shown["courses"]["nodes"]
    assert (course["published"]["questionCount"], course["figures"]) == (1, None)
    assert course["published"]["articles"] == [{"title": article.title}]


async def test_customers_and_guests_learn_only_that_they_may_not(clients: Clients) -> None:
    course_id = await add_course(clients)
    for somebody, code in ((await clients.customer(), "FORBIDDEN"), (clients.guest(), "UNAUTHENTICATED")):
        payload = await somebody.do(START, courseId=course_id)
        assert [each["code"] for each in payload["userErrors"]] == [code]


async def test_tries_that_are_used_say_when_there_is_one_again(clients: Clients) -> None:
    course_id, learner = await add_course(clients), await clients.staff(Role.SUPPORT)
    for _ in range(2):
        begun = (await learner.do(START, courseId=course_id))["quizAttempt"]
        await learner.do(SUBMIT, id=begun["id"], answers=[])

    payload = await learner.do(START, courseId=course_id)

    [error] = payload["userErrors"]
    assert (error["code"], error["field"]) == ("LIMIT_REACHED", ["courseId"])
    week = timedelta(days=7).total_seconds()
    assert week - 60 < error["retryAfterSeconds"] <= week


async def test_managers_read_figures_and_a_file_without_formulas(
    clients: Clients, session: AsyncSession
) -> None:
    course = await create_course(session, now=STARTED_AT)
    passed, failed = await create_learner(session), await create_learner(session)
    failed.name = "=1+1"
    await certify(session, course, passed, now=STARTED_AT)
    await take(session, course, failed, answers={}, now=STARTED_AT)
    await session.commit()
    manager = await clients.staff(Role.MANAGER)

    [shown] = (await manager.get(COURSES))["courses"]["nodes"]
    ask = "query($id: ID!) { courseResultsCsv(courseId: $id) }"
    file = (await manager.get(ask, id=global_id("Course", course.id)))["courseResultsCsv"]

    assert shown["figures"] == {
        "passed": 1,
        "failed": 1,
        "open": 0,
        "certified": 1,
        "renewalDue": 0,
        "expired": 0,
    }
    lines = file.splitlines()
    assert [line.split(",")[:4] for line in lines[1:]] == [
        ["'=1+1", "1", "FAILED", "0"],
        ["Chen Li", "1", "PASSED", "100"],
    ]


@pytest.mark.parametrize("role", [Role.SUPPORT, Role.MANAGER])
async def test_many_courses_and_attempts_take_as_many_statements_as_few(
    clients: Clients, session: AsyncSession, role: Role
) -> None:
    viewer = await clients.staff(role)
    assert viewer.account
    counts = []
    for _ in range(2):
        for _ in range(3):
            await add_passed_course(session, viewer.account)
        await session.commit()
        counts.append([await count(clients, viewer, document) for document in (COURSES, ATTEMPTS)])

    assert counts[0] == counts[1]
    assert counts[0][0] <= 13
    assert counts[0][1] <= 9


ATTEMPTS = f"{{ quizAttempts {{ nodes {{ {ATTEMPT} number account {{ name }} course {{ title }} }} }} }}"


async def add_passed_course(session: AsyncSession, account: Account) -> None:
    course = await create_course(session, now=STARTED_AT)
    await certify(session, course, account, now=STARTED_AT)


async def count(clients: Clients, viewer: Client, document: str) -> int:
    await viewer.get(document)
    with count_statements(clients.shop) as statements:
        await viewer.get(document)
    return statements.total
