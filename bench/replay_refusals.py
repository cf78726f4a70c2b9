"""Why a step of a story was not taken."""


class StoryRefused(Exception):
    """The shop refused a step that its story takes for possible."""


class StoryFailed(StoryRefused):
    """An operation was not refused by a payload but answered with errors."""
