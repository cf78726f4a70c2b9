"""Grading an attempt, without a session or a clock; and the order in which it shows options.

Credit is right minus wrong, never below nothing, in percent of all that is right and rounded down: of options
for questions with options to choose, of pairs for an ordering. So naming everything is worth
nothing, and guessing little.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from itertools import combinations

from models import QuestionKind

LETTERS = "ABCDEFGH"
"""The keys of options, in the order in which an attempt shows them."""
FULL_CREDIT = 100


@dataclass(frozen=True, slots=True)
class GradedOption:
    """An option with what makes it right."""

    id: int
    position: int
    is_correct: bool


@dataclass(frozen=True, slots=True)
class GradedQuestion:
    """A question with its options in the order in which they were written."""

    id: int
    kind: QuestionKind
    points: int
    options: Sequence[GradedOption]


def shuffle_options(option_ids: Sequence[int], seed: str) -> list[int]:
    """The options in the order in which an attempt shows them: the same for the same seed."""
    return sorted(option_ids, key=lambda id: sha256(f"{seed}:{id}".encode()).digest())


def keys_of_options(option_ids: Sequence[int], seed: str) -> dict[str, int]:
    """The key of each option in an attempt -> the option."""
    return dict(zip(LETTERS, shuffle_options(option_ids, seed), strict=False))


def credit_of(question: GradedQuestion, chosen: Sequence[int]) -> int:
    """How right an answer is, in percent."""
    if question.kind is QuestionKind.ORDERING:
        return credit_of_order(question, chosen)
    right_ids = {option.id for option in question.options if option.is_correct}
    right = len(right_ids & set(chosen))
    return share_of(right - (len(set(chosen)) - right), len(right_ids))


def credit_of_order(question: GradedQuestion, chosen: Sequence[int]) -> int:
    """Of all pairs of options, those that stand in the right order less those that do not."""
    if len(chosen) < len(question.options):
        return 0
    places = {option.id: option.position for option in question.options}
    pairs = [places[first] < places[second] for first, second in combinations(chosen, 2)]
    right = sum(pairs)
    return share_of(right - (len(pairs) - right), len(pairs))


def share_of(part: int, whole: int) -> int:
    return max(0, part) * FULL_CREDIT // whole


def best_score_of(questions: Sequence[GradedQuestion]) -> int:
    """The score of right answers only."""
    return FULL_CREDIT * sum(question.points for question in questions)


def score_of(questions: Sequence[GradedQuestion], credits: Mapping[int, int]) -> int:
    """The sum of credit times points; a question without an answer has no credit."""
    return sum(question.points * credits.get(question.id, 0) for question in questions)


def is_passed(score: int, best_score: int, pass_percent: int) -> bool:
    """Whether a score reaches the pass mark, exactly: nothing is rounded."""
    return score * 100 >= pass_percent * best_score
