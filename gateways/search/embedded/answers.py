"""Answers of an index that are given again until it changes."""

from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import TypeVar, cast

T = TypeVar("T")

ANSWERS_LIMIT = 500
"""Answers that are kept: counts of a list, which each of its pages shows, and facets that many ask for."""


@dataclass(slots=True)
class AnswerCache:
    """The last ANSWERS_LIMIT answers, as long as the index is the same."""

    generation: int = 0
    answers: "OrderedDict[str, object]" = field(default_factory=OrderedDict)

    def forget(self) -> None:
        """Forget all: the index shows something else from now on."""
        self.generation += 1
        self.answers.clear()

    async def get(self, question: object, answer: Callable[[], Awaitable[T]]) -> T:
        """What was answered to the same question, or is now."""
        key, generation = repr(question), self.generation
        if key in self.answers:
            self.answers.move_to_end(key)
            return cast(T, self.answers[key])
        found = await answer()
        # a change may have come while it was computed
        if generation == self.generation:
            self.answers[key] = found
            while len(self.answers) > ANSWERS_LIMIT:
                self.answers.popitem(last=False)
        return found
