"""Products entered twice: by what is on the package, by what they are called, by what they look like.

Never everything with everything: candidates are found by what they share, and what too many share is no sign.
"""

import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Hashable, Iterable, Iterator, Mapping
from itertools import combinations

from domain.quality.facts import Catalogue, PictureFacts, ProductFacts
from domain.quality.issue import Issue, QualityReason

SAME, ALIKE = 100.0, 92.0
"""From this ratio on two titles are nearly the same."""

LONG, SPELT_ALIKE = 5, 80.0
"""Two words of so many letters, and so much alike, may be one that is misspelt."""

RARE_WORDS = 4
"""The rarest words of a title, by which others like it are looked for."""

CROWD = 60
"""A word that more products have is no sign; nor is a picture or a barcode of more than a few."""

FEW = 5
BITS = 3
"""Bits of 64 in which the fingerprints of one picture may differ: saved again, or smaller."""

BAND = 16
FLAT = 6
"""Fewer bits set, or fewer not set, are a plain surface: every white page looks like it."""

WORD = re.compile(r"[^\W_]+")
NUMBER = re.compile(r"\d+(?:\.\d+)?")
IDEOGRAPHS = re.compile(r"[\u3400-\u9fff]{2,}")

Pair = tuple[int, int]


def duplicates(catalogue: Catalogue) -> Iterator[Issue]:
    yield from same_barcodes(catalogue)
    yield from same_titles(catalogue)
    yield from same_pictures(catalogue)


def same_barcodes(catalogue: Catalogue) -> Iterator[Issue]:
    owners: defaultdict[str, list[tuple[ProductFacts, str]]] = defaultdict(list)
    for product in catalogue.products:
        for variant in product.variants:
            if code := (variant.barcode or "").strip().lstrip("0"):
                owners[code].append((product, variant.label))
    for code, (first, *others) in owners.items():
        for product, label in others:
            whose = f"“{first[0].title}”" if product.id != first[0].id else "another of its variants"
            yield Issue(
                product.id,
                QualityReason.DUPLICATE_BARCODE,
                f"variants.{label}.barcode",
                f"Its barcode {code} is that of {whose}, too.",
                first[0].id if product.id != first[0].id else None,
            )


def same_titles(catalogue: Catalogue) -> Iterator[Issue]:
    """Each product once, with the first of those it is most like."""
    products = {product.id: product for product in catalogue.products}
    words = {product.id: words_of(product.title) for product in catalogue.products}
    best: dict[int, tuple[float, int]] = {}
    for a, b in sorted(candidates(words)):
        if comparable(products[a], products[b]):
            alike = likeness(words[a], words[b])
            if alike > best.get(b, (0.0, 0))[0]:
                best[b] = alike, a
    for b, (alike, a) in best.items():
        apart = told_apart(products[a], products[b])
        if alike == SAME:
            hint = "; their barcodes differ: say what sets them apart" if apart else ""
            said = f"“{products[b].title}” is what another product is called, too{hint}."
        elif not apart:
            said = f"“{products[b].title}” is nearly the same as “{products[a].title}”."
        else:
            continue
        yield Issue(b, QualityReason.DUPLICATE_TITLE, "title", said, a)


def comparable(a: ProductFacts, b: ProductFacts) -> bool:
    """Another brand is another product; so is another number: 500 g and 250 g, a 12 and a 13."""
    if a.brand and b.brand and a.brand.casefold() != b.brand.casefold():
        return False
    return sorted(NUMBER.findall(folded(a.title))) == sorted(NUMBER.findall(folded(b.title)))


def told_apart(a: ProductFacts, b: ProductFacts) -> bool:
    """Whether both have barcodes, and not one in common."""
    codes = [{each.barcode for each in product.variants if each.barcode} for product in (a, b)]
    return all(codes) and codes[0].isdisjoint(codes[1])


def likeness(a: list[str], b: list[str]) -> float:
    """Of two titles, whatever the order of their words; 0 where a word says that it is something else.

    A word more may be left out, a word may be misspelt; but red is not green, and an X200 is no X201.
    """
    from rapidfuzz.fuzz import ratio

    alike = ratio(" ".join(sorted(a)), " ".join(sorted(b)), score_cutoff=ALIKE)
    if ALIKE <= alike < SAME:
        only_a, only_b = Counter(a) - Counter(b), Counter(b) - Counter(a)
        if only_a and only_b and not all(any(misspelt(word, other) for other in only_b) for word in only_a):
            return 0.0
    return alike


def misspelt(word: str, other: str) -> bool:
    """Whether two words may be meant to be one.

    Codes of letters and digits never are; of what is written without blanks, one has all the other has.
    """
    from rapidfuzz.fuzz import ratio

    if not (word.isascii() and other.isascii()):
        shorter, longer = sorted((word, other), key=len)
        rest = iter(longer)
        return all(letter in rest for letter in shorter)
    spelt = word.isalpha() and other.isalpha() and min(len(word), len(other)) >= LONG
    return spelt and ratio(word, other) >= SPELT_ALIKE


def candidates(words: Mapping[int, list[str]]) -> set[Pair]:
    """Pairs that share one of their rarest signs."""
    signs = {id_: signs_of(found) for id_, found in words.items()}
    frequency = Counter(sign for found in signs.values() for sign in found)
    blocks: defaultdict[str, list[int]] = defaultdict(list)
    for id_, found in signs.items():
        shared = (sign for sign in found if 1 < frequency[sign] <= CROWD)
        for sign in sorted(shared, key=lambda sign: (frequency[sign], sign))[:RARE_WORDS]:
            blocks[sign].append(id_)
        blocks[f"= {' '.join(sorted(words[id_]))}"].append(id_)
    return pairs_in(blocks.values(), CROWD)


def signs_of(words: Iterable[str]) -> set[str]:
    """Words; of what is written without blanks every two neighbours."""
    found = set()
    for word in words:
        if IDEOGRAPHS.fullmatch(word):
            found |= {word[at : at + 2] for at in range(len(word) - 1)}
        else:
            found.add(word)
    return found


def words_of(title: str) -> list[str]:
    return WORD.findall(folded(title))


def folded(title: str) -> str:
    return unicodedata.normalize("NFKC", title).casefold()


def same_pictures(catalogue: Catalogue) -> Iterator[Issue]:
    firsts = {product.id: product.pictures[0] for product in catalogue.products if product.pictures}
    titles = {product.id: product.title for product in catalogue.products}
    blocks: defaultdict[Hashable, list[int]] = defaultdict(list)
    for id_, picture in firsts.items():
        for band in bands(picture):
            blocks[band].append(id_)
    shown = Counter(picture.fingerprint or picture.url for picture in firsts.values())
    for a, b in sorted(pairs_in(blocks.values(), CROWD)):
        if not same_picture(firsts[a], firsts[b]) or shown[firsts[a].fingerprint or firsts[a].url] > FEW:
            continue
        words = f"It shows the same picture first as “{titles[a]}”."
        yield Issue(b, QualityReason.DUPLICATE_PICTURE, "media", words, a)


def bands(picture: PictureFacts) -> list[Hashable]:
    """Two fingerprints that differ in three bits are the same in at least one of four bands."""
    print_ = picture.fingerprint
    if print_ is None:
        return [picture.url]
    if not FLAT <= (print_ % 2**64).bit_count() <= 64 - FLAT:
        return []
    return [(at, (print_ >> at) % 2**BAND) for at in range(0, 64, BAND)]


def same_picture(a: PictureFacts, b: PictureFacts) -> bool:
    if a.fingerprint is None or b.fingerprint is None:
        return a.url == b.url
    return ((a.fingerprint ^ b.fingerprint) % 2**64).bit_count() <= BITS


def pairs_in(blocks: Iterable[list[int]], crowd: int) -> set[Pair]:
    return {
        pair for block in blocks if 1 < len(block) <= crowd for pair in combinations(sorted(set(block)), 2)
    }
