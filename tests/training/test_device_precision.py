"""A precision that the devices lack is refused, and where it is known none is timed."""

from types import SimpleNamespace

import pytest
import tensorflow as tf

from tf_finetune.errors import UserError
from tf_finetune.training import device_precision
from tf_finetune.training.device_precision import check_precision, device_name, known_precision


def on(*devices, compiles=False):
    """Devices as far as a precision depends on them."""
    extended = SimpleNamespace(worker_devices=devices)
    return SimpleNamespace(strategy=SimpleNamespace(extended=extended), compiles=compiles)


CPU, GPU = on("/device:CPU:0"), on("/device:GPU:0")
TPU = on("/device:TPU:0", compiles=True)


@pytest.fixture
def gpu(monkeypatch):
    """Plant a GPU of some compute capability."""

    def plant(*capability):
        details = {"device_name": "GPU X", "compute_capability": capability}
        monkeypatch.setattr(tf.config, "list_physical_devices", lambda kind: ["one"])
        monkeypatch.setattr(tf.config.experimental, "get_device_details", lambda gpu: details)

    return plant


@pytest.fixture
def cpu(monkeypatch):
    """Plant the instruction sets of the CPU."""
    return lambda *sets: monkeypatch.setattr(
        device_precision, "instruction_sets", lambda: frozenset(sets)
    )


def test_a_tpu_takes_bfloat16_and_refuses_float16():
    assert known_precision(TPU).precision == "mixed_bfloat16"
    check_precision("mixed_bfloat16", TPU)
    with pytest.raises(UserError, match="received mixed_float16, which a TPU does not compute in"):
        check_precision("mixed_float16", TPU)


def test_a_gpu_without_bfloat16_refuses_it_and_takes_float32(gpu):
    gpu(7, 5)

    assert known_precision(GPU).line == (
        "precision: float32, because GPU X (compute capability 7.5) does not compute in bfloat16; "
        "none was timed"
    )
    check_precision("mixed_float16", GPU)
    with pytest.raises(UserError, match=r"GPU X \(compute capability 7\.5\) does not compute in"):
        check_precision("mixed_bfloat16", GPU)
    check_precision("mixed_bfloat16", CPU)  # the CPU beside it


def test_another_gpu_is_timed(gpu):
    gpu(8, 0)

    check_precision("mixed_bfloat16", GPU)
    assert known_precision(GPU) is None
    assert device_name(GPU) == "GPU X"


def test_a_cpu_is_timed_unless_nothing_in_it_is_for_bfloat16(cpu):
    cpu("avx2")
    assert known_precision(CPU).line == (
        "precision: float32, because this CPU (AVX2) multiplies bfloat16 no faster than float32; "
        "no step was timed"
    )
    for sets in (("avx2", "avx512f"), ()):
        cpu(*sets)
        assert known_precision(CPU) is None
    assert device_name(CPU) == "this CPU (instruction sets unknown)"
