"""The four arguments of every connection, declared once."""

import inspect
from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any

from resolvers.paging import PAGE_DEFAULT, PAGE_LIMIT, PageRequest

PAGE_ARGUMENTS: Mapping[str, tuple[type, str]] = {
    "first": (
        int,
        f"how many from the beginning, at most {PAGE_LIMIT}; {PAGE_DEFAULT} without `first` and `last`",
    ),
    "after": (str, "the cursor after which they begin"),
    "last": (int, f"how many from the end, at most {PAGE_LIMIT}, in place of `first`"),
    "before": (str, "the cursor before which they end"),
}
"""The arguments of every connection (https://relay.dev/graphql/connections.htm), with descriptions."""


def with_page_arguments(resolver: Callable[..., Any]) -> Callable[..., Any]:
    """The resolver with the arguments of a connection in place of its parameter `page`, if it has one."""
    signature = inspect.signature(resolver, eval_str=True)
    if "page" not in signature.parameters:
        return resolver

    @wraps(resolver)
    def answer(
        *args: Any,
        first: int | None = None,
        after: str | None = None,
        last: int | None = None,
        before: str | None = None,
        **kwargs: Any,
    ) -> Any:
        return resolver(*args, page=PageRequest(first, after, last, before), **kwargs)

    arguments = [
        inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=kind | None)
        for name, (kind, _) in PAGE_ARGUMENTS.items()
    ]
    others = [each for each in signature.parameters.values() if each.name != "page"]
    answer.__signature__ = signature.replace(parameters=[*others, *arguments])  # type: ignore[attr-defined]
    answer.__annotations__ = {
        **{each.name: each.annotation for each in (*others, *arguments)},
        "return": signature.return_annotation,
    }
    return answer
