"""Chooses the devices to train on."""

import os
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass

import tensorflow as tf

from tf_finetune.errors import UserError
from tf_finetune.machine.cluster import Cluster, read_cluster
from tf_finetune.training.multi_worker import connect, says_who_is_lost, values_by_rank


@dataclass(frozen=True)
class ChosenStrategy:
    """A distribution strategy and why it was chosen.

    Attributes:
        strategy: What variables are made under and steps run on.
        reason: One line for people.
        compiles: Whether XLA compiles every step, so that few static shapes are wanted.
        cluster: The processes that train together; None: this one alone.
    """

    strategy: tf.distribute.Strategy
    reason: str
    compiles: bool = False
    cluster: Cluster | None = None

    @property
    def replicas(self) -> int:
        """Number of replicas a global batch is split over."""
        return int(self.strategy.num_replicas_in_sync)

    @property
    def processes(self) -> int:
        """Number of processes that train together."""
        return 1 if self.cluster is None else self.cluster.size

    @property
    def writes(self) -> bool:
        """Whether this process writes the run directory; of several, the chief alone does."""
        return self.cluster is None or self.cluster.is_chief

    def by_process(self, value: int) -> list[int]:
        """A number of each process; all of them have to call this."""
        if self.cluster is None:
            return [value]
        return values_by_rank(self.strategy, self.cluster, value)

    def says_who_is_lost(self) -> AbstractContextManager[None]:
        """Inside it, the loss of another process is told as such."""
        return nullcontext() if self.cluster is None else says_who_is_lost(self.cluster)


def without_strategy(*, compiles: bool = False) -> ChosenStrategy:
    """No distribution strategy: a graph traced under one would be tied to its devices.

    Args:
        compiles: As of `ChosenStrategy`.
    """
    return ChosenStrategy(tf.distribute.get_strategy(), "not distributed", compiles)


def build_strategy(name: str, job: str = "") -> ChosenStrategy:
    """Builds the strategy that `training.strategy` names.

    Args:
        name: "auto" (TPU if there is one, else all GPUs, else the CPU), "cpu", "gpu" (the
            first GPU), "mirrored" (all GPUs; all logical CPUs where there is no GPU), "tpu", or
            "multi_worker" (the processes of TF_CONFIG, each with all its GPUs or its CPU).
        job: Of "multi_worker": what has to be the same in all processes.

    Raises:
        UserError: The devices or the other processes are not there, with what to check.
    """
    if name == "multi_worker":
        return _multi_worker(job)
    gpus = tf.config.list_logical_devices("GPU")
    if name == "tpu" or (name == "auto" and _tpu_is_announced()):
        return _tpu(required=name == "tpu")
    if name == "auto":
        if len(gpus) > 1:
            return ChosenStrategy(
                tf.distribute.MirroredStrategy(), f"auto: found {len(gpus)} GPUs, mirrored"
            )
        if gpus:
            return ChosenStrategy(tf.distribute.OneDeviceStrategy("/gpu:0"), "auto: found one GPU")
        return ChosenStrategy(
            tf.distribute.OneDeviceStrategy("/cpu:0"),
            f"auto: found neither TPU nor GPU, so the CPU ({os.cpu_count()} cores)",
        )
    if name == "cpu":
        return ChosenStrategy(tf.distribute.OneDeviceStrategy("/cpu:0"), "the CPU, as asked for")
    if name == "gpu":
        if not gpus:
            raise UserError("training.strategy=gpu: TensorFlow sees no GPU", hint=_GPU_HINT)
        return ChosenStrategy(tf.distribute.OneDeviceStrategy("/gpu:0"), "one GPU, as asked for")
    return _mirrored(len(gpus))


_GPU_HINT = (
    "Check that nvidia-smi lists it, that CUDA_VISIBLE_DEVICES is not empty, and that "
    "TensorFlow was installed with CUDA: pip install 'tensorflow[and-cuda]==2.20.*'. "
    "On Colab: Runtime > Change runtime type > GPU."
)
_TPU_HINT = (
    "Check that the machine has a TPU (on Colab: Runtime > Change runtime type > TPU), that "
    'TPU_NAME names it ("local", a Cloud TPU\'s name, or grpc://HOST:PORT), that it is ready, and '
    "that tensorflow-tpu is installed instead of tensorflow. A name is looked up at Google's "
    'metadata server and needs cloud-tpu-client; "local" and an address need neither.'
)
# What the look-up of a name, the connection and the start of a TPU raise: ValueError for an
# unknown name; RuntimeError without the API client or for a TPU that is not ready; OSError
# without a metadata server.
_UNREACHABLE = (ValueError, RuntimeError, OSError, tf.errors.OpError)


def _multi_worker(job: str) -> ChosenStrategy:
    cluster = read_cluster()
    # Before anything asks for devices: TensorFlow cannot be connected once it has started.
    strategy = connect(cluster, job)
    return ChosenStrategy(
        strategy,
        f"process {cluster.rank} ({cluster.job} {cluster.index}) of {cluster.size}, as TF_CONFIG "
        f"says, with {strategy.num_replicas_in_sync // cluster.size} device(s) each",
        cluster=cluster,
    )


def _mirrored(gpus: int) -> ChosenStrategy:
    kind = "GPU" if gpus else "CPU"
    devices = [device.name for device in tf.config.list_logical_devices(kind)]
    if len(devices) < 2:
        raise UserError(
            f"training.strategy=mirrored: needs at least two devices, found {devices}",
            hint=_GPU_HINT,
        )
    # Collectives over CPUs have no NCCL; copying through one device works on both.
    across = (
        tf.distribute.HierarchicalCopyAllReduce() if gpus else tf.distribute.ReductionToOneDevice()
    )
    return ChosenStrategy(
        tf.distribute.MirroredStrategy(devices, cross_device_ops=across),
        f"mirrored over {len(devices)} {kind} devices, as asked for",
    )


def _tpu_is_announced() -> bool:
    return any(os.environ.get(name) for name in ("TPU_NAME", "COLAB_TPU_ADDR")) or bool(
        tf.config.list_physical_devices("TPU")
    )


def _tpu(*, required: bool) -> ChosenStrategy:
    address = _tpu_address()
    try:
        resolver = tf.distribute.cluster_resolver.TPUClusterResolver(address)
        tf.config.experimental_connect_to_cluster(resolver)
        tf.tpu.experimental.initialize_tpu_system(resolver)
    except _UNREACHABLE as error:
        how = "training.strategy=tpu" if required else "auto found a TPU announced, but"
        raise UserError(f"{how}: no TPU could be reached: {error}", hint=_TPU_HINT) from None
    strategy = tf.distribute.TPUStrategy(resolver)
    return ChosenStrategy(
        strategy, f"TPU with {strategy.num_replicas_in_sync} cores", compiles=True
    )


def _tpu_address() -> str:
    """What TensorFlow calls the TPU; empty: it is to look for one."""
    if name := os.environ.get("TPU_NAME"):
        return name
    if address := os.environ.get("COLAB_TPU_ADDR"):  # HOST:PORT
        return address if "://" in address else f"grpc://{address}"
    return "local" if _has_tpu_device() else ""


def _has_tpu_device() -> bool:
    return bool(tf.config.list_physical_devices("TPU"))
