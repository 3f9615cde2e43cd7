"""What each process of `test_multi_worker.py` does: trains, and the chief may die in a step.

Its arguments are those of `train`, after the number of steps, of training or scoring, before
which the chief dies; 0: it does not. `{rank}` in an argument is the number of the process.
"""

import json
import os
import signal
import sys
from itertools import count

from tf_finetune.training import fine_tuner, multi_worker
from trainers.cli import run_command
from trainers.train import main

# On a machine that is held up for a while, nobody is dead.
multi_worker.SILENCE_SECONDS = 600.0
rank = json.loads(os.environ["TF_CONFIG"])["task"]["index"]
last, *arguments = [word.replace("{rank}", str(rank)) for word in sys.argv[1:]]
steps, before_a_step = count(1), fine_tuner._asked_to_stop


def dies_in_time():
    if next(steps) == int(last) and rank == 0:
        os.kill(os.getpid(), signal.SIGKILL)
    return before_a_step()


fine_tuner._asked_to_stop = dies_in_time
sys.exit(run_command(main, [*arguments, "training.strategy=multi_worker"]))
