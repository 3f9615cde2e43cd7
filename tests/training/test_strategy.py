"""Devices that are not there are told with what to check."""

from urllib.error import URLError

import pytest
import tensorflow as tf

from tf_finetune.errors import UserError
from tf_finetune.training.strategy import build_strategy


@pytest.fixture
def devices(monkeypatch):
    """Pretends that these logical devices are there."""

    def pretend(**counts):
        def listed(kind):
            return [
                tf.config.LogicalDevice(f"/device:{kind}:{i}", kind)
                for i in range(counts.get(kind, 0))
            ]

        monkeypatch.setattr(tf.config, "list_logical_devices", listed)

    return pretend


@pytest.fixture(autouse=True)
def no_tpu(monkeypatch):
    for name in ("TPU_NAME", "COLAB_TPU_ADDR"):
        monkeypatch.delenv(name, raising=False)


def test_automatic_choice_without_accelerator_is_the_cpu(devices):
    devices(CPU=2)
    chosen = build_strategy("auto")

    assert (chosen.replicas, chosen.compiles) == (1, False)
    assert "found neither TPU nor GPU, so the CPU" in chosen.reason


def test_mirrored_takes_all_cpus_where_there_is_no_gpu():
    chosen = build_strategy("mirrored")

    assert chosen.replicas == 2
    assert chosen.reason == "mirrored over 2 CPU devices, as asked for"


def test_missing_gpu_is_told_with_what_to_check(devices):
    devices(CPU=1)

    with pytest.raises(UserError, match="strategy=gpu: TensorFlow sees no GPU") as caught:
        build_strategy("gpu")
    assert "nvidia-smi" in caught.value.hint


def test_mirrored_needs_two_devices(devices):
    devices(CPU=1)

    with pytest.raises(UserError, match="needs at least two devices, found"):
        build_strategy("mirrored")


@pytest.mark.parametrize(
    ("name", "how"), [("tpu", "training.strategy=tpu"), ("auto", "auto found")]
)
@pytest.mark.parametrize(
    "error",
    [
        ValueError("far-away"),  # no such name
        RuntimeError("far-away"),  # no API client, or not ready
        URLError("far-away"),  # no metadata server
        TimeoutError("far-away"),
        tf.errors.UnavailableError(None, None, "far-away"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_unreachable_tpu_is_told_with_what_to_check(monkeypatch, error, name, how):
    def refuse(_name):
        raise error

    monkeypatch.setenv("TPU_NAME", "far-away")
    monkeypatch.setattr(tf.distribute.cluster_resolver, "TPUClusterResolver", refuse)

    with pytest.raises(UserError, match=f"{how}.*no TPU could be reached: .*far-away") as caught:
        build_strategy(name)
    assert "TPU_NAME" in caught.value.hint


@pytest.mark.parametrize(
    ("environment", "address"),
    [
        ({"TPU_NAME": "node-1", "COLAB_TPU_ADDR": "192.0.2.1:8470"}, "node-1"),
        ({"COLAB_TPU_ADDR": "192.0.2.1:8470"}, "grpc://192.0.2.1:8470"),
        ({"COLAB_TPU_ADDR": "grpc://192.0.2.1:8470"}, "grpc://192.0.2.1:8470"),
    ],
)
def test_tpu_is_looked_for_where_it_is_announced(monkeypatch, environment, address):
    def refuse(name):
        raise ValueError(f"asked for {name}")

    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(tf.distribute.cluster_resolver, "TPUClusterResolver", refuse)

    with pytest.raises(UserError, match=f"asked for {address}\n"):
        build_strategy("auto")
