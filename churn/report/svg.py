"""Drawings by matplotlib as SVG inside a page: reproducible, without pyplot or a setting that lasts."""

import io
import re
from collections.abc import Callable

import matplotlib.style
from markupsafe import Markup, escape
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure

# Okabe and Ito's colours, which colour-blind people tell apart; lines differ in their dashes, too.
INK, MUTED, GRID = "#1b1f24", "#59636e", "#d5dbe1"
BLUE, VERMILION, GREEN = "#0072B2", "#D55E00", "#007A5A"
PALE_BLUE, PALE_VERMILION, PALE = "#cfe3f1", "#fadcc8", "#e9edf1"

DPI = 96  # CSS pixels an inch

_STYLE: dict[str, object] = {
    # Text stays text: it can be searched and copied, and takes the font of the page.
    "svg.fonttype": "none",
    "svg.hashsalt": "churn",
    "font.size": 9,
    "text.color": INK,
    "text.parse_math": False,
    "figure.facecolor": "none",
    "axes.facecolor": "none",
    "axes.edgecolor": MUTED,
    "axes.labelcolor": INK,
    "axes.linewidth": 0.8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "grid.color": GRID,
    "grid.linewidth": 0.7,
    "xtick.color": MUTED,
    "ytick.color": MUTED,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "lines.linewidth": 2,
    "legend.frameon": False,
    "hatch.color": VERMILION,
    "hatch.linewidth": 0.6,
}


def draw(
    name: str,
    label: str,
    size: tuple[float, float],
    paint: Callable[[Figure], None],
    *,
    arrange: bool = True,
) -> Markup:
    """Return what `paint` draws on a figure of `size` (inches) as an SVG element.

    `label` tells those who cannot see it what it shows; `name` makes its ids unique in the page.
    Unless `paint` arranges the axes itself, they make room for their labels.
    """
    with matplotlib.style.context(["default", _STYLE]):
        figure = Figure(figsize=size, layout="constrained" if arrange else None)
        paint(figure)
        stream = io.StringIO()
        # Not `savefig`, which draws everything twice.
        FigureCanvasSVG(figure).print_svg(stream)  # type: ignore[no-untyped-call]
    [(box, inner)] = re.findall(r'<svg[^>]*viewBox="([^"]+)"[^>]*>(.*)</svg>', stream.getvalue(), re.DOTALL)
    head = Markup('<svg id="{}" role="img" aria-label="{}" viewBox="{}" style="max-width:{:.0f}px">')
    # The prefix: a section of the page may have the name of its chart.
    own = f"chart-{name}"
    body = Markup(_own_ids(inner, own))  # noqa: S704 - matplotlib escapes the text that it draws
    return head.format(own, label, box, size[0] * DPI) + body + Markup("</svg>")


def _own_ids(inner: str, name: str) -> str:
    """Return the inside of a drawing with ids of its own, without its date and a style for the whole page."""
    inner = re.sub(r"<(metadata|style)\b.*?</\1>", "", inner, flags=re.DOTALL)
    prefix = f"{escape(name)}-"
    # Only what is referred to needs an id; matplotlib names every group.
    used = set(re.findall(r'(?:href="#|url\(#)([^")]+)', inner))
    inner = re.sub(r' id="([^"]+)"', lambda m: f' id="{prefix}{m[1]}"' if m[1] in used else "", inner)
    return re.sub(r'(href="#|url\(#)', rf"\g<1>{prefix}", inner)
