"""What clerks write of a course, right answers included: no type that learners reach refers to these."""

import models
from resolvers import training as resolve
from resolvers.descriptions import describe_enum
from schema.knowledge import Article
from schema.limits.sizes import FEW, SOME
from schema.rows import batched, field, loaded, row_type

QuestionKind = describe_enum(models.QuestionKind)


@row_type(resolve.TranslatedTexts)
class TranslatedTexts:
    """The texts of a course, a question or an option in another language; null for those it does not have."""

    language: str
    """The language, as a tag such as "en"."""
    title: str | None
    """The title of a course."""
    description: str | None
    """What a course is about."""
    prompt: str | None
    """What is asked."""
    situation: str | None
    """The case that is to be decided."""
    explanation: str | None
    """Why the right answer is right."""
    text: str | None
    """What an option says."""


@row_type(models.QuizOption)
class QuizOption:
    """An option of a question, as a clerk has written it."""

    position: int
    """Its place; in an ordering, its right one."""
    text: str
    """What it says."""
    is_correct: bool
    """Whether it is right."""
    translations: list[TranslatedTexts] = field(resolve.translations, size=FEW)


@row_type(models.QuizQuestion)
class QuizQuestion:
    """A question of a quiz, as a clerk has written it."""

    position: int
    """Its number in the quiz."""
    kind: models.QuestionKind
    """How it is answered."""
    situation: str | None
    """The case that is to be decided."""
    prompt: str
    """What is asked."""
    explanation: str
    """Why the right answer is right."""
    points: int
    """What it counts in the quiz."""
    options: list[QuizOption] = loaded("quiz_options", key="id", size=FEW)
    """Its options; those of an ordering in their right order."""
    translations: list[TranslatedTexts] = field(resolve.translations, size=FEW)


@row_type(models.CourseVersion)
class CourseContent:
    """All of a version of a course."""

    number: int
    """The version of the course; the first is 1."""
    title: str
    """Its title."""
    description: str
    """What it is about."""
    pass_percent: int
    """How much of the quiz must be right, in percent."""
    tries: int
    """How many attempts may begin within `periodDays`."""
    period_days: int
    """For how many days an attempt counts among the tries."""
    minutes: int
    """How long an attempt may take."""
    valid_days: int | None
    """How long a certificate counts; null for good."""
    renew_days: int
    """How long whoever is asked again has time to pass."""
    articles: list[Article] = batched(resolve.articles, size=SOME)
    questions: list[QuizQuestion] = loaded("quiz_questions", key="id", size=SOME)
    """Its quiz."""
    translations: list[TranslatedTexts] = field(resolve.translations, size=FEW)
