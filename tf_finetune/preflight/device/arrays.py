"""Arrays of packed steps: written where steps are made, read where they are executed.

An array is kept once, whatever takes it: weights are the same at every depth. What is one value
throughout, or was made from a seed, takes no room at all; nothing that is kept loses a bit.
"""

import hashlib
from pathlib import Path
from typing import Any

import numpy as np

Entry = dict[str, Any]


class ArrayStore:
    """Arrays in a folder, by what they hold.

    Args:
        folder: Where they are; made when the first is kept.
    """

    def __init__(self, folder: Path):
        self._folder = folder
        self._seeds: dict[str, Entry] = {}
        self._read: dict[str, np.ndarray] = {}

    def seeded(
        self, shape: tuple[int, ...], seed: int, spread: float, dtype: str = "float32"
    ) -> np.ndarray:
        """Makes an array of which only the seed is kept; see `from_seed`."""
        value = from_seed(shape, seed, spread).astype(_dtype(dtype))
        self._seeds[_digest(value)] = {"seed": seed, "spread": spread}
        return value

    def put(self, value: np.ndarray) -> Entry:
        """Keeps an array; gives what `get` takes."""
        entry: Entry = {"shape": list(value.shape), "dtype": value.dtype.name}
        if value.size and (value == value.flat[0]).all():
            return entry | {"value": value.flat[0].item()}
        digest = _digest(value)
        if digest in self._seeds:
            return entry | self._seeds[digest]
        path = self._folder / f"{digest}.npz"
        if not path.exists():
            self._folder.mkdir(parents=True, exist_ok=True)
            np.savez_compressed(path, bits=_bits(value))
        return entry | {"stored": digest}

    def get(self, entry: Entry) -> np.ndarray:
        """The array of an entry; not to be written to, as the next may be the same."""
        shape = tuple(entry["shape"])
        if "value" in entry:
            return np.full(shape, entry["value"], _dtype(entry["dtype"]))
        key, dtype = str(sorted(entry.items())), _dtype(entry["dtype"])
        if key not in self._read:
            if "stored" in entry:
                with np.load(self._folder / f"{entry['stored']}.npz") as kept:
                    self._read[key] = _from_bits(kept["bits"], dtype)
            else:
                self._read[key] = from_seed(shape, entry["seed"], entry["spread"]).astype(dtype)
        return self._read[key]


def from_seed(shape: tuple[int, ...], seed: int, spread: float) -> np.ndarray:
    """Numbers spread evenly from -spread to spread, the same with every numpy; float32.

    The stream of `RandomState` is frozen (NEP 19), and what is done to it is exact.
    """
    drawn = np.random.RandomState(seed).randint(0, 2**24, size=shape, dtype=np.uint32)
    return (drawn.astype(np.float32) / np.float32(2**23) - np.float32(1)) * np.float32(spread)


def as_bfloat16(value: np.ndarray) -> np.ndarray:
    """A float32 array rounded to the nearest bfloat16, ties to even; still float32."""
    bits = value.view(np.uint32)
    rounded = bits + np.uint32(0x7FFF) + ((bits >> np.uint32(16)) & np.uint32(1))
    return (rounded & np.uint32(0xFFFF0000)).view(np.float32)


def _digest(value: np.ndarray) -> str:
    found = hashlib.sha256(f"{value.dtype.name} {value.shape} ".encode())
    found.update(np.ascontiguousarray(value).reshape(-1).view(np.uint8).data)
    return found.hexdigest()


def _bits(value: np.ndarray) -> np.ndarray:
    """Two bytes a number where the others are zero, or where there are no more."""
    if value.dtype.name == "bfloat16":
        return value.view(np.uint16)
    if value.dtype == np.float32:
        bits = np.ascontiguousarray(value).view(np.uint32)
        if not (bits & np.uint32(0xFFFF)).any():
            return (bits >> np.uint32(16)).astype(np.uint16)
    return value


def _from_bits(bits: np.ndarray, dtype: np.dtype) -> np.ndarray:
    if bits.dtype == np.uint16 and dtype == np.float32:
        return (bits.astype(np.uint32) << np.uint32(16)).view(np.float32)
    return bits.view(dtype)


def _dtype(name: str) -> np.dtype:
    if name == "bfloat16":
        import ml_dtypes  # which jax brings along

        return np.dtype(ml_dtypes.bfloat16)
    return np.dtype(name)
