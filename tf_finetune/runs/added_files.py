"""Files that are added to a finished run, such as a later evaluation's, and their list."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tf_finetune.storage.locking import exclusive_use
from tf_finetune.storage.manifests import write_manifest

_LONGEST_WAIT = 10.0  # seconds, for what another process adds to the run


@contextmanager
def added_to(run: Path, name: str) -> Iterator[Path]:
    """Gives a folder of a run to write to, and lists all that is in it afterwards.

    Args:
        run: The run's folder.
        name: Of the folder inside, which need not exist.

    Raises:
        UserError: Another process is adding to the run, or there is no room for the list.
    """
    folder = run / name
    # One at a time, because the manifest lists the files of all.
    with exclusive_use(run, option="RUN", seconds=_LONGEST_WAIT):
        folder.mkdir(exist_ok=True)
        yield folder
        write_manifest(folder)
