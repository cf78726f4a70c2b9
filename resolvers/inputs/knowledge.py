import strawberry

from domain.errors import Invalid
from domain.knowledge import ArticleText
from models import ArticleAudience
from resolvers.descriptions import input_type
from resolvers.ids import row_id


@input_type
class ArticleSaveInput:
    """What `articleSave` needs."""

    slug: str
    """Its place in an address: small letters, digits and hyphens."""
    language: str
    """The language it is written in, as a tag such as "zh-CN"."""
    category: str
    """What it is about."""
    title: str
    """The question it answers, in up to 200 characters."""
    body: str
    """The answer, in Markdown."""
    tags: list[str] = strawberry.field(default_factory=list)
    """Keywords."""
    id: strawberry.ID | None = None
    """The article to change; a new one is added without it."""
    version: int | None = None
    """The version that was changed; required with `id`."""
    audience: ArticleAudience | None = None
    """Whom it is for; as it is when left out, everybody for a new one."""
    translation_of: strawberry.ID | None = None
    """The article that it translates; as it is when left out."""
    questions: list[str] | None = None
    """Other ways to ask what it answers, for the search; as they are when left out."""
    draft: bool = False
    """Keep what everybody reads until `articlePublish`; without it a published text is replaced at once."""

    minor: bool = False
    """Whether nothing of substance changes in a text that is replaced at once: otherwise the staff who have
    learned it in a course are asked to pass its quiz again."""

    def text(self) -> ArticleText:
        return ArticleText(
            slug=self.slug,
            language=self.language,
            category=self.category,
            tags=tuple(self.tags),
            title=self.title,
            body=self.body,
            audience=self.audience,
            questions=None if self.questions is None else tuple(self.questions),
            original_id=row_id(self.translation_of, "Article", field=("translation_of",))
            if self.translation_of
            else None,
        )

    def changed_version(self) -> int:
        """The version that was changed; Invalid where it is missing."""
        if self.version is None:
            raise Invalid("Say which version you have changed.", field=("version",))
        return self.version
