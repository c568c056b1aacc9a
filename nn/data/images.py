"""Images: the digits that scikit-learn has, MNIST and Fashion-MNIST."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from ..extras import scikit_learn
from .idx import read_idx

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray[Any, np.dtype[Any]]

CLASSES = 10
SIDE = 28
"""The pixels of an image of MNIST, each way."""

FILES = (
    ("train-images-idx3-ubyte", "train-labels-idx1-ubyte"),
    ("t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"),
)
"""The images and the labels to learn from, and those to test on."""

TRAIN = 60_000
TEST = 10_000


class Images(NamedTuple):
    """Images and what they show.

    Attributes:
        images: shape (n, pixels), the rows of an image one after another; from 0 to 1.
        labels: shape (n,), whole numbers from 0 to 9.
    """

    images: Array
    labels: Array


class Split(NamedTuple):
    """Images to learn from, and images to test on."""

    train: Images
    test: Images


def digits() -> Images:
    """1797 handwritten digits of 8 × 8 pixels: ``sklearn.datasets.load_digits`` (Alpaydin and Kaynak 1998).

    Returns:
        images, shape (1797, 64), from 0 to 1, and labels, shape (1797,).

    Raises:
        ImportError: scikit-learn is not installed.

    >>> images, labels = digits()
    >>> images.shape, labels[:3]
    ((1797, 64), array([0, 1, 2]))
    """
    bunch = scikit_learn("datasets").load_digits()
    return Images(bunch.data / 16.0, bunch.target)


def mnist(folder: str | os.PathLike[str] | None = None) -> Split:
    """70,000 handwritten digits of 28 × 28 pixels, 60,000 of them to learn from (LeCun et al. 1998).

    Args:
        folder: where the files train-images-idx3-ubyte, train-labels-idx1-ubyte, t10k-images-idx3-ubyte and
            t10k-labels-idx1-ubyte are, each with or without .gz. Without it, they come from OpenML (mnist_784) through
            scikit-learn, which keeps them for the next time in the folder ``scikit_learn_data`` of your home.

    Returns:
        train and test, each with images, shape (n, 784), from 0 to 1, and labels, shape (n,). In float64, as all that
        is computed with them: 440 MB.

    Raises:
        FileNotFoundError: the folder, or a file in it, is not there.
        ValueError: a file is damaged, or holds something else.
        ConnectionError: OpenML is not reached.
        ImportError: there is no folder, and scikit-learn is not installed.

    With the files at hand, ``(images, labels), test = mnist("folder")``.
    """
    return _from_openml("mnist_784", "mnist") if folder is None else _from_folder(folder)


def fashion_mnist(folder: str | os.PathLike[str] | None = None) -> Split:
    """70,000 pieces of clothing of ten kinds, as many and as large as the digits of MNIST (Xiao et al. 2017).

    0 T-shirt, 1 trousers, 2 pullover, 3 dress, 4 coat, 5 sandal, 6 shirt, 7 sneaker, 8 bag, 9 ankle boot.

    Args:
        folder: as of ``mnist``; the files have the same names. Without it, they come from OpenML (Fashion-MNIST).

    Returns:
        As ``mnist``.

    Raises:
        FileNotFoundError, ValueError, ConnectionError, ImportError: as of ``mnist``.
    """
    return _from_openml("Fashion-MNIST", "fashion_mnist") if folder is None else _from_folder(folder)


# ---- from a folder ---------------------------------------------------------------------------------------------------


def _from_folder(folder: str | os.PathLike[str]) -> Split:
    root = Path(os.fsdecode(folder))
    if not root.is_dir():
        raise FileNotFoundError(f"there is no folder {root}")
    paths = {name: _path(root, name) for part in FILES for name in part}
    missing = [name for name, path in paths.items() if path is None]
    if missing:
        raise FileNotFoundError(f"the folder {root} lacks {', '.join(missing)} (with or without .gz)")
    return Split(*[_read_part(paths[images], paths[labels]) for images, labels in FILES])


def _path(folder: Path, name: str) -> Path | None:
    return next((path for path in (folder / name, folder / f"{name}.gz") if path.is_file()), None)


def _read_part(images_path: Any, labels_path: Any) -> Images:
    images, labels = read_idx(images_path), read_idx(labels_path)
    if images.dtype != "uint8" or images.shape[1:] != (SIDE, SIDE):
        raise ValueError(
            f"{images_path} must hold bytes of the shape (n, {SIDE}, {SIDE}), got {images.dtype} {images.shape}"
        )
    if labels.dtype != "uint8" or labels.ndim != 1:
        raise ValueError(f"{labels_path} must hold bytes of the shape (n,), got {labels.dtype} {labels.shape}")
    if labels.max() >= CLASSES:
        raise ValueError(f"{labels_path} must hold labels from 0 to {CLASSES - 1}, got {labels.max()}")
    if len(images) != len(labels):
        raise ValueError(f"{images_path} holds {len(images)} images, but {labels_path} {len(labels)} labels")
    return Images(images.reshape(len(images), -1) / 255.0, labels.astype(int))


# ---- from OpenML -----------------------------------------------------------------------------------------------------


def _from_openml(name: str, function: str) -> Split:
    import warnings
    from http.client import HTTPException  # would take as long to import as all else of nn
    from importlib.util import find_spec
    from urllib.error import URLError

    import numpy as np

    datasets = scikit_learn("datasets")
    parser = "pandas" if find_spec("pandas") else "liac-arff"  # the quick one, where it is there
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "A network error occurred")  # it tries again; in the end we say so
            bunch = datasets.fetch_openml(name, version=1, as_frame=False, parser=parser)
    except (URLError, HTTPException, ConnectionError, TimeoutError) as error:
        files = ", ".join(name for part in FILES for name in part)
        raise ConnectionError(
            f"{name} cannot be fetched from OpenML ({error}): give a folder that has the files, "
            f"{function}(folder): {files}, with or without .gz"
        ) from None
    if np.shape(bunch.data) != (TRAIN + TEST, SIDE * SIDE) or np.shape(bunch.target) != (TRAIN + TEST,):
        raise ValueError(
            f"{name} from OpenML must have {TRAIN + TEST} rows of {SIDE * SIDE} numbers and a label for each, "
            f"got the shapes {np.shape(bunch.data)} and {np.shape(bunch.target)}"
        )
    images, labels = bunch.data / 255.0, bunch.target.astype(int)
    return Split(Images(images[:TRAIN], labels[:TRAIN]), Images(images[TRAIN:], labels[TRAIN:]))
