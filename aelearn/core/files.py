"""Files that are written completely or not at all, and whether a folder can be written."""

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


def writable_folder(name, what="the output folder", *, n_bytes=0):
    """The folder `name`, created if necessary. Raises OSError now rather than after the training.

    what     what to call it in the message
    n_bytes  how much must fit on the disk
    """
    folder = Path(name)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with replacing(folder / ".aelearn-can-write") as file:
            file.write(os.urandom(n_bytes))  # zeros might be compressed
        (folder / ".aelearn-can-write").unlink()
    except OSError as error:
        raise OSError(f"{what} {folder} cannot be written: {error.strerror}") from None
    return folder
