"""The staff desk: learners take a quiz, clerks write courses, managers see who has passed."""

from typing import Any

from tests.client_apps.client_app import ClientApp
from tests.client_apps.conftest import SignIn


async def read_my_training(desk: ClientApp) -> dict[str, Any]:
    account = (await desk.read("StaffViewer"))["viewer"]["account"]
    return await desk.read("StaffMyTraining", accountId=account["id"])


async def find_course(desk: ClientApp, title: str) -> dict[str, Any]:
    listed = await desk.read("StaffCourses")
    course: dict[str, Any] = next(each for each in listed["courses"]["nodes"] if each["title"] == title)
    return course


async def test_support_passes_a_course_again_and_the_manager_sees_it(sign_in: SignIn) -> None:
    clerk, learner = await sign_in("staff", "catalogue"), await sign_in("staff", "support")
    manager = await sign_in("staff", "manager")
    course = await find_course(learner, "配送中的索赔")
    content = (await clerk.read("StaffCourseContent", id=course["id"]))["courseContent"]

    attempt = (await learner.do("StaffStartQuiz", courseId=course["id"]))["quizAttempt"]
    answers = []
    for asked, written in zip(attempt["questions"], content["questions"], strict=True):
        keys = {option["text"]: option["key"] for option in asked["options"]}
        ordered = written["kind"] == "ORDERING"
        right = [each["text"] for each in written["options"] if ordered or each["isCorrect"]]
        answers.append({"number": asked["number"], "choices": [keys[text] for text in right]})
    await learner.do("StaffSaveQuizAnswer", id=attempt["id"], **answers[0])
    passed = (await learner.do("StaffSubmitQuiz", id=attempt["id"], answers=answers[1:]))["quizAttempt"]
    mine, of_manager = await read_my_training(learner), await read_my_training(manager)
    results = await manager.read("StaffCourseResults", courseId=course["id"])
    file = (await manager.read("StaffCourseResultsFile", courseId=course["id"]))["courseResultsCsv"]

    assert course["myCertificate"]["status"] == "EXPIRED"
    assert (passed["status"], passed["scorePercent"]) == ("PASSED", 100)
    assert mine["certificates"]["nodes"][0]["status"] == "VALID"
    for kind in ("certificates", "quizAttempts"):
        of_learner, of_other = ({each["id"] for each in found[kind]["nodes"]} for found in (mine, of_manager))
        assert of_learner
        assert not of_learner & of_other
    assert results["quizAttempts"]["totalCount"] == len(file.splitlines()) - 1 == 3
    assert (results["course"]["figures"]["certified"], results["course"]["figures"]["expired"]) == (2, 0)


async def test_a_clerk_writes_a_course_and_a_manager_requires_it(sign_in: SignIn) -> None:
    clerk, manager = await sign_in("staff", "catalogue"), await sign_in("staff", "manager")
    course = await find_course(clerk, "退款与金额")
    question = {
        "kind": "SINGLE",
        "prompt": "退款退到哪里？",
        "explanation": "原路退回。",
        "options": [{"text": "原路", "isCorrect": True}, {"text": "现金"}],
    }

    saved = (
        await clerk.do(
            "StaffSaveCourse",
            title="退款入门",
            description="钱退到哪里。",
            articleIds=[each["id"] for each in course["published"]["articles"]],
            questions=[question],
        )
    )["course"]
    published = (await clerk.do("StaffPublishCourse", id=saved["id"], version=saved["version"]))["course"]
    required = await manager.do(
        "StaffRequireCertificate", courseId=saved["id"], ticketType="RESHIP", force=True
    )
    results = await manager.read("StaffCourseResults", courseId=course["id"])
    learner_id = results["quizAttempts"]["nodes"][0]["account"]["id"]
    await manager.do("StaffReleaseQuiz", courseId=saved["id"], accountId=learner_id, reason="请再试一次。")
    listed = (await manager.read("StaffCertificateRequirements"))["certificateRequirements"]

    assert (saved["draft"], published["status"]) == ({"number": 1}, "PUBLISHED")
    assert required["certificateRequirement"]["id"] in [each["id"] for each in listed]
