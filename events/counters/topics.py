"""Finding now and then what customers ask and no article answers: by one process, beside the requests."""

import asyncio
from dataclasses import dataclass
from datetime import timedelta

import structlog

from domain.knowledge.topics import TopicDraft, replace_topics
from events.search import IndexFollower
from events.synonyms import SynonymFollower
from events.types import Clock
from gateways.leases import Leases, LimitExceeded
from gateways.meaning import MeaningIndex
from loaders.knowledge import ArticleSearch
from loaders.question_topics import EXAMPLES_LIMIT, AskedText, load_last_found, load_unanswered_texts
from models.database import Database
from text.clusters import Cluster, WeighedText, cluster_texts, compare_vectors, compare_words

log = structlog.get_logger()

LOOKED_BACK = timedelta(days=30)
FOUND_EVERY = timedelta(hours=6)
LEAST_SIZE = 3
"""How often something is asked that deserves an article."""

TOPICS_LIMIT = 50
NEAR_BY_MEANING, NEAR_BY_WORDS = 0.9, 0.35
"""How near texts are that are about the same."""

LEASE = "question topics"


@dataclass(frozen=True, slots=True)
class TopicFinder:
    """Groups the questions of the last days that no article answers."""

    database: Database
    clock: Clock
    leases: Leases
    index: IndexFollower
    synonyms: SynonymFollower
    meaning: MeaningIndex | None

    async def find(self) -> None:
        """Find the topics, and write them in place of the last ones."""
        search = ArticleSearch(await self.index.ready(), await self.synonyms.known(), self.meaning)
        since = self.clock() - LOOKED_BACK
        asked = await load_unanswered_texts(self.database.reads, search, since=since)
        texts = [WeighedText(each.text, each.count) for each in asked]
        if self.meaning:
            similarity = compare_vectors(await self.meaning.vectors([each.text for each in asked]))
            least = NEAR_BY_MEANING
        else:
            similarity, least = compare_words([each.text for each in asked]), NEAR_BY_WORDS
        clusters = await asyncio.to_thread(
            cluster_texts, texts, similarity, least=least, least_size=LEAST_SIZE
        )
        topics = [draft_of(cluster, asked) for cluster in clusters[:TOPICS_LIMIT]]
        async with self.database.writes.begin() as session:
            await replace_topics(session, topics, now=self.clock())

    async def run(self) -> None:
        """Find them when the last ones are old, until cancelled; one process does it for all."""
        while True:
            try:
                async with self.leases.hold(LEASE, 1):
                    last = await load_last_found(self.database.reads)
                    if last is None or self.clock() - last >= FOUND_EVERY:
                        await self.find()
            except LimitExceeded:
                log.debug("topics.found_elsewhere")
            except Exception:
                log.exception("topics.not_found")
            await asyncio.sleep(FOUND_EVERY.total_seconds())


def draft_of(cluster: Cluster, asked: list[AskedText]) -> TopicDraft:
    """A topic with the examples that lead it."""
    examples = [asked[place] for place in cluster.members[:EXAMPLES_LIMIT]]
    return TopicDraft(
        cluster.size,
        tuple(each.ticket_id for each in examples if each.ticket_id is not None),
        tuple(each.text for each in examples if each.ticket_id is None),
    )
