"""Files: written whole or not at all."""

from __future__ import annotations

import os


def write_whole(path: str | os.PathLike[str], content: bytes) -> None:
    """Write ``content`` to a file that appears whole or not at all; what was there stays until then.

    Raises:
        OSError: it cannot be written.
    """
    temporary = f"{os.fspath(path)}.{os.getpid()}.tmp"
    try:
        with open(temporary, "wb") as file:
            file.write(content)
        os.replace(temporary, path)
    except BaseException as error:
        if os.path.exists(temporary):
            os.unlink(temporary)
        if isinstance(error, OSError) and error.filename == temporary and error.filename2 is None:
            error.filename = os.fspath(path)  # the user knows of no other
        raise
