"""An answer to a ticket that an article gives: its own sentences, with the facts of this order."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import tzinfo

from domain.aftersales.canned_answers import PLACEHOLDER
from domain.aftersales.states import SETTLED
from models import Account, Article, Order, Ticket
from text.analyzer import split_terms
from text.messages import Message, choose_language
from text.messages.facts import format_fact
from text.question import parse_question
from text.sentences import split_sentences

QUOTED_LIMIT = 3
"""Sentences of an article in one answer."""

PARAGRAPH = "\n\n"


@dataclass(frozen=True, slots=True)
class ProposedAnswer:
    """What an agent may answer with."""

    text: str
    article: Article
    quotes: Sequence[str]
    """The sentences of the article it rests on, as they stand there."""
    unfilled: Sequence[str]
    """Placeholders of these sentences for which the ticket has no fact; the agent fills them in."""


def propose_answer(
    article: Article,
    ticket: Ticket,
    order: Order | None,
    customer: Account,
    reason: str = "",
    *,
    zone: tzinfo,
) -> ProposedAnswer | None:
    """An answer in the language of the article; None where it has no sentence.

    It says nothing but what the article says and what the order has. What a fact says is never read again as
    a placeholder. `reason` says in a sentence why they claim.
    """
    quotes = choose_sentences(article, f"{ticket.description}\n{reason}")
    if not quotes:
        return None
    language = choose_language(article.language)
    facts = facts_of(ticket, order, customer, language, zone)
    unfilled: list[str] = []

    def fill(sentence: str) -> str:
        parts = PLACEHOLDER.split(sentence)
        names = parts[1::2]
        unfilled.extend(name for name in names if not facts.get(name) and name not in unfilled)
        parts[1::2] = [facts.get(name) or f"{{{name}}}" for name in names]
        return "".join(parts)

    body = ("" if language == "zh" else " ").join(map(fill, quotes))
    hello = Message("Hello {customer},", customer=customer.name).text(language, zone)
    about = [each.text(language, zone) for each in name_facts(ticket, order)]
    return ProposedAnswer(PARAGRAPH.join([hello, body, *about]), article, quotes, unfilled)


def choose_article(articles: Sequence[Article], description: str, reasons: Sequence[str]) -> Article | None:
    """The best of articles, the best first, that is about what a ticket says: about why it was opened, as
    these reasons say it in each language, else about most of what was written.

    One that shares only the name of the goods is about something else. What is only asked has no reason:
    there the search alone says what fits.
    """
    about = (each for each in articles if not reasons or is_about(each, reasons))
    same = (each for each in articles if has_most_words([*subject_of(each), each.body], description))
    return next(about, None) or next(same, None)


def is_about(article: Article, reasons: Sequence[str]) -> bool:
    return any(has_most_words(subject_of(article), reason) for reason in reasons)


def subject_of(article: Article) -> Sequence[str]:
    """The texts that say what an article is about."""
    return [article.title, article.category, *article.tags, *article.questions]


def has_most_words(texts: Sequence[str], question: str) -> bool:
    """Whether texts have at least half of the words of a question."""
    has, words = set(split_terms(texts)), parse_question(question)
    return 2 * sum(not has.isdisjoint(word.forms) for word in words) >= max(len(words), 1)


def choose_sentences(article: Article, question: str) -> Sequence[str]:
    """The sentences with most of the words of a question, in their order; else the first ones."""
    sentences = split_sentences(article.body)
    asked = set(split_terms([question]))
    shared = Counter({place: len(asked & set(split_terms([text]))) for place, text in enumerate(sentences)})
    best = [place for place, count in shared.most_common(QUOTED_LIMIT) if count]
    return [sentences[place] for place in sorted(best)] or sentences[:QUOTED_LIMIT]


def facts_of(
    ticket: Ticket, order: Order | None, customer: Account, language: str, zone: tzinfo
) -> Mapping[str, str]:
    """What placeholders stand for, in a language; empty where the ticket has no such fact."""
    return {
        "customer": customer.name,
        "due": format_fact(ticket.due_at, language, zone) if ticket.due_at else "",
        "order": order.number if order else "",
        "ordered": format_fact(order.placed_at, language, zone) if order else "",
        "refund": format_fact(ticket.refund, language, zone) if is_granted_refund(ticket) else "",
        "ticket": ticket.number,
        "total": format_fact(order.total, language, zone) if order else "",
    }


def name_facts(ticket: Ticket, order: Order | None) -> Sequence[Message]:
    """Which order and which refund it is about."""
    if order is None:
        return [Message("This is about your request {ticket}.", ticket=ticket.number)]
    about = Message(
        "This is about your order {order} of {ordered} ({total}), request {ticket}.",
        order=order.number,
        ordered=order.placed_at,
        total=order.total,
        ticket=ticket.number,
    )
    refund = Message("Your refund comes to {refund}.", refund=ticket.refund)
    return [about, refund] if is_granted_refund(ticket) else [about]


def is_granted_refund(ticket: Ticket) -> bool:
    """Whether money comes back for sure: until it is granted, what a ticket brings is only quoted."""
    return ticket.status in SETTLED and bool(ticket.refund)
