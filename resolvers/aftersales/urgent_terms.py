"""Words of customers that make a ticket urgent: listing them and adding versions."""

from collections.abc import Sequence

from domain.aftersales.urgent_terms import UrgentTermDraft, save_urgent_term
from loaders.urgent_term import load_term_versions
from models import UrgentTerm
from resolvers.context import Info


async def urgent_terms(info: Info, history: bool = False) -> Sequence[UrgentTerm]:
    """The words that make a ticket urgent, as they are now: the strongest first.

    history: whether earlier versions are shown, too; the newest 500
    """
    return await load_term_versions(info.context.shop.database.reads, history=history)


async def urgent_term_save(
    info: Info,
    language: str,
    word: str,
    hours: int,
    exceptions: list[str] = [],  # noqa: B006 - read only
    version: int | None = None,
) -> UrgentTerm:
    """Adds a version of a word of customers that makes a ticket urgent. Earlier versions never change.

    Another spelling or form of a word is the same word; what is denied ("not angry") does not count. New
    texts are read by it at once, tickets that wait for the shop are read again within minutes.

    language: of which language it is, as "zh" or "en"; texts are searched for the words of all
    word: one word of up to 50 characters, without signs; a Chinese one is found inside others, too
    hours: how many hours earlier a ticket with it is attended to, up to 48; 0 ends the word
    exceptions: longer expressions with the word in which it says something else, up to 20
    version: the version that was read; left out for a new word
    """
    draft = UrgentTermDraft(language, word, hours, tuple(exceptions))
    async with info.context.transaction() as session:
        return await save_urgent_term(session, draft, version=version, cause=info.context.cause)
