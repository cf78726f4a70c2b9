"""Duplicate products: those with the same barcode, nearly the same title, or the same first picture.

Only pairs that share a blocking key are compared, and keys that too many products have are left out.
"""

import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Hashable, Iterable, Iterator, Mapping
from itertools import combinations

from domain.quality.facts import CatalogueFacts, PictureFacts, ProductFacts
from domain.quality.issue import QualityIssue, QualityReason
from text.messages import Message

SAME_RATIO, SIMILAR_RATIO = 100.0, 92.0
"""Ratios of rapidfuzz from which two titles are the same, and nearly the same."""

MISSPELLING_LENGTH, MISSPELLING_RATIO = 5, 80.0
"""Two words of at least so many letters and this ratio may be one word misspelt."""

KEYS_PER_TITLE = 4
"""The rarest keys of a title, by which similar titles are looked for."""

BLOCK_LIMIT = 60
"""Products that share a key, at most: a more frequent key says nothing."""

SHARED_PICTURE_LIMIT = 5
"""Products that show the same picture, at most: a more frequent one is a placeholder."""

FINGERPRINT_DISTANCE = 3
"""Bits of 64 in which the fingerprints of one picture may differ after it was saved again or made smaller."""

BAND_BITS = 16
MIN_DISTINCT_BITS = 6
"""A fingerprint with fewer bits set, or fewer not set, is a plain surface such as a white page."""

WORD = re.compile(r"[^\W_]+")
NUMBER = re.compile(r"\d+(?:\.\d+)?")
IDEOGRAPHS = re.compile(r"[\u3400-\u9fff]{2,}")

Pair = tuple[int, int]


def find_duplicates(catalogue: CatalogueFacts) -> Iterator[QualityIssue]:
    yield from find_same_barcodes(catalogue)
    yield from find_same_titles(catalogue)
    yield from find_same_pictures(catalogue)


def find_same_barcodes(catalogue: CatalogueFacts) -> Iterator[QualityIssue]:
    owners: defaultdict[str, list[tuple[ProductFacts, str]]] = defaultdict(list)
    for product in catalogue.products:
        for variant in product.variants:
            if code := (variant.barcode or "").strip().lstrip("0"):
                owners[code].append((product, variant.label))
    for code, (first, *others) in owners.items():
        for product, label in others:
            is_own = product.id == first[0].id
            message = (
                Message("Its barcode {code} is that of another of its variants, too.", code=code)
                if is_own
                else Message("Its barcode {code} is that of “{title}”, too.", code=code, title=first[0].title)
            )
            yield QualityIssue(
                product.id,
                QualityReason.DUPLICATE_BARCODE,
                f"variants.{label}.barcode",
                message,
                None if is_own else first[0].id,
            )


def find_same_titles(catalogue: CatalogueFacts) -> Iterator[QualityIssue]:
    """One issue per product, with the most similar of the earlier ones."""
    products = {product.id: product for product in catalogue.products}
    words = {product.id: title_words(product.title) for product in catalogue.products}
    best: dict[int, tuple[float, int]] = {}
    for a, b in sorted(candidate_pairs(words)):
        if are_comparable(products[a], products[b]):
            similarity = title_similarity(words[a], words[b])
            if similarity > best.get(b, (0.0, 0))[0]:
                best[b] = similarity, a
    for b, (similarity, a) in best.items():
        differ = have_different_barcodes(products[a], products[b])
        if similarity == SAME_RATIO:
            template = (
                "“{title}” is what another product is called, too; their barcodes differ: "
                "say what sets them apart."
                if differ
                else "“{title}” is what another product is called, too."
            )
            message = Message(template, title=products[b].title)
        elif not differ:
            message = Message(
                "“{title}” is nearly the same as “{other}”.", title=products[b].title, other=products[a].title
            )
        else:
            continue
        yield QualityIssue(b, QualityReason.DUPLICATE_TITLE, "title", message, a)


def are_comparable(a: ProductFacts, b: ProductFacts) -> bool:
    """Whether brand and numbers of the titles are the same: 500 g and 250 g are different products."""
    if a.brand and b.brand and a.brand.casefold() != b.brand.casefold():
        return False
    return sorted(NUMBER.findall(fold_title(a.title))) == sorted(NUMBER.findall(fold_title(b.title)))


def have_different_barcodes(a: ProductFacts, b: ProductFacts) -> bool:
    """Whether both have barcodes, and not one in common."""
    codes = [{each.barcode for each in product.variants if each.barcode} for product in (a, b)]
    return all(codes) and codes[0].isdisjoint(codes[1])


def title_similarity(a: list[str], b: list[str]) -> float:
    """The ratio of two titles regardless of the order of words; 0 where they differ in more than spelling.

    One may have words the other lacks, or words may be misspelt; but red is not green, and X200 is not X201.
    """
    from rapidfuzz.fuzz import ratio

    similarity = ratio(" ".join(sorted(a)), " ".join(sorted(b)), score_cutoff=SIMILAR_RATIO)
    if SIMILAR_RATIO <= similarity < SAME_RATIO:
        only_a, only_b = Counter(a) - Counter(b), Counter(b) - Counter(a)
        if (
            only_a
            and only_b
            and not all(any(is_misspelling(word, other) for other in only_b) for word in only_a)
        ):
            return 0.0
    return similarity


def is_misspelling(word: str, other: str) -> bool:
    """Whether one of two words may be a misspelling of the other; never for codes of letters and digits.

    Of Chinese, written without blanks, one must contain the characters of the other in their order.
    """
    from rapidfuzz.fuzz import ratio

    if not (word.isascii() and other.isascii()):
        shorter, longer = sorted((word, other), key=len)
        rest = iter(longer)
        return all(letter in rest for letter in shorter)
    are_words = word.isalpha() and other.isalpha() and min(len(word), len(other)) >= MISSPELLING_LENGTH
    return are_words and ratio(word, other) >= MISSPELLING_RATIO


def candidate_pairs(words: Mapping[int, list[str]]) -> set[Pair]:
    """Pairs that share one of their rarest blocking keys."""
    keys = {id_: blocking_keys(found) for id_, found in words.items()}
    frequency = Counter(key for found in keys.values() for key in found)
    blocks: defaultdict[str, list[int]] = defaultdict(list)
    for id_, found in keys.items():
        shared = (key for key in found if 1 < frequency[key] <= BLOCK_LIMIT)
        for key in sorted(shared, key=lambda key: (frequency[key], key))[:KEYS_PER_TITLE]:
            blocks[key].append(id_)
        blocks[f"= {' '.join(sorted(words[id_]))}"].append(id_)
    return pairs_in_blocks(blocks.values())


def blocking_keys(words: Iterable[str]) -> set[str]:
    """The words of a title; of Chinese, written without blanks, every two neighbouring characters."""
    found = set()
    for word in words:
        if IDEOGRAPHS.fullmatch(word):
            found |= {word[at : at + 2] for at in range(len(word) - 1)}
        else:
            found.add(word)
    return found


def title_words(title: str) -> list[str]:
    return WORD.findall(fold_title(title))


def fold_title(title: str) -> str:
    return unicodedata.normalize("NFKC", title).casefold()


def find_same_pictures(catalogue: CatalogueFacts) -> Iterator[QualityIssue]:
    firsts = {product.id: product.pictures[0] for product in catalogue.products if product.pictures}
    titles = {product.id: product.title for product in catalogue.products}
    blocks: defaultdict[Hashable, list[int]] = defaultdict(list)
    for id_, picture in firsts.items():
        for band in fingerprint_bands(picture):
            blocks[band].append(id_)
    shown = Counter(picture.fingerprint or picture.url for picture in firsts.values())
    for a, b in sorted(pairs_in_blocks(blocks.values())):
        if (
            not show_same_picture(firsts[a], firsts[b])
            or shown[firsts[a].fingerprint or firsts[a].url] > SHARED_PICTURE_LIMIT
        ):
            continue
        message = Message("It shows the same picture first as “{title}”.", title=titles[a])
        yield QualityIssue(b, QualityReason.DUPLICATE_PICTURE, "media", message, a)


def fingerprint_bands(picture: PictureFacts) -> list[Hashable]:
    """Keys of a picture: fingerprints that differ in three bits agree in at least one of four bands."""
    print_ = picture.fingerprint
    if print_ is None:
        return [picture.url]
    if not MIN_DISTINCT_BITS <= (print_ % 2**64).bit_count() <= 64 - MIN_DISTINCT_BITS:
        return []
    return [(at, (print_ >> at) % 2**BAND_BITS) for at in range(0, 64, BAND_BITS)]


def show_same_picture(a: PictureFacts, b: PictureFacts) -> bool:
    if a.fingerprint is None or b.fingerprint is None:
        return a.url == b.url
    return ((a.fingerprint ^ b.fingerprint) % 2**64).bit_count() <= FINGERPRINT_DISTANCE


def pairs_in_blocks(blocks: Iterable[list[int]]) -> set[Pair]:
    return {
        pair
        for block in blocks
        if 1 < len(block) <= BLOCK_LIMIT
        for pair in combinations(sorted(set(block)), 2)
    }
