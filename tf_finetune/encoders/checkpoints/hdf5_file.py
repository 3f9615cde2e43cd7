"""Tensors of a `tf_model.h5`: datasets of an HDF5 file, of which nothing else is read.

Keras' own loading of `.h5` can run code that the file holds, see `load_model`. Here numbers are
read, and they are taken where the file holds each of them by itself: no links to other files,
no virtual datasets, nothing packed, so that no value is longer than the file.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from tf_finetune.encoders.checkpoints.layouts import TensorFlowLayout
from tf_finetune.encoders.checkpoints.tensor_file import NAMES, Tensor, TensorFile, quoted
from tf_finetune.errors import UserError

if TYPE_CHECKING:
    import h5py

# What h5py raises on files that are damaged; the last where it meets them inside a call back.
_DAMAGED = (OSError, RuntimeError, LookupError, ValueError, TypeError, MemoryError, SystemError)


class Hdf5File(TensorFile):
    """Weights as `save_pretrained` of a TensorFlow model writes them.

    Args:
        path: The file.

    Raises:
        UserError: It is damaged, no HDF5 file, a whole model, or holds what is not read.
    """

    def __init__(self, path: Path):
        self.path = path
        self.paths = (path,)
        self.layout = TensorFlowLayout()
        with self._opened() as file:
            if "model_config" in file.attrs:
                raise UserError(
                    f"{path}: is a whole Keras model, which can hold code, not weights alone; "
                    "accepted: weights",
                    hint='Where you trust it, load it and write model.save_pretrained("DIR").',
                )
            self._places = _places(path, file)
            self.tensors = {
                name: Tensor(_type_name(file[place].dtype), tuple(file[place].shape))
                for name, place in self._places.items()
            }

    @contextmanager
    def reading(self) -> Iterator[Callable[[str], np.ndarray]]:
        """See `TensorFile`."""
        with self._opened() as file:
            yield lambda name: np.asarray(file[self._places[name]][()])

    @contextmanager
    def _opened(self) -> "Iterator[h5py.File]":
        import h5py  # takes a tenth of a second

        try:
            with h5py.File(self.path, "r") as file:
                yield file
        except _DAMAGED as error:
            said = str(error.__cause__ or error).splitlines() or [""]
            raise UserError(
                f"{self.path}: damaged or not an HDF5 file: {quoted(said[0])}"
            ) from None


def _places(path: Path, file: "h5py.File") -> dict[str, str]:
    """Where each dataset is, by its variable's name without the model's.

    Raises:
        UserError: One leads elsewhere, or is not stored as plain numbers.
    """
    places = []
    for place in _datasets(path, file):
        dataset = file[place]
        plain = not dataset.is_virtual and not dataset.external
        if not plain or not dataset.nbytes == dataset.id.get_storage_size() <= path.stat().st_size:
            raise UserError(
                f"{path}: {quoted(place)} is not stored as plain numbers (virtual, compressed or "
                "in other files); accepted: values in the file"
            )
        places.append(place)
    groups = [file[name] for name in file]
    # A layer's group, which lists its variables, has them by their full names; a shard has none.
    if not any(key.startswith("weight_names") for group in groups for key in group.attrs):
        return {place: place for place in places}
    found: dict[str, str] = {}
    for place in places:
        layer, *parts = place.split("/")
        name = "/".join(parts[1:])
        # A tied matrix is listed with each layer that uses it.
        if name not in found or name.startswith(f"{layer}/"):
            found[name] = place
    return found


def _datasets(path: Path, file: "h5py.File") -> list[str]:
    """Places of all datasets; each once, whatever groups contain each other.

    Raises:
        UserError: There is a link to another place or file.
    """
    import h5py

    links: dict[str, Any] = {}
    file.visititems_links(links.__setitem__)  # to raise in there would end in h5py's own error
    for place, link in links.items():
        if not isinstance(link, h5py.HardLink):
            raise UserError(f"{path}: {quoted(place)} is a link; accepted: values in the file")
    return [place for place in links if isinstance(file[place], h5py.Dataset)]


def _type_name(dtype: Any) -> str:
    return NAMES.get(str(dtype), str(dtype))
