"""Python imports this by itself as it starts, where this folder is on PYTHONPATH."""

import os

if "TF_FINETUNE_TESTS_NETWORK" in os.environ:
    import network_watch

    # Looked up when there is something to note: a process that is forked may have another file.
    network_watch.watch(
        lambda line: network_watch.write_to(os.environ[network_watch.VARIABLE])(line)
    )
