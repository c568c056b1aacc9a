"""Files: whole or not at all, and errors that name what the user named."""

import os

import pytest

from autograd.files import write_whole


def test_a_file_is_written_and_replaced(tmp_path):
    path = tmp_path / "page.html"
    write_whole(path, b"first")
    write_whole(path, b"second")
    assert path.read_bytes() == b"second"
    assert [each.name for each in tmp_path.iterdir()] == ["page.html"]


def test_what_fails_leaves_the_earlier_file_and_nothing_else(tmp_path):
    path = tmp_path / "page.html"
    write_whole(path, b"first")
    with pytest.raises(TypeError):
        write_whole(path, "not bytes")
    assert path.read_bytes() == b"first"
    assert [each.name for each in tmp_path.iterdir()] == ["page.html"]


@pytest.mark.parametrize("name", ["missing/", "file.html/"])
def test_a_folder_that_is_none_is_an_error(tmp_path, name):
    (tmp_path / "file.html").write_bytes(b"first")
    with pytest.raises(OSError, match=r"missing|file\.html"):
        write_whole(f"{tmp_path}/{name}", b"second")
    assert (tmp_path / "file.html").read_bytes() == b"first"
    assert [each.name for each in tmp_path.iterdir()] == ["file.html"]


def test_the_error_names_the_file_that_was_asked_for(tmp_path):
    path = tmp_path / "missing" / "page.html"
    with pytest.raises(FileNotFoundError) as caught:
        write_whole(path, b"")
    assert caught.value.filename == str(path)


@pytest.mark.skipif(os.name != "posix", reason="permissions and links are POSIX's")
def test_a_link_stays_a_link_and_permissions_stay(tmp_path):
    real, link = tmp_path / "real.html", tmp_path / "link.html"
    real.write_bytes(b"first")
    real.chmod(0o640)
    link.symlink_to(real)
    write_whole(link, b"second")
    assert link.is_symlink()
    assert real.read_bytes() == b"second"
    assert real.stat().st_mode & 0o777 == 0o640


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no named pipes")
def test_what_is_no_file_is_written_to_and_not_replaced(tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reading = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    write_whole(pipe, b"page")
    assert os.read(reading, 10) == b"page"
    os.close(reading)
    assert pipe.is_fifo()
    with pytest.raises(IsADirectoryError):
        write_whole(tmp_path, b"")


@pytest.mark.parametrize("wrong", [2, True, 1.5, None, ["a"]])
def test_the_number_of_an_open_file_is_no_path(wrong):
    with pytest.raises(TypeError):
        write_whole(wrong, b"not to stderr")


def test_a_path_of_bytes_is_one(tmp_path):
    write_whole(os.fsencode(tmp_path / "page.html"), b"page")
    assert (tmp_path / "page.html").read_bytes() == b"page"
    assert len(list(tmp_path.iterdir())) == 1
