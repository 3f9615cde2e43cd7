"""An adapter of PEFT: what it adds to which module, and modules that it holds whole."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from tf_finetune.encoders.checkpoints.safetensors_file import SafetensorsFile
from tf_finetune.encoders.checkpoints.tensor_file import Tensor, TensorFile, quoted
from tf_finetune.encoders.low_rank import merged_low_rank
from tf_finetune.encoders.peft.adapter_config import (
    IA3,
    AdapterConfig,
    read_adapter_config,
    read_json,
)
from tf_finetune.encoders.peft.names import (
    ADAPTER_CONFIG,
    ADAPTER_WEIGHTS,
    HEAD_WEIGHTS,
    PICKLED_WEIGHTS,
    PREFIX,
)
from tf_finetune.errors import UserError

A, B, LENGTHS, FACTORS = "lora_A.weight", "lora_B.weight", "lora_magnitude_vector", "ia3_l"
# What each kind puts beside a matrix, by the end of its name.
_PARTS = (A, B, LENGTHS, f"{LENGTHS}.weight", FACTORS)
# Parts of names that a module which is held whole, or has something added, has more.
_INSIDE = (".modules_to_save", ".base_layer")
# A head's labels; of the adapter's own config.json, which this project writes, or of nobody.
_OF_THE_HEAD = (
    *("id2label", "label2id", "num_labels", "problem_type", "label_task", "label_threshold"),
    *("target_mean", "target_deviation", "text_pooling"),
)


@dataclass(frozen=True)
class Adapter:
    """A folder of PEFT; what there is has been read, and values are read when asked for.

    Attributes:
        folder: The folder.
        config: How it computes.
        parts: What is added to each module: by its name the tensors by `A`, `B`, `LENGTHS` or
            `FACTORS`, with the names in the file.
        whole: Tensors that it holds whole, as a file of them by the encoder's names.
    """

    folder: Path
    config: AdapterConfig
    parts: Mapping[str, Mapping[str, str]]
    whole: TensorFile

    @property
    def path(self) -> Path:
        """What messages call the weights by."""
        return self.folder / ADAPTER_WEIGHTS

    @property
    def paths(self) -> tuple[Path, ...]:
        """All files of it that decide what is computed."""
        return (self.folder / ADAPTER_CONFIG, *self.whole.paths)

    @cached_property
    def tensors(self) -> TensorFile:
        """The file of the parts."""
        return SafetensorsFile(self.path)

    def sentence(self) -> str:
        """Such as "LoRA on 4 products, with classifier, from adapters/reviews"."""
        count, whole = (
            len(self.parts),
            dict.fromkeys(n.rpartition(".")[0] for n in self.whole.tensors),
        )
        kept = f", with {', '.join(whole)}" if whole else ""
        products = "1 product" if count == 1 else f"{count} products"
        return f"{self.config.words} on {products}{kept}, from {self.folder}"

    @contextmanager
    def merging(self) -> "Iterator[Merge]":
        """A context with what merges a module's matrix or bias, as in TensorFlow, float32."""
        with self.tensors.reading() as read:

            def values(module: str) -> dict[str, np.ndarray]:
                found = {
                    part: read(name).astype(np.float32, copy=False)
                    for part, name in self.parts[module].items()
                }
                for part, value in found.items():
                    if not np.isfinite(value).all():
                        raise UserError(
                            f"encoder.adapter: {self.path}: tensor {self.parts[module][part]} "
                            "holds values that are no finite numbers"
                        )
                return found

            yield Merge(self.config, values)

    def with_labels(self, config: Mapping[str, Any], architecture: str) -> dict[str, Any]:
        """config.json of the encoder with what is true of the adapter's head.

        Args:
            config: The encoder's.
            architecture: Of the family's classifier.
        """
        own = self.folder / "config.json"
        said = read_json(own) if own.is_file() else {}
        kept = {key: value for key, value in config.items() if key not in _OF_THE_HEAD}
        told = {key: said[key] for key in _OF_THE_HEAD if key in said}
        return {**kept, **told, "architectures": [architecture]}


class Merge:
    """Merges what an adapter adds with the weights of a module.

    Args:
        config: How the adapter computes.
        values: What it adds to a module, as PyTorch has it.
    """

    def __init__(self, config: AdapterConfig, values: Callable[[str], Mapping[str, np.ndarray]]):
        self._config = config
        self._values = values

    def kernel(self, module: str, kernel: np.ndarray) -> np.ndarray:
        """A matrix, [width, units]."""
        found = self._values(module)
        if self._config.kind == IA3:
            return kernel * found[FACTORS].T
        a, b = found[A].T, found[B].T
        scale = self._config.scale(module, a.shape[1])
        return merged_low_rank(kernel, a, b, scale, found.get(LENGTHS))

    def bias(self, module: str, bias: np.ndarray) -> np.ndarray:
        """A bias, [..., units]; what scales the inputs leaves it as it is."""
        if self._config.kind != IA3:
            return bias
        factors = self._values(module)[FACTORS]
        return bias * factors[:, 0] if factors.shape[1] == 1 else bias


class _Renamed(TensorFile):
    """Tensors of files under other names.

    Args:
        path: What messages name.
        places: By the other name the file and the name in it.
    """

    def __init__(self, path: Path, places: Mapping[str, tuple[TensorFile, str]]):
        files = dict.fromkeys(file for file, _ in places.values())
        self.path = path
        self.paths = tuple(dict.fromkeys((path, *(p for file in files for p in file.paths))))
        self.layout = SafetensorsFile(path).layout
        self.tensors: Mapping[str, Tensor] = {
            name: file.tensors[own] for name, (file, own) in places.items()
        }
        self._places = places

    def path_of(self, name: str) -> Path:
        """See `TensorFile`."""
        return self._places[name][0].path if name in self._places else self.path

    @contextmanager
    def reading(self) -> Iterator[Callable[[str], np.ndarray]]:
        """See `TensorFile`."""

        def read(name: str) -> np.ndarray:
            file, own = self._places[name]
            with file.reading() as tensor:
                return tensor(own)

        yield read


def open_adapter(folder: Path) -> Adapter:
    """Opens a folder of PEFT; no values are read yet.

    Raises:
        UserError: It is none, or damaged, or of another method, or holds a pickle.
    """
    if not (folder / ADAPTER_CONFIG).is_file():
        raise UserError(
            f"encoder.adapter: {folder}: has no {ADAPTER_CONFIG}; accepted: a folder that PEFT's "
            "save_pretrained or export --to peft has written"
        )
    config = read_adapter_config(folder)
    path = folder / ADAPTER_WEIGHTS
    if not path.is_file():
        there = (folder / PICKLED_WEIGHTS).is_file()
        other = f", but {PICKLED_WEIGHTS}, a pickle, which can run code" if there else ""
        raise UserError(
            f"encoder.adapter: {folder}: has no {ADAPTER_WEIGHTS}{other}; accepted: "
            f"{ADAPTER_WEIGHTS}",
            hint="Where you trust it, load it with PEFT and save it anew: save_pretrained."
            if there
            else None,
        )
    file = SafetensorsFile(path)
    parts, whole, problems = _sorted(file)
    head = folder / HEAD_WEIGHTS
    places = {name: (file, own) for name, own in whole.items()}
    if head.is_file():
        beside = SafetensorsFile(head)
        places |= {name: (beside, name) for name in beside.tensors}
    problems += _incomplete(config, parts, file)
    if problems:
        raise UserError([f"encoder.adapter: {path}: {problem}" for problem in problems])
    return Adapter(folder, config, parts, _Renamed(path, places))


def _sorted(file: TensorFile) -> tuple[dict[str, dict[str, str]], dict[str, str], list[str]]:
    """Tensors that are added to a module, and those that are whole, by the encoder's names."""
    parts: dict[str, dict[str, str]] = {}
    whole: dict[str, str] = {}
    problems = []
    for own in file.tensors:
        name = own.removeprefix(PREFIX)
        end = next((part for part in _PARTS if name.endswith(f".{part}")), None)
        if file.tensors[own].dtype not in file.floats:
            problems.append(
                f"tensor {quoted(own)} is {file.tensors[own].dtype}; expected "
                f"{', '.join(file.floats)}"
            )
        elif end is not None:
            part = LENGTHS if end.startswith(LENGTHS) else end
            parts.setdefault(name.removesuffix(f".{end}"), {})[part] = own
        else:
            for inside in _INSIDE:
                name = name.replace(inside, "")
            whole[name] = own
    return parts, whole, problems


def _incomplete(
    config: AdapterConfig, parts: Mapping[str, Mapping[str, str]], file: TensorFile
) -> list[str]:
    """Modules that lack something of what the configuration says is added, or have another rank."""
    needed = {FACTORS} if config.kind == IA3 else {A, B}
    if config.weight_decomposed:
        needed.add(LENGTHS)
    problems = [
        f"module {quoted(module)} has {', '.join(sorted(found)) or 'nothing'}; expected, of "
        f"{config.words}: {', '.join(sorted(needed))}"
        for module, found in parts.items()
        if found.keys() != needed
    ]
    if not parts:
        problems.append("adds nothing to any module")
    if problems or config.kind == IA3:
        return problems[:3]
    for found in parts.values():
        rank = file.tensors[found[A]].shape[:1]
        if rank not in {(r,) for r in config.ranks}:
            ranks = ", ".join(map(str, sorted(config.ranks)))
            problems.append(
                f"tensor {quoted(found[A])} is {list(file.tensors[found[A]].shape)}; expected a "
                f"first axis of {ranks}, the rank in {ADAPTER_CONFIG}"
            )
    return problems[:3]
