"""Reading the files of an edition as one taxonomy, whole or not at all."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from domain.catalog.problems import FileProblem, ProblemList
from domain.catalog.taxonomy.standard.documents import (
    JsonDocument,
    VocabularyEntry,
    read_attributes,
    read_links,
)
from domain.catalog.taxonomy.standard.edition import (
    MAIN_LANGUAGE,
    Taxonomy,
    TaxonomyAttribute,
    TaxonomyCategory,
    TaxonomyValue,
    ids_from_root,
)
from domain.catalog.taxonomy.standard.lines import CategoryLines, read_lines
from domain.errors import Invalid

LINES = "categories.txt"
ATTRIBUTES = "attributes.json"
LINKS = f"{MAIN_LANGUAGE}/categories.json"
"""Optional; without it no category has attributes."""


class TaxonomyRefused(Invalid):
    """The files are refused; `problems` lists why."""

    def __init__(self, problems: Sequence[FileProblem]) -> None:
        first = problems[0]
        spot = " ".join(filter(None, (first.file, f"line {first.line}" if first.line else "", first.column)))
        more = len(problems) - 1
        template = "{spot}: {reason} ({more} more problems)" if more else "{spot}: {reason}"
        super().__init__(template, spot=spot, reason=first.reason, more=more)
        self.problems = tuple(problems)


@dataclass(frozen=True, slots=True)
class LanguageEdition:
    """The files of one language."""

    language: str
    lines: CategoryLines
    document: JsonDocument
    attributes: Mapping[str, VocabularyEntry]
    values: Mapping[str, VocabularyEntry]

    @property
    def names(self) -> Mapping[str, str]:
        """All names by id: the short id of a category, the whole id of an attribute or value."""
        entries = {entry.id: entry.name for entry in (*self.attributes.values(), *self.values.values())}
        return entries | {id: path[-1] for id, path in self.lines.paths.items()}


def taxonomy_files(folder: Path) -> dict[str, bytes]:
    """The contents of the files in a folder with one folder per language, by their path in it."""
    patterns = (f"*/{LINES}", f"*/{ATTRIBUTES}", LINKS)
    found = (path for pattern in patterns for path in sorted(folder.glob(pattern)))
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in found}


def read_taxonomy(files: Mapping[str, bytes]) -> Taxonomy:
    """The edition in files such as "en/categories.txt"; TaxonomyRefused lists everything that is wrong."""
    languages = sorted({name.partition("/")[0] for name in files} - {MAIN_LANGUAGE})
    main, *others = (_read_language(language, files) for language in (MAIN_LANGUAGE, *languages))
    for other in others:
        _compare_languages(main, other)
    links_document = JsonDocument(LINKS, files[LINKS]) if LINKS in files else None
    links = _read_known_links(links_document, main) if links_document else {}
    _refuse_problems((main, *others), links_document)
    return _build_taxonomy(main, (main, *others), links)


def _read_language(language: str, files: Mapping[str, bytes]) -> LanguageEdition:
    lines_name, attributes_name = f"{language}/{LINES}", f"{language}/{ATTRIBUTES}"
    document = JsonDocument(attributes_name, files.get(attributes_name))
    attributes = read_attributes(document)
    return LanguageEdition(
        language,
        read_lines(lines_name, files.get(lines_name)),
        document,
        {entry.id: entry for entry in attributes},
        {value.id: value for entry in attributes for value in entry.values},
    )


def _compare_languages(main: LanguageEdition, other: LanguageEdition) -> None:
    """Add a problem for everything that only one of two languages has."""
    if any(edition.lines.problems.found or edition.document.problems.found for edition in (main, other)):
        return
    problems, file = other.lines.problems, main.lines.problems.file
    for id, number in other.lines.line_numbers.items():
        if id not in main.lines.line_numbers:
            problems.add(number, "", f"{id} is missing in {file}")
    for id, number in main.lines.line_numbers.items():
        if id not in other.lines.line_numbers:
            problems.add(0, "", f"{id} is missing; it stands in {file} line {number}")
    _compare_entries(main.attributes, other.attributes, main, other)
    _compare_entries(main.values, other.values, main, other)


def _compare_entries(
    mine: Mapping[str, VocabularyEntry],
    theirs: Mapping[str, VocabularyEntry],
    main: LanguageEdition,
    other: LanguageEdition,
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


def _read_known_links(document: JsonDocument, main: LanguageEdition) -> Mapping[str, tuple[str, ...]]:
    links = read_links(document)
    known = {entry.key for entry in main.attributes.values()}
    for category_id, keys in links.items():
        if category_id not in main.lines.paths:
            document.refuse("", f"{category_id} is missing in {main.lines.problems.file}")
        for key in keys:
            if key not in known:
                document.refuse("", f"{category_id} has attribute {key}, which is missing")
    return links


def _refuse_problems(editions: Sequence[LanguageEdition], links: JsonDocument | None) -> None:
    lines = [(edition.lines.problems, edition.lines.version) for edition in editions]
    documents = [edition.document for edition in editions] + ([links] if links else [])
    files = lines + [(document.problems, document.version) for document in documents]
    if not any(problems.found for problems, _ in files):
        _compare_versions(files)
    if problems := [problem for each, _ in files for problem in each.in_order()]:
        raise TaxonomyRefused(problems)


def _compare_versions(versions: Sequence[tuple[ProblemList, str]]) -> None:
    (first, expected), *others = versions
    for problems, version in others:
        if version != expected:
            problems.add(0, "", f"is of version {version}, {first.file} of {expected}")


def _build_taxonomy(
    main: LanguageEdition, editions: Sequence[LanguageEdition], links: Mapping[str, tuple[str, ...]]
) -> Taxonomy:
    by_language = {edition.language: edition.names for edition in editions}

    def names_of(id: str) -> dict[str, str]:
        return {language: names[id] for language, names in by_language.items()}

    return Taxonomy(
        version=main.lines.version,
        languages=tuple(by_language),
        categories=tuple(
            TaxonomyCategory(id, names_of(id), _own_attributes(links, id)) for id in main.lines.paths
        ),
        attributes=tuple(
            TaxonomyAttribute(
                entry.key,
                entry.code,
                names_of(entry.id),
                tuple(TaxonomyValue(value.key, value.code, names_of(value.id)) for value in entry.values),
            )
            for entry in main.attributes.values()
        ),
    )


def _own_attributes(links: Mapping[str, tuple[str, ...]], id: str) -> tuple[str, ...]:
    """The attributes of a category without inherited ones."""
    inherited = {key for above in ids_from_root(id)[:-1] for key in links.get(above, ())}
    return tuple(key for key in links.get(id, ()) if key not in inherited)
