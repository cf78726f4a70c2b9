from resolvers.described import input_type


@input_type
class CouponTextInput:
    """What a coupon is called in another language."""

    language: str
    """The language, as a tag: "en"."""
    title: str
    """What customers read."""


def by_language(texts: list[CouponTextInput]) -> dict[str, dict[str, str]]:
    return {text.language: {"title": text.title} for text in texts}
