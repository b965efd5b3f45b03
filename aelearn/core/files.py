"""Files that are written completely or not at all."""

import os
from contextlib import contextmanager, suppress
from pathlib import Path


@contextmanager
def replacing(path, mode="wb", **open_arguments):
    """A file to write into, which replaces `path` once the block has ended without an error and the bytes are on disk.

    Until then, and also if the block raises or the process is killed, `path` is what it was before.
    """
    path = Path(path)
    part = path.with_name(path.name + ".part")
    try:
        with open(part, mode, **open_arguments) as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.replace(part, path)
    except BaseException:
        with suppress(OSError):
            part.unlink()
        raise
