"""From what the compiler counted to times and batch sizes. Estimates, every one of them."""

from collections.abc import Sequence
from dataclasses import dataclass

from tf_finetune.preflight.answers import Answer
from tf_finetune.preflight.chips import Chip

ASSUMPTIONS = (
    "roofline: a step takes the longer of FLOPs / peak bfloat16 rate and bytes / memory bandwidth "
    "of the data sheet, both fully used; a real step is slower",
    "float32 products count at the bfloat16 rate, which is how a TPU computes them by default",
    "bytes are the compiler's count over all operations; what stays on the chip is in it too",
    "one device's program; gradient exchange between devices, input, checkpoints, compilation "
    "and scoring are left out, and no prefix cache is read",
)
# Where a head is solved exactly.
ASSUMPTION_OF_A_PASS = (
    "a head that trains alone is solved exactly: its job is one pass over the texts, which fills "
    "the cache, and no step; solving it on the host, which takes a second or so, is left out"
)
_MULTIPLE = 8  # rows of a tile


@dataclass(frozen=True)
class StepEstimate:
    """Roofline (Williams, Waterman & Patterson 2009) of one step.

    Attributes:
        compute_seconds: FLOPs at the peak rate.
        traffic_seconds: Bytes accessed at the memory's bandwidth.
    """

    compute_seconds: float
    traffic_seconds: float

    @property
    def seconds(self) -> float:
        """The longer of both."""
        return max(self.compute_seconds, self.traffic_seconds)

    @property
    def bound(self) -> str:
        """What it waits for."""
        return "compute" if self.compute_seconds >= self.traffic_seconds else "memory"

    def job_seconds(self, examples: int, batch_size: int, epochs: int) -> float:
        """All steps of a job, one after the other."""
        return self.seconds * epochs * -(-examples // batch_size)


def device_limit(chip: Chip, devices: int) -> float:
    """Bytes of memory that one of a chip's devices has."""
    return chip.hbm_bytes / devices


def estimate_step(answer: Answer, chip: Chip) -> StepEstimate:
    """Roofline of a compiled step on one device of a chip."""
    return StepEstimate(
        answer.flops / (chip.peak_flops / answer.devices),
        answer.bytes_accessed / (chip.hbm_bandwidth / answer.devices),
    )


def largest_batch(points: Sequence[tuple[int, float]], limit: float) -> int | None:
    """Most rows that fit, by a straight line through the smallest and largest measured batch.

    Args:
        points: Rows and bytes of steps that compiled.
        limit: Bytes of a device.

    Returns:
        A multiple of 8 rows, or None where one point, or memory that does not grow, says nothing.
    """
    ordered = sorted(set(points))
    if len(ordered) < 2:
        return None
    (fewer, small), (more, large) = ordered[0], ordered[-1]
    slope = (large - small) / (more - fewer)
    if slope <= 0:
        return None
    rows = int(fewer + (limit - small) / slope)
    return max(rows // _MULTIPLE * _MULTIPLE, 0)
