"""What pictures share: colours, and axes."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.axes import Axes

DATA, TRUTH, MODEL = "#9aa5b1", "#1b1f24", "#d1495b"
"""Grey data, black truth, red model; told apart without colour."""

CLASSES = ("#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00", "#f0e442", "#666666")
"""A colour for each class, told apart by the colour-blind too (Okabe and Ito 2008)."""

MARKERS = "os^DvPX*"
"""A sign for each class, told apart without colour."""


def tint(color: str, share: float) -> tuple[float, float, float]:
    """So much of a colour in white."""
    from matplotlib.colors import to_rgb

    red, green, blue = (1.0 - share * (1.0 - part) for part in to_rgb(color))
    return red, green, blue


def new_axes() -> Axes:
    """Those of a figure that a notebook shows."""
    import matplotlib.pyplot as plt

    axes: Axes = plt.subplots(figsize=(5, 4), layout="constrained")[1]
    return axes
