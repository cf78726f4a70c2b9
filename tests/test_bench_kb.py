"""The bench of the knowledge base runs, and finds what it should by words only; it measures no time here."""

from bench.kb import QUESTIONS_EACH, ask, group_of, open_base


async def test_the_title_of_each_article_finds_it_and_strange_questions_find_nothing() -> None:
    base = await open_base()
    public = list(base.rows.values())
    found = [await ask(base, None, row.title) for row in public]

    first = [answers[:1] == [base.groups[row.id]] for row, (answers, _) in zip(public, found, strict=True)]
    assert (len(public), sum(first)) == (64, 64)
    for text in ("你们招聘吗", "who won the football match", ""):
        assert (await ask(base, None, text))[0] == []


async def test_questions_are_answered_in_both_languages() -> None:
    base = await open_base()

    assert (await ask(base, None, "退钱要几天"))[0][0] == "how-long-refunds-take"
    assert (await ask(base, None, "how do I cancel"))[0][0] == group_of(base, "cancel-my-order")
    assert QUESTIONS_EACH == 6
