"""Executes the training steps beside this file on the device that JAX sees, and prints one table.

python run.py [--minutes 8] [--steps 20]

Needs jax and numpy alone. `results.json` is written beside it.
"""

import sys
from pathlib import Path

if __name__ == "__main__":
    folder = Path(__file__).resolve().parent
    sys.path.insert(0, str(folder))  # the rest is beside it, under the names it has at home
    from tf_finetune.preflight.device.run import main

    sys.exit(main(folder))
