"""categories.txt: a line per category, its id and the names from the root down."""

import re
from dataclasses import dataclass, field

from domain.catalog.interchange.problems import Problems
from domain.catalog.taxonomy.edition import line_of, parent_of
from domain.catalog.taxonomy.text import decoded, name_of, wrong_name
from domain.catalog.tree import DEPTH_LIMIT, Path

SEPARATOR = " > "

_VERSION = re.compile(r"#.*\bCategories: *(\S+)\s*")
_CATEGORY = re.compile(r"gid://shopify/TaxonomyCategory/([a-z]{2}(?:-[0-9]{1,6})*) *: (.+)")


@dataclass(slots=True)
class CategoryLines:
    """What the lines say; `numbers` and `paths` are by id."""

    problems: Problems
    version: str = ""
    numbers: dict[str, int] = field(default_factory=dict)
    paths: dict[str, Path] = field(default_factory=dict)


def read_lines(name: str, data: bytes | None) -> CategoryLines:
    read = CategoryLines(Problems(name))
    for number, row in enumerate(decoded(data, read.problems).split("\n"), start=1):
        if row.startswith("#"):
            version = _VERSION.fullmatch(row)
            read.version = version[1] if version else read.version
        elif row.strip():
            _read(read, number, row.rstrip("\r"))
    for id in read.paths:
        _check_place(read, id)
    if not (read.version or read.problems.found):
        read.problems.add(1, "", 'does not begin with "# ... Categories: " and a version')
    return read


def _read(read: CategoryLines, number: int, row: str) -> None:
    match = _CATEGORY.fullmatch(row)
    if match is None:
        read.problems.add(number, "", "is not the id of a category, a colon and the names from the root down")
        return
    id, path = match[1], tuple(map(name_of, match[2].split(SEPARATOR)))
    if id in read.numbers:
        read.problems.add(number, "", f"{id} stands in line {read.numbers[id]} already")
        return
    if reason := wrong_name(path[-1]):
        read.problems.add(number, "", f"{id} {reason}")
    read.numbers[id] = number
    read.paths[id] = path


def _check_place(read: CategoryLines, id: str) -> None:
    parent, levels = parent_of(id), len(line_of(id))
    above = read.paths.get(parent) if parent else ()
    if levels > DEPTH_LIMIT:
        reason = f"{id} stands {levels} levels deep; at most {DEPTH_LIMIT} are taken"
    elif above is None:
        reason = f"{id} stands below {parent}, which is missing"
    elif above != read.paths[id][:-1]:
        reason = f'{id} names "{_joined(read.paths[id][:-1])}" above it, but there is "{_joined(above)}"'
    else:
        return
    read.problems.add(read.numbers[id], "", reason)


def _joined(path: Path) -> str:
    return SEPARATOR.join(path)
