"""Who hears of an event."""

from events.work import gives_work
from models import Event, Subject

STAFF_TOPIC = "staff"


def subject_topic(subject: Subject, subject_id: int) -> str:
    return f"{subject.value.lower()}:{subject_id}"


def account_topic(account_id: int) -> str:
    return f"account:{account_id}"


def topics_of(event: Event) -> list[str]:
    """The watchers of the thing itself, of its owner's whole account, and of the staff's work."""
    topics = [subject_topic(event.subject, event.subject_id)]
    if gives_work(event):
        topics.append(STAFF_TOPIC)
    if account_id := event.payload.get("account_id"):
        topics.append(account_topic(account_id))
    return topics
