"""Files: whole or not at all, and errors that name what the user named."""

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


def test_the_error_names_the_file_that_was_asked_for(tmp_path):
    path = tmp_path / "missing" / "page.html"
    with pytest.raises(FileNotFoundError) as caught:
        write_whole(path, b"")
    assert caught.value.filename == str(path)
