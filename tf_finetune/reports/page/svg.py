"""A matplotlib figure as markup that can stand inside an HTML page.

The text of a figure stays text: a reader can search, copy and enlarge it, and a script that
the drawing machine has no font for is drawn by the reader's browser. Colours become CSS
variables, so that the page's dark mode reaches the figures too.
"""

import io
import re
import warnings
from typing import Any
from xml.etree import ElementTree

import matplotlib
from markupsafe import Markup
from matplotlib.figure import Figure

from tf_finetune.reports import figures

# Colours of the drawing that follow the page, by their names in page.css.
CSS_COLORS = {
    "#000000": "--ink",
    figures.INK: "--ink",
    figures.MUTED: "--muted",
    figures.GRID: "--line",
    figures.PAPER: "--paper",
    figures.BLUE: "--blue",
    figures.VERMILLION: "--vermillion",
    figures.GREEN: "--green",
    figures.ORANGE: "--orange",
    figures.PURPLE: "--purple",
    figures.SKY: "--sky",
    figures.BAND: "--band",
    figures.FROZEN: "--frozen",
    figures.FROZEN_HATCH: "--frozen-hatch",
}
_NOT_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
_REFERENCE = re.compile(r"(^|url\()#")
_FONT = re.compile(r"(font: .*?px) .*")  # the short form of matplotlib before 3.9
_HEX = re.compile(r"#[0-9a-fA-F]{6}\b")


def inline_svg(figure: Figure, name: str, description: str) -> Markup:
    """Draws a figure as an `<svg>` element.

    Args:
        figure: What to draw.
        name: Unique on the page: a prefix of every id.
        description: What the figure says, for those who do not see it.

    Returns:
        Markup without a reference to anything outside itself; equal figures give equal
        markup.
    """
    root = ElementTree.fromstring(_NOT_XML.sub("", _draw(figure, name)))
    for parent in list(root.iter()):
        for child in list(parent):
            if child.tag.endswith(("}metadata", "}style")):
                parent.remove(child)
    for element in root.iter():
        _make_inline(element, name)
    width, height = (float(root.attrib.pop(side).removesuffix("pt")) for side in _SIDES)
    title = ElementTree.Element("title", {"id": f"{name}-title"})
    title.text = description
    root.insert(0, title)
    root.attrib |= {
        "role": "img",
        "aria-labelledby": f"{name}-title",
        "class": "figure",
        # Its own size on a wide page; page.css lets it shrink with a narrow one.
        "style": f"width: {width * _SCALE:.0f}px; aspect-ratio: {width:.1f} / {height:.1f}",
    }
    return Markup(ElementTree.tostring(root, encoding="unicode"))


_SIDES = ("width", "height")
_SCALE = 1.5  # CSS pixels to a point of the drawing, where there is room


def _draw(figure: Figure, salt: str) -> str:
    buffer = io.StringIO()
    settings: Any = {"svg.fonttype": "none", "svg.hashsalt": salt}
    with matplotlib.rc_context(settings), warnings.catch_warnings():
        # The browser has the glyphs that matplotlib's own font lacks.
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")
        figure.savefig(
            buffer,
            format="svg",
            transparent=True,
            bbox_inches="tight",
            pad_inches=0.04,
            metadata={"Date": None},
        )
    return buffer.getvalue()


def _make_inline(element: ElementTree.Element, name: str) -> None:
    """Drops namespaces, makes ids unique and hands colours and fonts to the page."""
    element.tag = element.tag.rpartition("}")[2]
    for key in list(element.attrib):
        value = element.attrib.pop(key)
        key = key.rpartition("}")[2]
        if key == "id":
            value = f"{name}-{value}"
        elif key in ("href", "clip-path"):
            value = _REFERENCE.sub(rf"\1#{name}-", value)
        elif key == "style":
            value = _page_style(_REFERENCE.sub(rf"\1#{name}-", value))
        element.attrib[key] = value


def _page_style(style: str) -> str:
    declarations = [part.strip() for part in style.split(";")]
    kept = [part for part in declarations if not part.startswith("font-family")]
    kept = [_FONT.sub(r"\1 var(--font)", part) for part in kept]
    return _HEX.sub(_page_color, "; ".join(kept))


def _page_color(match: re.Match[str]) -> str:
    variable = CSS_COLORS.get(match[0].lower())
    return f"var({variable}, {match[0]})" if variable else match[0]
