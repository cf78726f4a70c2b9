"""Inputs of courses and quizzes."""

from collections.abc import Mapping, Sequence

import strawberry

from domain.errors import Invalid
from domain.language import canonical_tag
from domain.training import CourseDraft, CourseTerms, OptionDraft, QuestionDraft
from models import QuestionKind, Translations
from resolvers.descriptions import input_type
from resolvers.ids import row_id_or_zero
from resolvers.inputs.unique import require_unique

FieldPath = tuple[str | int, ...]


@input_type
class CourseTranslationInput:
    """The texts of a course in another language."""

    language: str
    """The language, as a tag such as "en"."""
    title: str
    """Its title."""
    description: str
    """What it is about."""


@input_type
class QuestionTranslationInput:
    """The texts of a question in another language."""

    language: str
    """The language, as a tag such as "en"."""
    prompt: str
    """What is asked."""
    explanation: str
    """Why the right answer is right."""
    situation: str | None = None
    """The case that is to be decided."""


@input_type
class QuizOptionTranslationInput:
    """An option in another language."""

    language: str
    """The language, as a tag such as "en"."""
    text: str
    """What it says."""


@input_type
class QuizOptionInput:
    """An option of a question."""

    text: str
    """What it says, in up to 500 characters."""
    is_correct: bool = False
    """Whether it is right; false for all options of an ordering."""
    translations: list[QuizOptionTranslationInput] = strawberry.field(default_factory=list)
    """The same in other languages."""

    def draft(self, path: FieldPath) -> OptionDraft:
        texts = {each.language: {"text": each.text} for each in self.translations}
        return OptionDraft(self.text, self.is_correct, texts_by_tag(texts, self.translations, path))


@input_type
class QuizQuestionInput:
    """A question of a quiz."""

    kind: QuestionKind
    """How it is answered."""
    prompt: str
    """What is asked, in up to 1,000 characters."""
    explanation: str
    """Why the right answer is right, shown when the attempt has ended."""
    options: list[QuizOptionInput]
    """2 to 8 options; those of an ordering in their right order."""
    situation: str | None = None
    """The case that is to be decided; for cases only."""
    points: int = 1
    """What it counts in the quiz, from 1 to 10."""
    translations: list[QuestionTranslationInput] = strawberry.field(default_factory=list)
    """The same in other languages."""

    def draft(self, path: FieldPath) -> QuestionDraft:
        texts = {
            each.language: {
                "prompt": each.prompt,
                "explanation": each.explanation,
                **({} if each.situation is None else {"situation": each.situation}),
            }
            for each in self.translations
        }
        return QuestionDraft(
            kind=self.kind,
            prompt=self.prompt,
            explanation=self.explanation,
            options=[option.draft((*path, "options", index)) for index, option in enumerate(self.options)],
            situation=self.situation,
            points=self.points,
            translations=texts_by_tag(texts, self.translations, path),
        )


@input_type
class CourseSaveInput:
    """What `courseSave` needs: all of the course."""

    title: str
    """Its title, in up to 200 characters."""
    description: str
    """What it is about."""
    article_ids: list[strawberry.ID]
    """The articles it teaches, in their order; their translations come along."""
    questions: list[QuizQuestionInput]
    """The quiz, of at most 50 questions."""
    translations: list[CourseTranslationInput] = strawberry.field(default_factory=list)
    """Title and description in other languages."""
    pass_percent: int = 80
    """How much of the quiz must be right, in percent."""
    tries: int = 3
    """How many attempts may begin within `periodDays`."""
    period_days: int = 7
    """For how many days an attempt counts among the tries."""
    minutes: int = 30
    """How long an attempt may take."""
    valid_days: int | None = 365
    """How long a certificate counts; for good with null."""
    renew_days: int = 14
    """How long whoever is asked again has time to pass."""
    id: strawberry.ID | None = None
    """The course to change; a new one is added without it."""
    version: int | None = None
    """The version that was changed; required with `id`."""

    def draft(self) -> CourseDraft:
        texts = {
            each.language: {"title": each.title, "description": each.description}
            for each in self.translations
        }
        return CourseDraft(
            title=self.title,
            description=self.description,
            article_ids=[row_id_or_zero(each, "Article") for each in self.article_ids],
            questions=[each.draft(("questions", index)) for index, each in enumerate(self.questions)],
            terms=CourseTerms(
                pass_percent=self.pass_percent,
                tries=self.tries,
                period_days=self.period_days,
                minutes=self.minutes,
                valid_days=self.valid_days,
                renew_days=self.renew_days,
            ),
            translations=texts_by_tag(texts, self.translations, ()),
        )

    def changed_version(self) -> int | None:
        """The version that was changed; Invalid where that of an existing course is missing."""
        if self.id is not None and self.version is None:
            raise Invalid("Say which version you have changed.", field=("version",))
        return self.version


@input_type
class QuizAnswerInput:
    """The answer to one question."""

    number: int
    """The number of the question."""
    choices: list[str]
    """The keys of options; for an ordering all, in their order."""


def texts_by_tag(
    texts: Mapping[str, Mapping[str, str]],
    given: "Sequence[CourseTranslationInput | QuestionTranslationInput | QuizOptionTranslationInput]",
    path: FieldPath,
) -> Translations:
    """Texts by the usual spelling of their language; refuses a language that is named twice."""
    require_unique([canonical_tag(each.language) for each in given], (*path, "translations"), "language")
    return {canonical_tag(language): dict(each) for language, each in texts.items()}
