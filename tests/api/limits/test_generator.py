"""Random documents of the benchmark are answered or refused by name, and never fail."""

import pytest

from bench.cost import list_attacks, measure_sample
from bench.documents import DIMENSIONS, DocumentGenerator, Sample
from schema import schema
from tests.clients import Clients

CODES = {
    "answered",
    "not valid",
    "BODY_TOO_LARGE",
    "OPERATION_TOO_COSTLY",
    "OPERATION_TOO_LARGE",
    "INVALID",
    "LIMIT_REACHED",
}
COUNT = 10 * len(DIMENSIONS)


def generate(seed: int) -> list[Sample]:
    return list(DocumentGenerator(schema._schema, seed).write_samples(COUNT))


def test_a_seed_makes_the_same_documents_again() -> None:
    assert generate(1) == generate(1) != generate(2)


async def test_every_random_document_is_answered_or_refused_by_name(clients: Clients) -> None:
    outcomes = [(await measure_sample(clients.http, sample)).outcome for sample in generate(1)]

    assert set(outcomes) <= CODES, set(outcomes) - CODES
    assert outcomes.count("answered") > COUNT / 4
    assert {"OPERATION_TOO_COSTLY", "OPERATION_TOO_LARGE"} <= set(outcomes)


@pytest.mark.settings(guest_cost_bucket=1_000_000_000, guest_cost_refill=1_000_000_000)
async def test_every_attack_is_refused_or_answered_by_name(clients: Clients) -> None:
    outcomes = {(await measure_sample(clients.http, sample)).outcome for sample in list_attacks()}

    assert outcomes <= CODES, outcomes - CODES
