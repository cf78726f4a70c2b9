"""Idempotency keys: the first answer under a key is answered again for a day, failures included."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from bench.provider_servers.stripe.book import ApiProblem, Json

KEPT_SECONDS = 24 * 3600
LENGTH_LIMIT = 255


@dataclass(slots=True)
class KeptAnswer:
    path: str
    form: Mapping[str, str]
    kept_at: int
    status: int = 0
    body: Json = field(default_factory=dict)


@dataclass(slots=True)
class KeptAnswers:
    answers: dict[str, KeptAnswer] = field(default_factory=dict)

    def find(self, key: str, path: str, form: Mapping[str, str], now: int) -> KeptAnswer | None:
        """The answer that was given; ApiProblem for another call under the key, or one that has not ended."""
        if len(key) > LENGTH_LIMIT:
            raise ApiProblem(400, "idempotency_error", "idempotency_key_invalid", "The key is too long.")
        kept = self.answers.get(key)
        if kept is None or now - kept.kept_at > KEPT_SECONDS:
            return None
        if (kept.path, kept.form) != (path, form):
            raise ApiProblem(
                400, "idempotency_error", "idempotency_error", "The key was used with other parameters."
            )
        if not kept.status:
            raise ApiProblem(
                409, "idempotency_error", "idempotency_key_in_use", "A call with this key has not ended."
            )
        return kept

    def begin(self, key: str, path: str, form: Mapping[str, str], now: int) -> None:
        self.answers[key] = KeptAnswer(path, form, now)

    def finish(self, key: str, status: int, body: Json) -> None:
        self.answers[key].status, self.answers[key].body = status, body

    def forget(self, key: str) -> None:
        """A call that was refused before anything was done does not use its key up."""
        self.answers.pop(key, None)
