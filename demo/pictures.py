"""Drawing SVG pictures of the demo products: the motif by category, the colours by slug."""

from colorsys import hls_to_rgb
from functools import cache
from hashlib import sha256
from html import escape
from pathlib import Path
from string import Template

MOTIF_FOLDER = Path(__file__).parent / "content" / "motifs"
DEFAULT_MOTIF = "parcel"

MOTIF_OF_WORD = {
    "band": "bands",
    "basketball": "ball",
    "bat": "bat",
    "cable": "cable",
    "calligraphy": "brush",
    "chair": "chair",
    "earbuds": "earbuds",
    "flask": "flask",
    "gaiwan": "gaiwan",
    "masks": "mask",
    "mat": "mat",
    "power": "power-bank",
    "paper": "lantern",
    "pillow": "pillow",
    "sleeping": "sleeping-bag",
    "speaker": "speaker",
    "sunscreen": "tube",
    "tangerine": "tangerine",
    "tangram": "tangram",
    "tram": "bricks",
    "wireless": "wireless",
    "wok": "wok",
}
"""Motif by a word of the slug, where it is more exact than that of the category."""

MOTIF_OF_CATEGORY = {
    "green-tea": "glass",
    "oolong-tea": "gaiwan",
    "black-tea": "cup",
    "pu-erh-tea": "tea-cake",
    "flower-tea": "flower",
    "nuts": "nuts",
    "dried-fruit": "fruit",
    "pastries": "pastry",
    "jackets": "jacket",
    "down-jackets": "puffer",
    "t-shirts": "t-shirt",
    "shirts": "shirt",
    "trousers": "trousers",
    "teaware": "teapot",
    "cookware": "pot",
    "drinkware": "cup",
    "bedding": "bed",
    "lighting": "lamp",
    "charging": "charger",
    "audio": "headphones",
    "camping": "tent",
    "fitness": "dumbbell",
    "ball-sports": "racket",
    "building-blocks": "blocks",
    "puzzles": "puzzle",
    "pens": "pen",
    "notebooks": "notebook",
    "gift-cards": "card",
    "face-care": "cream",
    "hand-body": "tube",
    "shampoo-oil": "bottle",
}

FONT = "PingFang SC, Microsoft YaHei, Noto Sans CJK SC, WenQuanYi Zen Hei, sans-serif"
LINE_WIDTH = 15.0
"""Width of a line of the title, in Chinese characters."""
LATIN_WIDTH = 0.54
"""Width of a Latin letter, in Chinese characters."""

OVERVIEW = Template(
    """<rect width="600" height="600" fill="$pale"/>
<circle cx="300" cy="252" r="212" fill="$soft" opacity=".55"/>
<circle cx="300" cy="252" r="178" fill="#fff" opacity=".32"/>
<g transform="translate(120 66) scale(.9)">$motif</g>"""
)
DETAIL = Template(
    """<rect width="600" height="600" fill="$backdrop"/>
<path d="M0 430L600 130V600H0z" fill="$accent" opacity=".22"/>
<circle cx="92" cy="96" r="150" fill="#fff" opacity=".28"/>
<g transform="translate(52 -4) rotate(-7 250 250) scale(1.24)">$motif</g>"""
)
FRAME = Template(
    """<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 600 600" width="600" height="600" role="img">
<title>$title</title>
$drawing
<rect y="486" width="600" height="114" fill="#fff" opacity=".92"/>
<rect y="486" width="600" height="5" fill="$main"/>
<g font-family="$font" font-size="34" font-weight="600" text-anchor="middle" fill="$ink">
$lines
</g>
</svg>
"""
)


def draw_picture(slug: str, title: str, *, category: str, index: int = 0) -> bytes:
    """Return an SVG of 600 by 600 pixels: the whole motif for `index` 0, else a detail."""
    colours = _colours_for(slug)
    motif = _choose_motif(slug, category).substitute(colours)
    drawing = (DETAIL if index else OVERVIEW).substitute(colours, motif=motif)
    svg = FRAME.substitute(
        colours, title=escape(title), drawing=drawing, font=FONT, lines=_render_title(title)
    )
    return svg.encode()


def _choose_motif(slug: str, category: str) -> Template:
    words = [word for word in slug.split("-") if word in MOTIF_OF_WORD]
    if words and category in MOTIF_OF_CATEGORY:
        return _read_motif(MOTIF_OF_WORD[words[-1]])
    return _read_motif(MOTIF_OF_CATEGORY.get(category, DEFAULT_MOTIF))


@cache
def _read_motif(name: str) -> Template:
    return Template((MOTIF_FOLDER / f"{name}.svg").read_text("utf-8"))


def _colours_for(slug: str) -> dict[str, str]:
    digest = sha256(slug.encode()).digest()
    hue = digest[0] / 256
    other = (hue + 0.42 + digest[1] / 256 * 0.16) % 1
    return {
        "main": _hex_colour(hue, 0.56, 0.46),
        "dark": _hex_colour(hue, 0.31, 0.42),
        "soft": _hex_colour(hue, 0.83, 0.55),
        "pale": _hex_colour(hue, 0.95, 0.60),
        "ink": _hex_colour(hue, 0.20, 0.40),
        "accent": _hex_colour(other, 0.62, 0.62),
        "backdrop": _hex_colour(other, 0.84, 0.46),
    }


def _hex_colour(hue: float, lightness: float, saturation: float) -> str:
    red, green, blue = (round(part * 255) for part in hls_to_rgb(hue, lightness, saturation))
    return f"#{red:02x}{green:02x}{blue:02x}"


def _render_title(title: str) -> str:
    lines = _wrap_title(title)
    first = 556 if len(lines) == 1 else 534
    return "\n".join(
        f'<text x="300" y="{first + 42 * place}">{escape(line)}</text>' for place, line in enumerate(lines)
    )


def _wrap_title(title: str) -> list[str]:
    """Split the title into at most two lines, between words where it has any."""
    words = title.split()
    if _width_of(title) <= LINE_WIDTH or not words:
        return [title]
    first = words.pop(0)
    while words and _width_of(f"{first} {words[0]}") <= LINE_WIDTH:
        first = f"{first} {words.pop(0)}"
    return [_truncate_line(line) for line in (first, " ".join(words)) if line]


def _truncate_line(line: str) -> str:
    if _width_of(line) <= LINE_WIDTH:
        return line
    while line and _width_of(line) > LINE_WIDTH - 1:
        line = line[:-1]
    return f"{line.rstrip()}…"


def _width_of(text: str) -> float:
    return sum(LATIN_WIDTH if ord(character) < 0x2E80 else 1 for character in text)
