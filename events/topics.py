"""The topics of the bus, and which of them an event is about."""

from events.work_queue import concerns_staff
from models import Event, Subject

STAFF_TOPIC = "staff"


def subject_topic(subject: Subject, subject_id: int) -> str:
    return f"{subject.value.lower()}:{subject_id}"


def account_topic(account_id: int) -> str:
    return f"account:{account_id}"


def topics_of(event: Event) -> list[str]:
    """The topics of the row itself, of the account of its customer, and of the staff's work queue."""
    topics = [subject_topic(event.subject, event.subject_id)]
    if concerns_staff(event):
        topics.append(STAFF_TOPIC)
    if account_id := event.payload.get("account_id"):
        topics.append(account_topic(account_id))
    return topics
