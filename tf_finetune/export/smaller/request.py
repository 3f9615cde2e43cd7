"""The flags of `export` that ask for a smaller model."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

from tf_finetune.errors import UserError
from tf_finetune.tasks.table import TASKS

AUTO = "auto"
MAKING = ("--drop-layers", "--prune-heads", "--distil")
_DISTILLING = ("--temperature", "--teacher-weight")
FLAGS = (*MAKING, "--epochs", "--learning-rate", *_DISTILLING)


@dataclass(frozen=True)
class SmallerRequest:
    """What a smaller model is to be, and how it is trained.

    Attributes:
        drop_layers: Top layers to leave out, "auto", or 0.
        prune_heads: Attention heads to remove: a number, a share of them below 1, or 0.
        distil: Layers of a student that the original teaches; 0: none.
        epochs: Of the training that follows; 0 leaves the weights as they are cut.
        learning_rate: Its peak; None takes what is usual for what is trained.
        temperature: By which logits are divided where the student's are held against the
            original's; None: 2, and of no meaning in a regression.
        teacher_weight: Share of the loss that comes from the original's answers, the rest from
            the labels.
    """

    drop_layers: int | Literal["auto"] = 0
    prune_heads: int | float = 0
    distil: int = 0
    epochs: int = 3
    learning_rate: float | None = None
    temperature: float | None = None
    teacher_weight: float = 0.5

    def heads_of(self, heads: int) -> int:
        """How many of the heads of a model go."""
        if isinstance(self.prune_heads, float):
            return round(self.prune_heads * heads)
        return self.prune_heads

    def check(self, layers: int, heads_a_layer: int, task: str, groups: int = 0) -> None:
        """Holds the request against a model.

        Args:
            layers: Its encoder layers.
            heads_a_layer: Attention heads of each.
            task: Kind of its labels.
            groups: Sets of weights that the layers share; 0: each layer has its own.

        Raises:
            UserError: With everything that does not fit.
        """
        problems = []
        accepted = f"1 to {layers - 1}, this model has {layers} layers"
        if layers == 1:
            accepted = "nothing, this model has one layer"
        for flag, value in (("--drop-layers", self.drop_layers), ("--distil", self.distil)):
            if value and (layers == 1 or (value != AUTO and int(value) >= layers)):
                problems.append(f"{flag}: received {value}; accepted: {accepted}")
        dropped = self.drop_layers if isinstance(self.drop_layers, int) else 0
        kept = max(1, layers - dropped)
        most = kept * (heads_a_layer - 1)
        removed = self.heads_of(kept * heads_a_layer)
        if self.prune_heads and removed == 0:
            problems.append(
                f"--prune-heads: received {self.prune_heads}, which is no whole head of the "
                f"{kept * heads_a_layer} of {kept} layers; accepted: a larger share, or a number"
            )
        if not problems and removed > most:
            problems.append(
                f"--prune-heads: received {self.prune_heads}; accepted: up to {most} of the "
                f"{kept * heads_a_layer} heads of {kept} layers, because each layer keeps one"
            )
        if TASKS[task].makes_rows:
            problems += [
                f"{flag}: received {value} for a {task} model; accepted: leave it out, because "
                "what a layer or a head is worth is measured on tasks that read whole texts"
                for flag, value in (
                    ("--drop-layers", self.drop_layers == AUTO and AUTO),
                    ("--prune-heads", self.prune_heads),
                )
                if value
            ]
        if self.prune_heads and groups:
            problems.append(
                f"--prune-heads: received {self.prune_heads}; accepted: leave it out, because "
                "layers of this model share their weights, and with them their heads"
            )
        if (self.drop_layers or self.distil) and groups > 1:
            problems.append(
                "--drop-layers, --distil: accepted: leave them out, because in a smaller model "
                "other layers would share weights"
            )
        if self.temperature is not None and not TASKS[task].has_smoothed_targets:
            problems.append(
                f"--temperature: received {self.temperature:g} for a {task} model; accepted: leave "
                "it out, numbers are not softened"
            )
        if problems:
            raise UserError(problems)


def read_smaller(flags: Mapping[str, str | None], problems: list[str]) -> SmallerRequest | None:
    """Reads the flags in `FLAGS`; what is wrong with them is added to `problems`.

    Args:
        flags: Text of each flag, None where it was left out.
        problems: What was found so far.

    Returns:
        The request, or None if no flag asks for a smaller model or one is wrong.
    """
    given = {name: text for name, text in flags.items() if text is not None}
    before = len(problems)
    _check_combination(given, problems)
    values = {
        name.removeprefix("--").replace("-", "_"): _READERS[name](name, text, problems)
        for name, text in given.items()
    }
    if not given or len(problems) > before:
        return None
    return SmallerRequest(**values)  # type: ignore[arg-type]


def _check_combination(given: Mapping[str, str], problems: list[str]) -> None:
    making = [name for name in MAKING if name in given]
    for name in given:
        if not making:
            problems.append(f"{name}: received alone; accepted: with {', '.join(MAKING)}")
        elif name in _DISTILLING and "--distil" not in given:
            problems.append(f"{name}: received without --distil; accepted: with it")
    if "--distil" in making and len(making) > 1:
        problems.append(
            f"--distil: received with {' and '.join(making[:-1])}; accepted: by itself, because "
            "it says which layers stay, and trains the heads that pruning would remove"
        )


def _whole(least: int) -> Callable[[str, str, list[str]], int | None]:
    def read(name: str, text: str, problems: list[str]) -> int | None:
        if text.isascii() and text.isdecimal() and int(text) >= least:
            return int(text)
        problems.append(f"{name}: received {text!r}; accepted: a whole number from {least}")
        return None

    return read


def _number(low: float, high: float, *, is_open: bool) -> Callable[..., float | None]:
    def read(name: str, text: str, problems: list[str]) -> float | None:
        try:
            value = float(text)
        except ValueError:
            value = math.nan
        if low < value <= high or (value == low and not is_open):
            return value
        lower = f"over {low:g}" if is_open else f"from {low:g}"
        problems.append(f"{name}: received {text!r}; accepted: a number {lower} to {high:g}")
        return None

    return read


def _layers_to_drop(name: str, text: str, problems: list[str]) -> int | str | None:
    if text == AUTO or (text.isascii() and text.isdecimal() and int(text) > 0):
        return AUTO if text == AUTO else int(text)
    problems.append(f"{name}: received {text!r}; accepted: a whole number from 1, or auto")
    return None


def _heads_to_prune(name: str, text: str, problems: list[str]) -> int | float | None:
    if text.isascii() and text.isdecimal() and int(text) > 0:
        return int(text)
    try:
        share = float(text)
    except ValueError:
        share = math.nan
    if 0.0 < share < 1.0:
        return share
    problems.append(
        f"{name}: received {text!r}; accepted: a whole number from 1, or a share between 0 and 1"
    )
    return None


_READERS: Mapping[str, Callable[[str, str, list[str]], int | float | str | None]] = {
    "--drop-layers": _layers_to_drop,
    "--prune-heads": _heads_to_prune,
    "--distil": _whole(1),
    "--epochs": _whole(0),
    "--learning-rate": _number(0, 10, is_open=True),
    "--temperature": _number(0, 100, is_open=True),
    "--teacher-weight": _number(0, 1, is_open=False),
}
