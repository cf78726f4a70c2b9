"""Inputs of the agents to whom the shop gives tickets."""

import strawberry

from domain.aftersales.agents import TicketAgentDraft
from models import TicketType
from resolvers.descriptions import input_type
from resolvers.ids import row_id


@input_type
class TicketSkillInput:
    """A type of ticket in one language."""

    type: TicketType
    """The type."""
    language: str
    """The language, "zh" or "en"; customers whose language is not known go to any."""


@input_type
class TicketAgentSaveInput:
    """What `ticketAgentSave` needs."""

    account_id: strawberry.ID
    """Somebody of the support staff."""
    skills: list[TicketSkillInput]
    """What they handle, each once; none for nothing."""
    open_limit: int
    """Tickets that wait for the shop which they are given at once, up to 200."""
    version: int | None = None
    """The version that was read; left out, whatever is there is replaced."""

    def draft(self) -> TicketAgentDraft:
        return TicketAgentDraft(
            row_id(self.account_id, "Account", field=("account_id",)),
            tuple((skill.type, skill.language) for skill in self.skills),
            self.open_limit,
        )
