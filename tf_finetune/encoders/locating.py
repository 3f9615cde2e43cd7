"""Finds an encoder's files: in a folder, in an installed package, or on the hub."""

import logging
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from tf_finetune.encoders.checkpoints.checkpoint import Checkpoint
from tf_finetune.encoders.checkpoints.opening import (
    UNMERGED_FILE,
    choice_note,
    find_weights,
    no_weights,
    open_checkpoint,
    open_weights,
)
from tf_finetune.encoders.checkpoints.other_files import is_adapter
from tf_finetune.encoders.config_file import has_config, read_encoder_config
from tf_finetune.encoders.families.table import family_of
from tf_finetune.encoders.family import OF_TASKS, Family, Pooling, Sizes
from tf_finetune.encoders.hub import DEFAULT_HUB_NAME, hub_folder
from tf_finetune.encoders.packages import model_packages, package_folder
from tf_finetune.encoders.peft.adapted_checkpoint import AdaptedCheckpoint, check_adapter
from tf_finetune.encoders.peft.adapter import Adapter, open_adapter
from tf_finetune.encoders.pooling import TEXT_POOLING, PoolingChoice, choose_pooling
from tf_finetune.encoders.sentence_folder import transformer_folder
from tf_finetune.encoders.variables import Variable, possible_depths
from tf_finetune.errors import UserError
from tf_finetune.options.data import DataConfig
from tf_finetune.options.encoder import EncoderConfig, WantedPooling
from tf_finetune.storage.run_directory import RunDirectory

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class EncoderFiles:
    """Where an encoder is.

    Attributes:
        name: What finds the same encoder again, for example "package:NAME".
        path: Local folder with config.json, weights and tokenizer.
        wanted_pooling: `encoder.pooling`.
        wanted_layers: How many of its first layers are used; None: all.
        adapter_name: `encoder.adapter`, a folder of PEFT; None: the encoder as it is.
        task_pooling: What the task reads, where it reads something of its own.
    """

    name: str
    path: Path
    wanted_pooling: WantedPooling = "auto"
    wanted_layers: int | None = None
    adapter_name: str | None = None
    task_pooling: Pooling | None = None

    @cached_property
    def adapter(self) -> Adapter | None:
        """What is merged into the encoder's weights.

        Raises:
            UserError: It is no adapter, or one of another encoder.
        """
        if self.adapter_name is None:
            return None
        folder = Path(self.adapter_name).expanduser()
        if not folder.is_dir():
            raise UserError(f"encoder.adapter: the folder {self.adapter_name} does not exist")
        check_kinds(folder)
        adapter = open_adapter(folder)
        check_adapter(adapter, self.family.variables(self.own_config, 1), self.family)
        return adapter

    @cached_property
    def own_config(self) -> dict[str, Any]:
        """The contents of config.json."""
        return read_encoder_config(self.path)

    @cached_property
    def whole_config(self) -> dict[str, Any]:
        """The same; of the head what an adapter with one says."""
        if self.adapter is None or not self.has_adapted_head:
            return self.own_config
        return self.adapter.with_labels(
            self.own_config, self.family.classifier_class.removeprefix("TF")
        )

    @property
    def has_adapted_head(self) -> bool:
        """Whether an adapter brings a head."""
        name = f"{self.family.head_names[1]}.weight"
        return self.adapter is not None and name in self.adapter.whole.tensors

    @cached_property
    def config(self) -> dict[str, Any]:
        """That of an encoder that has no other layers than those used."""
        if self.wanted_layers is None:
            return self.whole_config
        return self.family.with_layers(self.whole_config, self.wanted_layers)

    @cached_property
    def family(self) -> Family:
        """The encoder's family."""
        return family_of(self.own_config, str(self.path / "config.json"))

    @cached_property
    def whole_sizes(self) -> Sizes:
        """How large the whole encoder is."""
        return self.family.sizes(self.whole_config)

    @cached_property
    def sizes(self) -> Sizes:
        """How large what is used of it is."""
        return self.family.sizes(self.config)

    @cached_property
    def pooling_choice(self) -> PoolingChoice:
        """What the head reads of a text, and who says so.

        Raises:
            UserError: The option names what the task does not read.
        """
        if self.task_pooling is not None:
            if self.wanted_pooling not in ("auto", self.task_pooling):
                raise UserError(
                    f"encoder.pooling: received {self.wanted_pooling} for a task that reads "
                    f"{self.task_pooling}; accepted: auto"
                )
            return PoolingChoice(self.task_pooling, "as the task asks for")
        if self.wanted_pooling == "auto" and self.has_adapted_head:
            pooling = self.whole_config.get(TEXT_POOLING, self.family.pooling)
            if pooling in self.family.poolings:
                return PoolingChoice(pooling, "as the adapter's head does")
        return choose_pooling(self.wanted_pooling, self.path, self.config, self.family)

    @property
    def pooling(self) -> Pooling:
        """What the head reads of a text."""
        return self.pooling_choice.pooling

    @cached_property
    def depths(self) -> list[int]:
        """The frozen depths that there are, ascending."""
        return possible_depths(self.variables(1))

    def depth_notes(self) -> list[str]:
        """A sentence on them where there is not one for each layer."""
        if len(self.depths) == self.num_layers + 1:
            return []
        *others, last = map(str, self.depths)
        return [
            f"The frozen depth is {', '.join(others)} or {last}: layers of this encoder share "
            "their weights, which are frozen in all of them or in none."
        ]

    def lines(self) -> list[str]:
        """What to tell of it before work begins."""
        pooling = f"pooling: {self.pooling_choice.sentence()}"
        return [
            *choice_note(self.path),
            *([] if self.adapter is None else [f"adapter: {self.adapter.sentence()}"]),
            *self.layer_lines(),
            pooling,
            *self.depth_notes(),
        ]

    def read_by(self, pooling: Pooling | None) -> "EncoderFiles":
        """The same encoder for a task that reads this; None: what the options say.

        Raises:
            UserError: The options say what only other tasks read.
        """
        if pooling is None and self.wanted_pooling in OF_TASKS:
            whole = (pooling for pooling in self.family.poolings if pooling not in OF_TASKS)
            raise UserError(
                f"encoder.pooling: received {self.wanted_pooling} for a task that reads whole "
                f"texts; accepted: auto, {', '.join(whole)}"
            )
        return replace(self, task_pooling=pooling)

    def configured(self, section: EncoderConfig) -> "EncoderFiles":
        """The same encoder, read and cut as another section `encoder` says."""
        return replace(self, wanted_pooling=section.pooling, wanted_layers=section.layers)

    def options(self) -> dict[str, Any]:
        """The options of the section `encoder` that find it again, as they turned out."""
        return {
            "name": self.name,
            "adapter": self.adapter_name,
            "pooling": self.pooling,
            "layers": self.wanted_layers,
        }

    def layer_lines(self) -> list[str]:
        """Which layers are used, where not all are."""
        if self.wanted_layers is None:
            return []
        line = f"layers: the first {self.num_layers} of {self.whole_sizes.layers}"
        if self.has_pooler:
            line += "; the pooler begins as it was above the last"
        return [line]

    @cached_property
    def has_pooler(self) -> bool:
        """Whether what is read goes through a pooler on its way to the head."""
        return any(variable.part == "pooler" for variable in self.variables(1))

    def variables(self, num_labels: int) -> tuple[Variable, ...]:
        """All variables of a classifier with so many outputs, in forward order."""
        return self.family.variables(self.config, num_labels, self.pooling)

    @property
    def num_layers(self) -> int:
        """Number of encoder layers L that are used."""
        return self.sizes.layers

    @cached_property
    def checkpoint(self) -> Checkpoint:
        """The weights; what there is has been read once.

        Raises:
            UserError: There are none, or they cannot be read.
        """
        if self.adapter is None:
            return open_checkpoint(self.path, self.family)
        return AdaptedCheckpoint(open_weights(self.path), self.family, self.adapter)


def configured_encoder(section: EncoderConfig) -> EncoderFiles:
    """The encoder that a section `encoder` means; see `resolve_encoder`."""
    return resolve_encoder(section.name, section.pooling, section.layers, section.adapter)


def resolve_encoder(
    name: str,
    pooling: WantedPooling = "auto",
    layers: int | None = None,
    adapter: str | None = None,
) -> EncoderFiles:
    """Turns `encoder.name` into local files.

    Args:
        name: "auto", a local folder, "package:DISTRIBUTION" or a hub name.
        pooling: `encoder.pooling`.
        layers: `encoder.layers`.
        adapter: `encoder.adapter`.

    Raises:
        UserError: There is no such encoder, the hub cannot be reached for it, its folder holds
            devices or pipes, it is an adapter itself, what says how it is pooled is damaged, the
            adapter is none or another encoder's, or it cannot be cut to so many layers.
    """
    if name == "auto":
        packages = model_packages()
        name = f"package:{packages[0]}" if packages else DEFAULT_HUB_NAME
    if name.startswith("package:"):
        files = EncoderFiles(name, package_folder(name.removeprefix("package:")))
    elif Path(name).expanduser().is_dir():
        files = _in_folder(name)
    elif name.startswith((".", "/", "~")) or name.count("/") > 1:
        raise UserError(f"encoder.name: the folder {name} does not exist")
    else:
        files = EncoderFiles(name, hub_folder(name))
    check_kinds(files.path)
    if is_adapter(files.path) and not find_weights(files.path):
        raise no_weights(files.path)
    path = transformer_folder(files.path)
    files = replace(files, path=path, wanted_pooling=pooling, adapter_name=adapter)
    check_kinds(files.path)
    # An unsupported architecture and an adapter of another encoder are refused here, not later.
    files.adapter, files.pooling  # noqa: B018
    return files if layers is None else _cut(files, layers)


def _cut(files: EncoderFiles, layers: int) -> EncoderFiles:
    """The encoder of the first layers; what leaves out none is the whole one."""
    possible = files.family.possible_layers(files.whole_config)
    if layers not in possible:
        accepted = f"1 to {possible[-1]}, the number of layers of this encoder"
        if len(possible) < possible[-1]:
            listed = ", ".join(map(str, possible))
            accepted = f"{listed}, because layers of this encoder share their weights"
        raise UserError(f"encoder.layers: received {layers}; accepted: {accepted}")
    return files if layers == possible[-1] else replace(files, wanted_layers=layers)


def _in_folder(name: str) -> EncoderFiles:
    """A folder of an encoder, or the model of a run or a search."""
    folder = Path(name).expanduser()
    run = RunDirectory(folder)
    if has_config(folder) or not run.is_run:
        return EncoderFiles(name, folder)
    if not has_config(run.model):
        raise UserError(
            f"encoder.name: {name} is a run that has no model yet; accepted: a finished run",
            hint=f"Go on with: {run.going_on}",
        )
    if (run.model / UNMERGED_FILE).exists():
        raise UserError(
            f"encoder.name: {name} is a run whose method added what plain weights cannot hold; "
            "accepted: an encoder, or a run whose method merges, such as full or lora"
        )
    inside = str(Path(name) / run.model.name)
    logger.warning("encoder.name: %s is a run; its model is taken, %s", name, inside)
    return EncoderFiles(inside, run.model)


def check_kinds(folder: Path) -> None:
    """Refuses devices and pipes in a folder of a model, which might be read for ever.

    Raises:
        UserError: There are some, or the folder cannot be listed.
    """
    try:
        paths = sorted(folder.iterdir())
    except OSError as error:
        raise UserError(f"{folder}: cannot be read: {error.strerror}") from None
    strange = [p for p in paths if p.exists() and not (p.is_file() or p.is_dir())]
    if strange:
        raise UserError([f"{p}: is a device or a pipe; accepted: a file" for p in strange])


def fitted_inputs(files: EncoderFiles, data: DataConfig) -> DataConfig:
    """The section `data` as an encoder takes it: a length that nobody set is no longer than it can.

    Raises:
        UserError: With each option for which the encoder has no position or no token type.
            TensorFlow would fail in the middle of training, or on a GPU read zeros.
    """
    positions, problems = files.sizes.positions, []
    if data.max_length > positions and "max_length" not in data.model_fields_set:
        data = data.model_copy(update={"max_length": positions})
    if data.max_length > positions:
        problems.append(
            f"data.max_length: received {data.max_length}; accepted: up to {positions}, the "
            "positions of this encoder"
        )
    pairs = data.text_pair_column is not None
    if pairs and files.family.needs_types and files.sizes.types < 2:
        problems.append(
            "data.text_pair_column: this encoder has one token type and so takes single "
            "texts; accepted: null"
        )
    if problems:
        raise UserError(problems)
    return data
