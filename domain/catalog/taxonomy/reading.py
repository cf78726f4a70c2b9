"""The files of an edition become one taxonomy, whole or not at all."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from domain.catalog.interchange import Problem
from domain.catalog.interchange.problems import Problems
from domain.catalog.taxonomy.documents import Document, Entry, read_attributes, read_links
from domain.catalog.taxonomy.edition import (
    MAIN,
    Taxonomy,
    TaxonomyAttribute,
    TaxonomyCategory,
    TaxonomyValue,
    line_of,
)
from domain.catalog.taxonomy.lines import CategoryLines, read_lines
from domain.errors import Invalid

LINES = "categories.txt"
ATTRIBUTES = "attributes.json"
LINKS = f"{MAIN}/categories.json"
"""Need not be there; without it no category has attributes."""


class TaxonomyRefused(Invalid):
    """Nothing of the files is taken; `problems` says why."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        first = problems[0]
        spot = " ".join(filter(None, (first.file, f"line {first.line}" if first.line else "", first.column)))
        others = f" ({len(problems) - 1:,} more problems)" if len(problems) > 1 else ""
        super().__init__(f"{spot}: {first.reason}{others}")
        self.problems = tuple(problems)


@dataclass(frozen=True, slots=True)
class Edition:
    """What one language says."""

    language: str
    lines: CategoryLines
    document: Document
    attributes: Mapping[str, Entry]
    values: Mapping[str, Entry]

    @property
    def names(self) -> Mapping[str, str]:
        """Every name by the id of what it names; ids of categories stand for themselves."""
        entries = {entry.id: entry.name for entry in (*self.attributes.values(), *self.values.values())}
        return entries | {id: path[-1] for id, path in self.lines.paths.items()}


def taxonomy_files(folder: Path) -> dict[str, bytes]:
    """The files of a folder with one folder per language, by their name in it."""
    patterns = (f"*/{LINES}", f"*/{ATTRIBUTES}", LINKS)
    found = (path for pattern in patterns for path in sorted(folder.glob(pattern)))
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in found}


def read_taxonomy(files: Mapping[str, bytes]) -> Taxonomy:
    """One edition out of files such as "en/categories.txt"; TaxonomyRefused tells all that is wrong."""
    languages = sorted({name.partition("/")[0] for name in files} - {MAIN})
    main, *others = (_read(language, files) for language in (MAIN, *languages))
    for other in others:
        _align(main, other)
    links_document = Document(LINKS, files[LINKS]) if LINKS in files else None
    links = _links(links_document, main) if links_document else {}
    _refuse((main, *others), links_document)
    return _taxonomy(main, (main, *others), links)


def _read(language: str, files: Mapping[str, bytes]) -> Edition:
    lines_name, attributes_name = f"{language}/{LINES}", f"{language}/{ATTRIBUTES}"
    document = Document(attributes_name, files.get(attributes_name))
    attributes = read_attributes(document)
    return Edition(
        language,
        read_lines(lines_name, files.get(lines_name)),
        document,
        {entry.id: entry for entry in attributes},
        {value.id: value for entry in attributes for value in entry.values},
    )


def _align(main: Edition, other: Edition) -> None:
    """Both languages speak of the same things."""
    if any(edition.lines.problems.found or edition.document.problems.found for edition in (main, other)):
        return
    problems, file = other.lines.problems, main.lines.problems.file
    for id, number in other.lines.numbers.items():
        if id not in main.lines.numbers:
            problems.add(number, "", f"{id} is missing in {file}")
    for id, number in main.lines.numbers.items():
        if id not in other.lines.numbers:
            problems.add(0, "", f"{id} is missing; it stands in {file} line {number}")
    _align_entries(main.attributes, other.attributes, main, other)
    _align_entries(main.values, other.values, main, other)


def _align_entries(
    mine: Mapping[str, Entry], theirs: Mapping[str, Entry], main: Edition, other: Edition
) -> None:
    file = main.document.problems.file
    for id, entry in theirs.items():
        if id not in mine:
            other.document.refuse(entry.place, f"{id} is missing in {file}", id=id)
        elif entry.code != mine[id].code:
            other.document.refuse(entry.place, f"{id} is {mine[id].code} in {file}", id=id)
    for id, entry in mine.items():
        if id not in theirs:
            other.document.refuse("", f"{id} is missing; it is {entry.place} of {file}")


def _links(document: Document, main: Edition) -> Mapping[str, tuple[str, ...]]:
    links = read_links(document)
    known = {entry.key for entry in main.attributes.values()}
    for category_id, keys in links.items():
        if category_id not in main.lines.paths:
            document.refuse("", f"{category_id} is missing in {main.lines.problems.file}")
        for key in keys:
            if key not in known:
                document.refuse("", f"{category_id} has attribute {key}, which is missing")
    return links


def _refuse(editions: Sequence[Edition], links: Document | None) -> None:
    lines = [(edition.lines.problems, edition.lines.version) for edition in editions]
    documents = [edition.document for edition in editions] + ([links] if links else [])
    files = lines + [(document.problems, document.version) for document in documents]
    if not any(problems.found for problems, _ in files):
        _same_version(files)
    if problems := [problem for each, _ in files for problem in each.told()]:
        raise TaxonomyRefused(problems)


def _same_version(versions: Sequence[tuple[Problems, str]]) -> None:
    (first, expected), *others = versions
    for problems, version in others:
        if version != expected:
            problems.add(0, "", f"is of version {version}, {first.file} of {expected}")


def _taxonomy(main: Edition, editions: Sequence[Edition], links: Mapping[str, tuple[str, ...]]) -> Taxonomy:
    said = {edition.language: edition.names for edition in editions}

    def names(id: str) -> dict[str, str]:
        return {language: words[id] for language, words in said.items()}

    return Taxonomy(
        version=main.lines.version,
        languages=tuple(said),
        categories=tuple(TaxonomyCategory(id, names(id), _own(links, id)) for id in main.lines.paths),
        attributes=tuple(
            TaxonomyAttribute(
                entry.key,
                entry.code,
                names(entry.id),
                tuple(TaxonomyValue(value.key, value.code, names(value.id)) for value in entry.values),
            )
            for entry in main.attributes.values()
        ),
    )


def _own(links: Mapping[str, tuple[str, ...]], id: str) -> tuple[str, ...]:
    """What a category has beside what it inherits."""
    inherited = set(_all(links.get(above, ()) for above in line_of(id)[:-1]))
    return tuple(key for key in links.get(id, ()) if key not in inherited)


def _all(groups: Iterable[Iterable[str]]) -> Iterable[str]:
    return (each for group in groups for each in group)
