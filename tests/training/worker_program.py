"""What `test_multi_worker.py` has two processes do, forked from one that has imported TensorFlow.

    python -m tests.training.worker_program FOLDER ARGUMENT...

The arguments are those of `train`, but for the run folder. One after the other, two processes

- train twice, without and with kept states and with three steps in a call, each into folders of
  its own: `plain0` of the chief, `kept1` of the other;
- train into `killed` until the chief kills itself in the fifth step of the second epoch;
- go on there to the end.

Exit codes go to `codes.json`, what a process prints to `STAGE-RANK.log`.
"""

import functools
import itertools
import json
import os
import signal
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from tools.loopback.processes import loopback_configurations
from tools.reliability.forked import Forked, import_everything

STAGES = ("twice", "killed", "going-on")
# An epoch of the test's job is 7 steps and 3 of scoring.
LAST_STEP = 7 + 3 + 5


def main(folder: Path, arguments: Sequence[str]) -> None:
    """Runs all stages."""
    import_everything()
    from tf_finetune.training import multi_worker

    # On a machine that is held up for a while, nobody is dead.
    multi_worker.SILENCE_SECONDS = 600.0
    shared = [*arguments, "training.strategy=multi_worker"]
    into_one = [
        *(*shared, "cache.mode=off", "training.checkpoint_seconds=0"),
        f"run.dir={folder / 'killed'}",
    ]
    codes = {
        "twice": _in_two(functools.partial(_train_twice, folder), shared, folder / "twice"),
        "killed": _in_two(_train, into_one, folder / "killed", _chief_dies),
        "going-on": _in_two(_train, into_one, folder / "going-on"),
    }
    (folder / "codes.json").write_text(json.dumps(codes))


def _in_two(
    command: Callable[[Sequence[str]], int],
    arguments: Sequence[str],
    log: Path,
    before: Callable[[int], object] = lambda rank: None,
) -> list[int | None]:
    """Exit code of each process, minus the signal that ended it."""

    def become(rank: int, configuration: str) -> None:
        os.environ["TF_CONFIG"] = configuration
        before(rank)

    processes = [
        Forked(
            command,
            arguments,
            log.with_name(f"{log.name}-{rank}.log"),
            functools.partial(become, rank, configuration),
        )
        for rank, configuration in enumerate(loopback_configurations(2))
    ]
    return [process.wait(200) for process in processes]


def _train(arguments: Sequence[str]) -> int:
    from trainers import train

    return train.main(arguments)


def _train_twice(folder: Path, arguments: Sequence[str]) -> int:
    from tf_finetune.training import strategy

    # A process joins a cluster once.
    strategy.build_strategy = functools.cache(strategy.build_strategy)
    rank = json.loads(os.environ["TF_CONFIG"])["task"]["index"]
    for name, mode in (("plain", "off"), ("kept", "memory")):
        options = ["training.steps_per_execution=3", f"run.dir={folder}/{name}{rank}"]
        code = _train([*arguments, f"cache.mode={mode}", *options])
        if code:
            return code
    return 0


def _chief_dies(rank: int) -> None:
    """Makes the chief kill itself before a step, of training or scoring."""
    from tf_finetune.training import fine_tuner

    steps, before_a_step = itertools.count(1), fine_tuner._asked_to_stop

    def dies_in_time() -> bool:
        if next(steps) == LAST_STEP and rank == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return before_a_step()

    fine_tuner._asked_to_stop = dies_in_time


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
