"""One look for all notebooks: fonts that hold Chinese, quiet axes, small PNGs; where the repository is; short mode.

    from plots import ROOT, SHORT, bars, matrix, plt, table

Importing it sets matplotlib up. Without a Chinese font it says so once and draws boxes instead of characters, without warnings.
"""

from __future__ import annotations

import logging
import os
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
from IPython.display import Markdown
from matplotlib import font_manager
from matplotlib.axes import Axes
from matplotlib_inline import backend_inline

ROOT = Path(__file__).resolve().parent.parent
SHORT = os.environ.get("BIAOGAN_NOTEBOOK_SHORT", "") not in {"", "0"}  # a part of the data, fewer variants: the test suite's mode

# In order of preference; any face with one of these names holds the characters of GB 18030 that the corpora use.
_FONTS = (
    "Noto Sans CJK SC",
    "Noto Sans SC",
    "Source Han Sans SC",
    "Source Han Sans CN",
    "Noto Sans CJK JP",
    "Noto Serif CJK SC",
    "Microsoft YaHei",
    "PingFang SC",
    "SimHei",
)
BLUE, ORANGE, GREEN, RED, PURPLE, GREY = COLOURS = ("#2f6690", "#d97b29", "#4c956c", "#b23a48", "#7d5ba6", "#8d99ae")


def _font() -> str | None:
    known = {font.name for font in font_manager.fontManager.ttflist}
    return next((name for name in _FONTS if name in known), None)


def _set_up() -> None:
    logging.getLogger("matplotlib.font_manager").setLevel(logging.ERROR)
    font = _font()
    if font is None:
        print("没有找到中文字体，图中的汉字会显示为方框；请安装 fonts-noto-cjk 后重新运行。")
        warnings.filterwarnings("ignore", message=r"Glyph \d+")
    mpl.rcParams.update(
        {
            "font.family": "sans-serif",
            "font.sans-serif": [font, "DejaVu Sans"] if font else ["DejaVu Sans"],
            "axes.unicode_minus": False,
            "axes.spines.top": False,
            "axes.spines.right": False,
            "axes.titlesize": 11,
            "axes.titlelocation": "left",
            "axes.prop_cycle": mpl.cycler(color=COLOURS),
            "font.size": 9,
            "figure.figsize": (7.2, 3.2),
            "figure.dpi": 90,
            "figure.constrained_layout.use": True,
            "legend.frameon": False,
        }
    )
    backend_inline.set_matplotlib_formats("png", metadata={"Software": None})


def bars(
    axes: Axes, values: Mapping[str, float], *, colour: str = BLUE, form: str = "{:.0f}", base: Mapping[str, float] | None = None
) -> None:
    """Horizontal bars with their values, the first at the top; `base` draws a paler bar of each name behind (a part of a whole)."""
    names = list(values)
    places = np.arange(len(names))
    if base is not None:
        axes.barh(places, [base[name] for name in names], color=colour, alpha=0.3)
    axes.barh(places, list(values.values()), color=colour)
    longest = max([*values.values(), *(base or {}).values()], default=1)
    for place, name in zip(places, names, strict=True):
        shown = form.format(values[name]) + (f" / {form.format(base[name])}" if base else "")
        axes.text(max(values[name], base[name] if base else 0) + longest * 0.01, place, shown, va="center", fontsize=8)
    axes.set_yticks(places, names)
    axes.invert_yaxis()
    axes.set_xlim(right=longest * 1.15)
    axes.tick_params(axis="y", length=0)


def matrix(
    axes: Axes,
    values: np.ndarray,
    *,
    rows: Sequence[str],
    columns: Sequence[str],
    form: str = "{:.0f}",
    shades: np.ndarray | None = None,
) -> None:
    """A matrix as shades (of `shades`, or of the values) with the figures written in; zeros stay empty."""
    tint = values if shades is None else shades
    axes.imshow(tint, cmap="Blues", aspect="auto", vmin=0)
    dark = tint.max() * 0.6 if tint.size else 1
    for place, value in np.ndenumerate(values):
        if value:
            colour = "white" if tint[place] > dark else "black"
            axes.text(place[1], place[0], form.format(value), ha="center", va="center", fontsize=7.5, color=colour)
    axes.set_xticks(range(len(columns)), columns, rotation=45, ha="right", rotation_mode="anchor")
    axes.set_yticks(range(len(rows)), rows)
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)


def table(head: Sequence[object], rows: Sequence[Sequence[object]]) -> Markdown:
    """A Markdown table, shown when it stands last in a cell; floats with three places, numbers to the right."""
    cells = [[f"{cell:.3f}" if isinstance(cell, float | np.floating) else str(cell) for cell in row] for row in rows]
    right = [isinstance(cell, int | float | np.number) for cell in rows[0]] if rows else []
    lines = [list(map(str, head)), ["--:" if numeric else "---" for numeric in right], *cells]
    return Markdown("\n".join(f"| {' | '.join(line)} |" for line in lines))


_set_up()

__all__ = ["BLUE", "COLOURS", "GREEN", "GREY", "ORANGE", "PURPLE", "RED", "ROOT", "SHORT", "bars", "matrix", "plt", "table"]
