"""What each process of `test_multi_worker.py` does: trains twice, without and with kept states.

With three steps in a call.

Its arguments are those of `train`, but for the run folder: a folder that exists, in which every
process is given folders of its own.
"""

import functools
import json
import os
import sys

from tf_finetune.training import multi_worker, strategy
from trainers.cli import run_command
from trainers.train import main

# On a machine that is held up for a while, nobody is dead.
multi_worker.SILENCE_SECONDS = 600.0
# A process joins a cluster once; importing TensorFlow for every run would take long.
strategy.build_strategy = functools.cache(strategy.build_strategy)
rank = json.loads(os.environ["TF_CONFIG"])["task"]["index"]
folder, *arguments = sys.argv[1:]
for name, mode in (("plain", "off"), ("kept", "memory")):
    options = [
        f"cache.mode={mode}",
        "training.steps_per_execution=3",
        f"run.dir={folder}/{name}{rank}",
    ]
    code = run_command(main, [*arguments, "training.strategy=multi_worker", *options])
    if code:
        sys.exit(code)
