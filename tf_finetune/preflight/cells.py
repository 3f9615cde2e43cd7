"""Asks the compiler about every depth, batch size and chip, each at most once."""

import hashlib
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import tf_finetune
from tf_finetune.config.experiment import ExperimentConfig
from tf_finetune.data.batches import Padding, resolve_padding
from tf_finetune.encoders.locating import EncoderFiles
from tf_finetune.machine.environment import installed_version
from tf_finetune.models.spec import Spec, spec_of
from tf_finetune.options.marks import Mark
from tf_finetune.plans.solver import resolve_solver
from tf_finetune.preflight.answers import Answer, AnswerCache
from tf_finetune.preflight.chips import Chip
from tf_finetune.preflight.environment import REQUIREMENTS, Compiler
from tf_finetune.preflight.program import NoAnswerError, Program, portable_program
from tf_finetune.preflight.step_shapes import StepShape, step_shape
from tf_finetune.tasks.labels import LabelSpace

if TYPE_CHECKING:
    from tf_finetune.preflight.lowering import LoweredStep

# What a device does of a training.
Runs = Literal["step", "pass"]
_OP_NAME = re.compile(r'op_name="([^"]+)"')
_INSTRUCTION = re.compile(r"%([\w.-]+)")


@dataclass(frozen=True)
class Job:
    """What the steps of all cells have in common.

    Attributes:
        files: The encoder; only its config.json is read.
        config: Sections `freeze`, `training` and `encoder` are used.
        labels: What the outputs mean.
        length: Tokens of the longest text, and of a row.
        mean_tokens: Mean tokens of a text; of use where `padding` is packed.
        devices: Devices that a batch is split over.
    """

    files: EncoderFiles
    config: ExperimentConfig
    labels: LabelSpace
    length: int
    mean_tokens: int
    devices: int = 1

    @property
    def padding(self) -> Padding:
        """How a TPU's batches are padded."""
        packs = not self.labels.joins_reads
        return resolve_padding(self.config.training.padding, compiles=True, packs=packs)

    def shape(self, batch_size: int, runs: Runs = "step") -> StepShape:
        """What a device is given of a batch; a pass that fills the cache packs no texts."""
        pieces = self.devices * self.config.training.accumulation_steps
        padding = self.padding if runs == "step" else "max"
        return step_shape(batch_size, pieces, self.devices, self.length, padding, self.mean_tokens)

    def at_depth(self, depth: int) -> Spec:
        """The model frozen to a depth, by the same rules."""
        freeze = self.config.freeze.model_copy(update={"depth": depth})
        return spec_of(self.config, self.files, self.labels, freeze=freeze)


@dataclass(frozen=True)
class ChipCell:
    """One step on one chip.

    Attributes:
        chip: The chip.
        depth: Frozen depth.
        batch_size: Examples a step over all devices.
        answer: What the compiler said.
        remembered: Whether the answer came from the cache.
        runs: Whether steps train, or the head is solved exactly and a pass fills the cache.
    """

    chip: Chip
    depth: int
    batch_size: int
    answer: Answer
    remembered: bool = False
    runs: Runs = "step"

    @property
    def depth_text(self) -> str:
        """The depth, and what is run there if it is no step."""
        return f"{self.depth}, pass" if self.runs == "pass" else str(self.depth)


def answer_cells(
    job: Job,
    chips: Sequence[Chip],
    depths: Sequence[int],
    batch_sizes: Sequence[int],
    *,
    cache: AnswerCache,
    compiler: Callable[[], Compiler],
) -> Iterator[ChipCell]:
    """Cells by chip-independent step: every chip is asked about a step before the next is lowered.

    Args:
        job: What is trained.
        chips: The chips.
        depths: Frozen depths.
        batch_sizes: Examples a step over all devices; multiples of `job.devices`.
        cache: Earlier answers; TensorFlow is not loaded for what it holds.
        compiler: Finds the compiler, when one is needed.

    Yields:
        Also cells without an answer, which say why: others are answered nevertheless.

    Raises:
        UserError: No compiler is there.
    """
    versions = installed_versions()
    for depth in depths:
        steps = _StepsOfADepth(job, depth)
        for batch_size in batch_sizes:
            shape = job.shape(batch_size, steps.runs)
            for chip in chips:
                asked = question(steps.spec, shape, chip, steps.runs) | {"versions": versions}
                found = cache.find(asked)
                if found is not None:
                    yield ChipCell(chip, depth, batch_size, found, remembered=True, runs=steps.runs)
                    continue
                installed = compiler()
                try:
                    step, program = steps.lowered(shape, installed)
                    answer = cache.ask(asked, program, chip, installed)
                except NoAnswerError as error:
                    answer = Answer(False, devices=0, seconds=0.0, memory={}, error=str(error))
                else:
                    if answer.failed:
                        reason = describe_error(str(answer.error), step)
                        refused = f"the compiler for {chip.name} refuses the training step: "
                        answer = replace(answer, error=refused + reason)
                yield ChipCell(chip, depth, batch_size, answer, runs=steps.runs)


def devices_of_chip(cells: Sequence[ChipCell]) -> int:
    """Devices that a chip is, as any answer about it says; 1 if there is none."""
    return max(cell.answer.devices for cell in cells) or 1


class _StepsOfADepth:
    """Builds the model of a depth once, and only if a step has to be lowered."""

    def __init__(self, job: Job, depth: int):
        self.spec = job.at_depth(depth)
        self.runs = runs_of(self.spec)
        self._last: tuple[StepShape, LoweredStep, Program] | None = None

    @cached_property
    def _model(self) -> Any:
        from tf_finetune.preflight.lowering import build_step_model

        return build_step_model(self.spec)

    def lowered(self, shape: StepShape, compiler: Compiler) -> "tuple[LoweredStep, Program]":
        """A step and its program, the same for every chip."""
        from tf_finetune.preflight.lowering import lower_pass, lower_step

        if self._last is None or self._last[0] != shape:
            lower = lower_pass if self.runs == "pass" else lower_step
            step = lower(self._model, self.spec.labels, shape)
            self._last = shape, step, portable_program(step.module, compiler)
        return self._last[1:]


def runs_of(spec: Spec) -> Runs:
    """What of a training a device does.

    Raises:
        UserError: `training.solver` does not go with the plan.
    """
    solved = resolve_solver(spec.config, spec.plan).config.training.solver == "exact"
    return "pass" if solved else "step"


def question(spec: Spec, shape: StepShape, chip: Chip, runs: Runs) -> dict[str, Any]:
    """All that the answer depends on, but for installed versions."""
    return {
        "runs": runs,
        "encoder": spec.files.config,
        "pooling": spec.files.pooling,
        "dropout": spec.config.encoder.dropout,
        "plan": spec.plan.to_dict(),
        "task": spec.labels.task,
        "num_labels": spec.labels.num_logits,
        "training": spec.config.training.marked(Mark.STEP),
        "shape": asdict(shape),
        "topology": chip.topology,
    }


def installed_versions() -> dict[str, str | None]:
    """Versions of what makes and compiles a step, our own code by its digest."""
    digest = hashlib.sha256()
    package = Path(tf_finetune.__file__).parent
    for path in sorted(package.rglob("*.py")):
        digest.update(path.read_bytes())
    names = ("tensorflow", "tf-keras", "transformers")
    return {
        **{name: installed_version(name) for name in names},
        "compiler": " ".join(REQUIREMENTS),
        "tf_finetune": digest.hexdigest(),
    }


def describe_error(message: str, step: "LoweredStep") -> str:
    """A compiler's message with the operation it is about, its layer and its source line."""
    name = _operation_in(message, step.hlo)
    made = None if name is None else step.source_of(name)
    where = f"{name}{f', made in {made}' if made else ''}: " if name else ""
    return where + message.strip()


def _operation_in(message: str, hlo: str) -> str | None:
    """Name of the TensorFlow operation behind an instruction that a message mentions."""
    if match := _OP_NAME.search(message):
        return match[1]
    mentioned = set(_INSTRUCTION.findall(message))
    words = set(re.findall(r"[\w.-]+", message))
    for line in hlo.splitlines():
        instruction = _INSTRUCTION.search(line)
        target = re.search(r'custom_call_target="([^"]+)"', line)
        named = instruction is not None and instruction[1] in mentioned
        if (named or (target and target[1] in words)) and (match := _OP_NAME.search(line)):
            return match[1]
    return None
