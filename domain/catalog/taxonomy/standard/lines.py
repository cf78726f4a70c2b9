"""Reading categories.txt: one line per category, its id and the names from the root down."""

import re
from dataclasses import dataclass, field

from domain.catalog.problems import ProblemList
from domain.catalog.taxonomy import Path
from domain.catalog.taxonomy.standard.edition import ids_from_root, parent_of
from domain.catalog.taxonomy.standard.text import decode_text, name_problem, normalize_name
from models import CATEGORY_DEPTH_LIMIT

SEPARATOR = " > "

_VERSION = re.compile(r"#.*\bCategories: *(\S+)\s*")
_CATEGORY = re.compile(r"gid://shopify/TaxonomyCategory/([a-z]{2}(?:-[0-9]{1,6})*) *: (.+)")


@dataclass(slots=True)
class CategoryLines:
    """The content of the lines; line numbers and paths are by id."""

    problems: ProblemList
    version: str = ""
    line_numbers: dict[str, int] = field(default_factory=dict)
    paths: dict[str, Path] = field(default_factory=dict)


def read_lines(name: str, data: bytes | None) -> CategoryLines:
    """The categories of a file; what is wrong is added to the problems."""
    lines = CategoryLines(ProblemList(name))
    for number, row in enumerate(decode_text(data, lines.problems).split("\n"), start=1):
        if row.startswith("#"):
            version = _VERSION.fullmatch(row)
            lines.version = version[1] if version else lines.version
        elif row.strip():
            _read_line(lines, number, row.rstrip("\r"))
    for id in lines.paths:
        _check_place(lines, id)
    if not (lines.version or lines.problems.found):
        lines.problems.add(1, "", 'does not begin with "# ... Categories: " and a version')
    return lines


def _read_line(lines: CategoryLines, number: int, row: str) -> None:
    match = _CATEGORY.fullmatch(row)
    if match is None:
        lines.problems.add(
            number, "", "is not the id of a category, a colon and the names from the root down"
        )
        return
    id, path = match[1], tuple(map(normalize_name, match[2].split(SEPARATOR)))
    if id in lines.line_numbers:
        lines.problems.add(number, "", f"{id} stands in line {lines.line_numbers[id]} already")
        return
    if reason := name_problem(path[-1]):
        lines.problems.add(number, "", f"{id} {reason}")
    lines.line_numbers[id] = number
    lines.paths[id] = path


def _check_place(lines: CategoryLines, id: str) -> None:
    parent, depth = parent_of(id), len(ids_from_root(id))
    above = lines.paths.get(parent) if parent else ()
    if depth > CATEGORY_DEPTH_LIMIT:
        reason = f"{id} stands {depth} levels deep; at most {CATEGORY_DEPTH_LIMIT} are taken"
    elif above is None:
        reason = f"{id} stands below {parent}, which is missing"
    elif above != lines.paths[id][:-1]:
        reason = (
            f'{id} names "{_join_path(lines.paths[id][:-1])}" above it, but there is "{_join_path(above)}"'
        )
    else:
        return
    lines.problems.add(lines.line_numbers[id], "", reason)


def _join_path(path: Path) -> str:
    return SEPARATOR.join(path)
