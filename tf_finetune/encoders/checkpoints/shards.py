"""Weights in several files of one kind, with an index that says what is where."""

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from tf_finetune.encoders.checkpoints.tensor_file import TensorFile, quoted
from tf_finetune.errors import UserError


class Shards(TensorFile):
    """The files that an index names, as one.

    Args:
        index: The file of JSON whose `weight_map` gives each tensor's file, beside it.
        opened: Opens one of the files.

    Raises:
        UserError: A file is missing, damaged or elsewhere, or the index is.
    """

    def __init__(self, index: Path, opened: Callable[[Path], TensorFile]):
        self.path = index
        places = _weight_map(index)
        names = sorted(set(places.values()))
        missing = [name for name in names if not (index.parent / name).is_file()]
        if missing:
            raise UserError(
                f"{index}: of the {len(names)} files it names {len(missing)} are missing: "
                f"{', '.join(missing)}",
                hint="Download or copy them into the folder.",
            )
        files = {name: opened(index.parent / name) for name in names}
        self._files = {
            tensor: file
            for name, file in files.items()
            for tensor in file.tensors
            if places.get(tensor, name) == name
        }
        self.paths = (index, *(index.parent / name for name in names))
        self.tensors = {tensor: file.tensors[tensor] for tensor, file in self._files.items()}
        self.layout = files[names[0]].layout

    def path_of(self, name: str) -> Path:
        """The shard that a tensor is in, or the index."""
        return self._files[name].path if name in self._files else self.path

    @contextmanager
    def reading(self) -> Iterator[Callable[[str], np.ndarray]]:
        """See `TensorFile`; each shard is opened with the first of its tensors."""
        readers: dict[Path, Callable[[str], np.ndarray]] = {}
        with ExitStack() as stack:

            def read(name: str) -> np.ndarray:
                file = self._files[name]
                if file.path not in readers:
                    readers[file.path] = stack.enter_context(file.reading())
                return readers[file.path](name)

            yield read


def _weight_map(index: Path) -> Mapping[str, str]:
    """File names by tensor.

    Raises:
        UserError: It is no such index, or names a file that is not beside it.
    """
    try:
        content: Any = json.loads(index.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise UserError(f"{index}: not valid JSON: {error}") from None
    places = content.get("weight_map") if isinstance(content, dict) else None
    if not isinstance(places, dict) or not places:
        raise UserError(f"{index}: has no weight_map; accepted: an index of weights")
    for name in places.values():
        if not isinstance(name, str) or Path(name).name != name or name in ("", "..", "."):
            shown = quoted(name) if isinstance(name, str) else type(name).__name__
            raise UserError(
                f"{index}: weight_map: received {shown}; accepted: names of files beside it"
            )
    return places
