"""One model trained by several processes, on one machine or on many."""

import re
from collections.abc import Iterator
from contextlib import contextmanager

import tensorflow as tf
from tensorflow.compiler.xla.tsl.protobuf import coordination_config_pb2
from tensorflow.python.eager import context

from tf_finetune.errors import UserError
from tf_finetune.machine.cluster import Cluster
from tf_finetune.training.rendezvous import meet

MEETING_SECONDS = 300.0  # for all processes to be there, after the data is read
SILENCE_SECONDS = 60.0  # without a sign of life after which a process counts as dead
STEP_SECONDS = 1800.0  # for a living process to come to where the others wait for it

_GONE = (
    tf.errors.UnavailableError,
    tf.errors.DeadlineExceededError,
    tf.errors.AbortedError,
    tf.errors.CancelledError,
)
_TASK = re.compile(r"/job:(\w+)/replica:0/task:(\d+)")


class LostWorkerError(UserError):
    """Another process of the cluster died, ended or cannot be reached any more."""


def connect(cluster: Cluster, job: str) -> tf.distribute.MultiWorkerMirroredStrategy:
    """Waits for all processes and makes the strategy; before anything else uses TensorFlow.

    Args:
        cluster: The processes.
        job: What has to be the same in all, such as a hash of the options.

    Raises:
        UserError: Not all came, or they do different jobs.
    """
    gpus = len(tf.config.list_physical_devices("GPU"))  # which does not start TensorFlow
    meet(cluster, f"{job} with {gpus} GPUs", MEETING_SECONDS)
    # TensorFlow's defaults notice a dead process after minutes, and a missing one after an hour.
    context.context().configure_coordination_service(
        service_type="standalone",
        service_leader=f"/job:{cluster.leader}/replica:0/task:0",
        cluster_register_timeout_in_ms=round(1000 * MEETING_SECONDS),
        heartbeat_timeout_in_ms=round(1000 * SILENCE_SECONDS),
        shutdown_barrier_timeout_in_ms=round(1000 * SILENCE_SECONDS),
        coordinated_jobs=[
            coordination_config_pb2.CoordinatedJob(name=name, num_tasks=len(addresses))
            for name, addresses in cluster.jobs.items()
        ],
    )
    options = tf.distribute.experimental.CommunicationOptions(timeout_seconds=STEP_SECONDS)
    with says_who_is_lost(cluster):
        return tf.distribute.MultiWorkerMirroredStrategy(communication_options=options)


@contextmanager
def says_who_is_lost(cluster: Cluster) -> Iterator[None]:
    """Turns what TensorFlow raises when another process is gone into a message for people.

    Args:
        cluster: The processes.

    Raises:
        LostWorkerError: Another process is gone.
    """
    try:
        yield
    except _GONE as error:
        raise LostWorkerError(
            f"training.strategy=multi_worker: {_lost(cluster, str(error.message))} (TensorFlow: "
            f"{' '.join(str(error.message).split())[:300]})",
            hint="Its own last lines say why. Start all processes again with the same command: the "
            "run goes on from its last checkpoint.",
        ) from error


def _lost(cluster: Cluster, message: str) -> str:
    """Who is gone, as far as TensorFlow's message tells; it may also name this process."""
    tasks = {(job, int(index)) for job, index in _TASK.findall(message)}
    others = sorted(tasks - {(cluster.job, cluster.index)})
    if len(others) != 1:
        return "another process has ended or cannot be reached any more"
    job, index = others[0]
    return f"{job} {index} ({cluster.jobs[job][index]}) has ended or cannot be reached any more"


def values_by_rank(strategy: tf.distribute.Strategy, cluster: Cluster, value: int) -> list[int]:
    """A number of each process, known to all of them when this returns."""

    @tf.function(autograph=False)
    def total(own: tf.Tensor) -> tf.Tensor:
        def reduce() -> tf.Tensor:
            replicas = tf.distribute.get_replica_context()
            first = replicas.replica_id_in_sync_group % local == 0
            return replicas.all_reduce("SUM", tf.where(first, own, tf.zeros_like(own)))

        return strategy.experimental_local_results(strategy.run(reduce))[0]

    local = strategy.num_replicas_in_sync // cluster.size
    own = [value if rank == cluster.rank else 0 for rank in range(cluster.size)]
    return [int(number) for number in total(tf.constant(own, tf.int64)).numpy()]
