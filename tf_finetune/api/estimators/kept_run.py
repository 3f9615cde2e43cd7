"""The folder of a run that an estimator holds, and hands on when it is pickled."""

import os
import shutil
import tempfile
import weakref
from collections.abc import Mapping
from pathlib import Path
from typing import Any


class KeptRun:
    """A place for one run; a temporary one is there for as long as somebody holds this.

    Pickled, it carries all files of the run: what is unpickled, perhaps on another machine, has a
    temporary copy of its own.

    Args:
        path: Folder of the run; None makes a temporary one.

    Attributes:
        path: The folder.
        scratch: Folder for what is needed only while the run trains, where it is temporary.
    """

    def __init__(self, path: "str | os.PathLike[str] | None" = None):
        self.scratch: Path | None = None
        if path is not None:
            self.path = Path(path).expanduser()
            return
        folder = Path(tempfile.mkdtemp(prefix="tf-finetune-fit-"))
        weakref.finalize(self, _remove, folder, os.getpid())
        self.path, self.scratch = folder / "run", folder / "scratch"

    def drop_scratch(self) -> None:
        """Removes what only the training needed."""
        if self.scratch is not None:
            shutil.rmtree(self.scratch, ignore_errors=True)

    def __reduce__(self) -> Any:
        """The content of every file, by its name in the folder."""
        files = sorted(path for path in self.path.rglob("*") if path.is_file())
        named = {path.relative_to(self.path).as_posix(): path.read_bytes() for path in files}
        return _temporary_copy, (named,)


def _temporary_copy(files: Mapping[str, bytes]) -> KeptRun:
    copy = KeptRun()
    for name, content in files.items():
        file = copy.path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
    return copy


def _remove(folder: Path, process: int) -> None:
    """Removes a folder, but not in a forked process, whose parent still has it."""
    if os.getpid() == process:
        shutil.rmtree(folder, ignore_errors=True)
