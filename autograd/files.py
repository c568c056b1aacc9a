"""Files: written whole or not at all."""

from __future__ import annotations

import contextlib
import os


def write_whole(path: str | os.PathLike[str], content: bytes) -> None:
    """Write ``content`` to a file that appears whole or not at all; what was there stays until then.

    A link is followed, and a file that was there keeps its permissions. What is no file, such as a pipe or a device, is
    written to as it is.

    Raises:
        TypeError: ``path`` is no path; an int, which ``open`` would take for the number of an open file, is none.
        OSError: it cannot be written.
    """
    path = os.fsdecode(path)
    if os.path.exists(path) and not os.path.isfile(path):
        with open(path, "wb") as stream:
            stream.write(content)
        return
    real = os.path.realpath(path) if os.path.islink(path) else path
    temporary = f"{real}.{os.getpid()}.tmp"
    try:
        with open(temporary, "wb") as file:
            file.write(content)
        if os.path.exists(real):
            with contextlib.suppress(OSError):  # not every file system has permissions
                os.chmod(temporary, os.stat(real).st_mode & 0o7777)
        os.replace(temporary, real)
    except BaseException as error:
        if os.path.exists(temporary):
            os.unlink(temporary)
        if isinstance(error, OSError) and error.filename == temporary and error.filename2 is None:
            error.filename = path  # the user knows of no other
        raise
