"""In which precisions a device can compute, and where that is known without timing a step."""

from typing import Any

import tensorflow as tf

from tf_finetune.errors import UserError
from tf_finetune.machine.instruction_sets import (
    instruction_sets,
    lacks_bfloat16,
    widest_vectors,
)
from tf_finetune.plans.precision import ChosenPrecision
from tf_finetune.training.strategy import ChosenStrategy

# NVIDIA's from Ampere on multiply bfloat16.
_BFLOAT16_GPU = (8, 0)


def check_precision(precision: str, chosen: ChosenStrategy) -> None:
    """Refuses a precision that the devices cannot compute in.

    Args:
        precision: `training.precision`.
        chosen: The devices.

    Raises:
        UserError: A TPU is to compute in float16, or a GPU in bfloat16 that it has not.
    """
    if precision == "mixed_float16" and chosen.compiles:
        raise UserError(
            "training.precision: received mixed_float16, which a TPU does not compute in; "
            "accepted: float32, mixed_bfloat16, auto"
        )
    old = _gpu_without_bfloat16(chosen)
    if precision == "mixed_bfloat16" and old is not None:
        raise UserError(
            f"training.precision: received mixed_bfloat16, which {old} does not compute in; "
            "accepted: float32, mixed_float16, auto"
        )


def known_precision(chosen: ChosenStrategy) -> ChosenPrecision | None:
    """What suits the devices without timing anything; None: they have to be timed."""
    if chosen.compiles:
        return ChosenPrecision(
            "mixed_bfloat16",
            "a TPU rounds the inputs of products to bfloat16 anyway; no step was timed",
        )
    old = _gpu_without_bfloat16(chosen)
    if old is not None:
        return ChosenPrecision("float32", f"{old} does not compute in bfloat16; none was timed")
    sets = instruction_sets()
    if on_cpu(chosen) and lacks_bfloat16(sets):
        return ChosenPrecision(
            "float32",
            f"this CPU ({widest_vectors(sets)}) multiplies bfloat16 no faster than float32; no "
            "step was timed",
        )
    return None


def on_cpu(chosen: ChosenStrategy) -> bool:
    """Whether all steps run on CPUs."""
    return all("CPU" in device.upper() for device in chosen.strategy.extended.worker_devices)


def device_name(chosen: ChosenStrategy) -> str:
    """The kind of device for people, such as "this CPU (AVX2)"."""
    if on_cpu(chosen):
        return f"this CPU ({widest_vectors(instruction_sets())})"
    names = {_details(gpu).get("device_name", "GPU") for gpu in _gpus()}
    return " and ".join(sorted(names)) or "this device"


def _gpu_without_bfloat16(chosen: ChosenStrategy) -> str | None:
    """A GPU that steps run on and that is too old; None: there is none."""
    for gpu in () if on_cpu(chosen) else _gpus():
        details = _details(gpu)
        capability = details.get("compute_capability")
        if capability is not None and capability < _BFLOAT16_GPU:
            version = ".".join(map(str, capability))
            return f"{details.get('device_name', 'the GPU')} (compute capability {version})"
    return None


def _gpus() -> list[tf.config.PhysicalDevice]:
    return list(tf.config.list_physical_devices("GPU"))


def _details(gpu: tf.config.PhysicalDevice) -> dict[str, Any]:
    return dict(tf.config.experimental.get_device_details(gpu))
