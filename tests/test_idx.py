"""IDX files: what is in them, or one line that says what is wrong with them; never anything else."""

import gzip
import struct
import tracemalloc
from functools import partial

import numpy as np
import pytest
from graphs import MNIST, NO_MNIST
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from nn.data import fashion_mnist, mnist, read_idx
from nn.data.idx import TYPES

SMALL = arrays(
    st.sampled_from([np.dtype(name).newbyteorder("=") for name in TYPES.values()]),
    st.lists(st.integers(1, 3), min_size=1, max_size=4).map(tuple),
)

compress = partial(gzip.compress, mtime=0)  # the same bytes in every process, for they name tests


def idx(array):
    """The bytes of a file, by the format's description."""
    dtype = array.dtype.newbyteorder(">")
    [code] = [code for code, name in TYPES.items() if np.dtype(name) == dtype]
    return (
        bytes([0, 0, code, array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape) + array.astype(dtype).tobytes()
    )


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    """A file to write and read."""
    return tmp_path_factory.mktemp("idx") / "file"


@given(array=SMALL, zipped=st.booleans())
def test_what_was_written_is_read(path, array, zipped):
    path.write_bytes(compress(idx(array)) if zipped else idx(array))
    found = read_idx(path)
    assert (found.shape, found.dtype) == (array.shape, array.dtype)
    assert found.tobytes() == array.tobytes()
    found[...] = 0  # it may be written to


# ---- damaged files ---------------------------------------------------------------------------------------------------


@st.composite
def damaged(draw, contents):
    """The bytes of a file, some of which are others, cut off, put in or put behind."""
    content = bytearray(draw(contents))
    for _ in range(draw(st.integers(1, 3))):
        place = draw(st.integers(0, len(content)))
        match draw(st.sampled_from(["change", "cut", "insert", "append"])):
            case "change" if place < len(content):
                content[place] = draw(st.integers(0, 255))
            case "cut":
                del content[place:]
            case "insert":
                content.insert(place, draw(st.integers(0, 255)))
            case _:
                content += draw(st.binary(max_size=3))
    return bytes(content)


def refusal(read, path):
    """What is said of a file that is refused, or None."""
    try:
        read(path)
    except ValueError as error:
        return str(error)
    return None


def is_read(path):
    """Whether a file is not refused, in one line that begins with its path."""
    said = refusal(read_idx, path)
    assert said is None or (said.startswith(f"{path} ") and "\n" not in said)
    return said is None


@given(content=st.one_of(damaged(SMALL.map(idx)), st.binary(), st.binary().map(b"\0\0\x08\x01".__add__)))
def test_a_damaged_file_is_read_as_the_format_says_or_refused(path, content):
    path.write_bytes(content)
    if is_read(path):
        assert idx(read_idx(path)) == content


@given(content=st.one_of(damaged(SMALL.map(idx).map(compress)), st.binary().map(b"\x1f\x8b".__add__)))
def test_a_damaged_zipped_file_is_read_as_the_format_says_or_refused(path, content):
    path.write_bytes(content)
    if is_read(path):
        assert idx(read_idx(path)) == gzip.decompress(content)


BYTES = idx(np.arange(6, dtype=np.uint8).reshape(2, 3))

# fmt: off
WRONG = [
    (b"",                                "is no IDX file.*got nothing$"),
    (BYTES[:3],                          "is no IDX file.*got 00 00 08$"),
    (b"PK\3\4" + BYTES,                  "is no IDX file: it begins with 00 00, a type .* got 50 4b 03 04$"),
    (b"\0\0\x07\2" + BYTES[4:],          "is no IDX file.*got 00 00 07 02$"),
    (b"\0\0\x08\0" + BYTES[4:],          "is no IDX file.*got 00 00 08 00$"),
    (b"\0\0\x08\xff" + BYTES[4:],        "is no IDX file.*got 00 00 08 ff$"),
    (BYTES[:9],                          "is too short: 2 sizes are 8 bytes, got 5$"),
    (BYTES[:-1],                         r"is too short: the shape \(2, 3\) of uint8 is 6 bytes, got 5$"),
    (BYTES + b"x",                       r"is too long: the shape \(2, 3\) of uint8 is 6 bytes, got more$"),
    (b"\0\0\x0e\1\0\0\0\2" + bytes(8),   r"is too short: the shape \(2,\) of float64 is 16 bytes, got 8$"),
    (b"\0\0\x08\2\0\0\0\0\xff\xff\xff\xff", r"holds no numbers: the shape \(0, 4294967295\) of uint8 is 0 bytes$"),
    (compress(BYTES)[:-1],          "is a damaged gzip file: "),
    (compress(BYTES)[:12],          "is a damaged gzip file: "),
    (compress(BYTES)[:-8] + bytes(8), "is a damaged gzip file: CRC check failed"),
    (compress(BYTES) + b"x",        "is a damaged gzip file: "),
    (compress(BYTES[:-1]),          "is too short"),
]
# fmt: on


@pytest.mark.parametrize(("content", "message"), WRONG)
def test_what_is_wrong_is_said(path, content, message):
    path.write_bytes(content)
    with pytest.raises(ValueError, match=message):
        read_idx(path)
    assert not is_read(path)


@pytest.mark.parametrize(
    "content",
    [
        b"\0\0\x0e\3" + b"\xff" * 12,  # 6e29 bytes are claimed
        b"\0\0\x08\1\0\1\0\0" + bytes(100),  # 65,536
        compress(BYTES + bytes(50_000_000), compresslevel=1),  # some 200 kB hold 50 MB
    ],
)
def test_what_is_claimed_and_not_there_takes_no_memory(path, content):
    path.write_bytes(content)
    tracemalloc.start()
    try:
        with pytest.raises(ValueError, match=r"is too (short|long)"):
            read_idx(path)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 5_000_000


def test_what_cannot_be_read_is_an_error_of_the_system(tmp_path):
    with pytest.raises(FileNotFoundError):
        read_idx(tmp_path / "none")
    with pytest.raises(IsADirectoryError):
        read_idx(tmp_path)
    with pytest.raises(TypeError):
        read_idx(None)


# ---- folders ---------------------------------------------------------------------------------------------------------

PARTS = {"train": 3, "t10k": 2}
NAMES = [f"{part}-{what}-ubyte" for part in PARTS for what in ("images-idx3", "labels-idx1")]


def contents():
    """Five images, three to learn from: the bytes of the four files, by name; images and labels."""
    rng = np.random.default_rng(0)
    arrays = {}
    for part, n in PARTS.items():
        arrays[f"{part}-images-idx3-ubyte"] = rng.integers(0, 256, (n, 28, 28), np.uint8)
        arrays[f"{part}-labels-idx1-ubyte"] = rng.integers(0, 10, n, np.uint8)
    return {name: idx(array) for name, array in arrays.items()}, list(arrays.values())


def write(folder, files):
    for name, content in files.items():
        (folder / name).write_bytes(content)


@pytest.mark.parametrize("function", [mnist, fashion_mnist])
@pytest.mark.parametrize("zipped", [(False, False), (True, True), (True, False)])
def test_a_folder_is_read_zipped_or_not(tmp_path, function, zipped):
    files, arrays = contents()
    for i, name in enumerate(NAMES):
        if zipped[i % 2]:
            files[f"{name}.gz"] = compress(files.pop(name))
    write(tmp_path, files)
    for part, images, labels in zip(function(tmp_path), arrays[::2], arrays[1::2], strict=True):
        assert (part.images == images.reshape(-1, 784) / 255).all()
        assert (part.labels == labels).all()
        assert (part.images.dtype, part.labels.dtype) == (float, int)
    assert function(str(tmp_path)).train.labels.tolist() == arrays[1].tolist()


def test_all_that_is_missing_is_listed(tmp_path):
    files, _ = contents()
    with pytest.raises(FileNotFoundError, match="there is no folder"):
        mnist(tmp_path / "none")
    with pytest.raises(FileNotFoundError, match=f"lacks {', '.join(NAMES)} "):
        mnist(tmp_path)
    write(tmp_path, {NAMES[0]: files[NAMES[0]], f"{NAMES[3]}.gz": compress(files[NAMES[3]])})
    with pytest.raises(FileNotFoundError, match=rf"lacks {NAMES[1]}, {NAMES[2]} \(with or without \.gz\)$"):
        mnist(tmp_path)


@pytest.mark.parametrize(
    ("name", "array", "message"),
    [
        (NAMES[0], np.zeros((3, 28, 27), np.uint8), r"\(n, 28, 28\), got uint8 \(3, 28, 27\)"),
        (NAMES[0], np.zeros((3, 784), np.uint8), r"\(n, 28, 28\), got uint8 \(3, 784\)"),
        (NAMES[0], np.zeros((3, 28, 28), np.int8), r"must hold bytes of the shape \(n, 28, 28\), got int8"),
        (NAMES[2], np.zeros(2, np.uint8), r"\(n, 28, 28\), got uint8 \(2,\)"),
        (NAMES[1], np.zeros((3, 1), np.uint8), r"must hold bytes of the shape \(n,\), got uint8 \(3, 1\)"),
        (NAMES[1], np.zeros(3, np.float32), r"must hold bytes of the shape \(n,\), got float32"),
        (NAMES[3], np.array([0, 10], np.uint8), "must hold labels from 0 to 9, got 10"),
        (NAMES[3], np.zeros(3, np.uint8), f"{NAMES[2]} holds 2 images, but .*{NAMES[3]} 3 labels"),
    ],
)
def test_what_is_not_mnist_is_refused(tmp_path, name, array, message):
    files, _ = contents()
    write(tmp_path, files | {name: idx(array)})
    with pytest.raises(ValueError, match=message) as raised:
        mnist(tmp_path)
    assert name in str(raised.value)


@given(data=st.data(), name=st.sampled_from(NAMES), zipped=st.booleans())
def test_a_folder_with_a_damaged_file_is_read_or_refused(tmp_path_factory, data, name, zipped):
    files, _ = contents()
    folder = tmp_path_factory.mktemp("damaged")
    content = files.pop(name)
    write(folder, files)
    path = folder / (f"{name}.gz" if zipped else name)
    path.write_bytes(data.draw(damaged(st.just(compress(content) if zipped else content))))
    said = refusal(mnist, folder)
    if said is None:
        assert all(part.images.shape == (len(part.labels), 784) for part in mnist(folder))
    else:
        assert said.startswith(str(folder))
        assert name in said


@pytest.mark.skipif(not MNIST.is_dir(), reason=NO_MNIST)
def test_mnist_is_mnist():
    train, test = mnist(MNIST)
    assert (train.images.shape, test.images.shape) == ((60_000, 784), (10_000, 784))
    assert train.labels[:5].tolist() == [5, 0, 4, 1, 9]
    assert np.bincount(train.labels).tolist() == [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949]
    assert (round(float(test.images.mean()), 4), round(float(test.images.std()), 4)) == (0.1325, 0.3105)
    assert (test.images.min(), test.images.max()) == (0.0, 1.0)
