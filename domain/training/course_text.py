"""What a clerk writes of a course: its terms, its articles and its quiz, checked as a whole."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from domain.errors import Invalid, Path, RefusalCollector, collect_refusals
from models import QuestionKind, Translations
from models.language import LANGUAGE_TAG
from text.messages import Message

TITLE_LIMIT = 200
DESCRIPTION_LIMIT = 2_000
PROMPT_LIMIT = 1_000
SITUATION_LIMIT = 4_000
EXPLANATION_LIMIT = 2_000
OPTION_LIMIT = 500
ARTICLES_LIMIT = 30
QUESTIONS_LIMIT = 50
OPTIONS_LIMIT = 8
"""Options of one question: each has a letter."""
LANGUAGES_LIMIT = 10

TERM_LIMITS = {
    "pass_percent": 100,
    "tries": 20,
    "period_days": 365,
    "minutes": 240,
    "valid_days": 3_650,
    "renew_days": 90,
}
"""The highest value of each term; the lowest is 1."""
POINTS_LIMIT = 10


@dataclass(frozen=True, slots=True)
class CourseTerms:
    """When a quiz is passed, how often it can be tried, and how long a certificate counts."""

    pass_percent: int = 80
    tries: int = 3
    period_days: int = 7
    minutes: int = 30
    valid_days: int | None = 365
    renew_days: int = 14


@dataclass(frozen=True, slots=True)
class OptionDraft:
    """An option of a question; translations have its `text`."""

    text: str
    is_correct: bool = False
    translations: Translations = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class QuestionDraft:
    """A question; translations have its `prompt`, `explanation` and `situation`."""

    kind: QuestionKind
    prompt: str
    explanation: str
    options: Sequence[OptionDraft]
    situation: str | None = None
    points: int = 1
    translations: Translations = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class CourseDraft:
    """All of a version of a course; translations have its `title` and `description`."""

    title: str
    description: str
    article_ids: Sequence[int]
    questions: Sequence[QuestionDraft]
    terms: CourseTerms = CourseTerms()
    translations: Translations = field(default_factory=dict)


def check_course(draft: CourseDraft) -> None:
    """Raise a refusal for everything in a course that is wrong."""
    with collect_refusals() as check:
        check_text(check, draft.title, TITLE_LIMIT, ("title",))
        check_text(check, draft.description, DESCRIPTION_LIMIT, ("description",))
        limits = {"title": TITLE_LIMIT, "description": DESCRIPTION_LIMIT}
        check_translations(check, draft.translations, limits, ("translations",))
        check_terms(check, draft.terms)
        check_count(check, draft.article_ids, 1, ARTICLES_LIMIT, ("article_ids",))
        if len(set(draft.article_ids)) < len(draft.article_ids):
            check.add(Invalid("Name each article once.", field=("article_ids",)))
        check_count(check, draft.questions, 1, QUESTIONS_LIMIT, ("questions",))
        for index, question in enumerate(draft.questions[:QUESTIONS_LIMIT]):
            check_question(check, question, ("questions", index))


def check_terms(check: RefusalCollector, terms: CourseTerms) -> None:
    for name, limit in TERM_LIMITS.items():
        value = getattr(terms, name)
        if value is not None and not 1 <= value <= limit:
            check.add(Invalid("Give a number from 1 to {limit}.", limit=limit, field=(name,)))


def check_question(check: RefusalCollector, question: QuestionDraft, path: Path) -> None:
    check_text(check, question.prompt, PROMPT_LIMIT, (*path, "prompt"))
    check_text(check, question.explanation, EXPLANATION_LIMIT, (*path, "explanation"))
    limits = {"prompt": PROMPT_LIMIT, "explanation": EXPLANATION_LIMIT}
    if question.kind is QuestionKind.CASE:
        check_text(check, question.situation or "", SITUATION_LIMIT, (*path, "situation"))
        limits["situation"] = SITUATION_LIMIT
    elif question.situation is not None:
        check.add(Invalid("Only a case has a situation.", field=(*path, "situation")))
    check_translations(check, question.translations, limits, (*path, "translations"))
    if not 1 <= question.points <= POINTS_LIMIT:
        message = "Give a number from 1 to {limit}."
        check.add(Invalid(message, limit=POINTS_LIMIT, field=(*path, "points")))
    check_options(check, question, (*path, "options"))


def check_options(check: RefusalCollector, question: QuestionDraft, path: Path) -> None:
    check_count(check, question.options, 2, OPTIONS_LIMIT, path)
    texts = [option.text.strip() for option in question.options]
    if len(set(texts)) < len(texts):
        check.add(Invalid("Two options read the same.", field=path))
    for index, option in enumerate(question.options[:OPTIONS_LIMIT]):
        check_text(check, option.text, OPTION_LIMIT, (*path, index, "text"))
        where = (*path, index, "translations")
        check_translations(check, option.translations, {"text": OPTION_LIMIT}, where)
    right = sum(option.is_correct for option in question.options)
    message, fits = RIGHT_OPTIONS[question.kind]
    if not fits(right):
        check.add(Invalid(message, field=path))


ONE_IS_RIGHT = Message("Exactly one option is right.")
SOME_ARE_RIGHT = Message("At least one option is right.")
ORDER_IS_RIGHT = Message("The order says what is right, and no option does.")

RIGHT_OPTIONS: Mapping[QuestionKind, tuple[Message, Callable[[int], bool]]] = {
    QuestionKind.SINGLE: (ONE_IS_RIGHT, lambda right: right == 1),
    QuestionKind.CASE: (ONE_IS_RIGHT, lambda right: right == 1),
    QuestionKind.MULTIPLE: (SOME_ARE_RIGHT, lambda right: right >= 1),
    QuestionKind.ORDERING: (ORDER_IS_RIGHT, lambda right: right == 0),
}


def check_count(
    check: RefusalCollector, given: Sequence[object], lowest: int, limit: int, path: Path
) -> None:
    if not lowest <= len(given) <= limit:
        check.add(Invalid("Give {lowest} to {limit} of them.", lowest=lowest, limit=limit, field=path))


def check_text(check: RefusalCollector, text: str, limit: int, path: Path) -> None:
    if not 1 <= len(text.strip()) <= limit:
        check.add(Invalid("Write 1 to {limit} characters.", limit=limit, field=path))


def check_translations(
    check: RefusalCollector, translations: Translations, limits: Mapping[str, int], path: Path
) -> None:
    """Each translation has all texts of the original, within the same limits."""
    if len(translations) > LANGUAGES_LIMIT:
        check.add(Invalid("At most {limit} languages.", limit=LANGUAGES_LIMIT, field=path))
    for index, (tag, texts) in enumerate(list(translations.items())[:LANGUAGES_LIMIT]):
        if not LANGUAGE_TAG.fullmatch(tag):
            check.add(Invalid("This is not a language tag.", field=(*path, index, "language")))
        for name, limit in limits.items():
            check_text(check, texts.get(name, ""), limit, (*path, index, name))
