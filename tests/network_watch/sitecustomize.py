"""Python imports this by itself as it starts, where this folder is on PYTHONPATH."""

import os

if "TF_FINETUNE_TESTS_NETWORK" in os.environ:
    import network_watch

    network_watch.watch(network_watch.write_to(os.environ[network_watch.VARIABLE]))
