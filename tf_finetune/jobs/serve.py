"""Serves a trained model over HTTP on this machine."""

from collections.abc import Callable
from importlib.util import find_spec

from tf_finetune.config.experiment import ExperimentConfig
from tf_finetune.errors import UserError
from tf_finetune.runs.opening import open_model
from tf_finetune.serving.access import check_binding
from tf_finetune.serving.limits import Limits
from tf_finetune.tasks.table import check_able

_EXTRA = ("fastapi", "uvicorn", "prometheus_client")


def serve(
    path: str,
    host: str,
    port: int,
    token: str | None,
    limits: Limits,
    on_ready: Callable[[int], None],
    *,
    configure: Callable[[ExperimentConfig], ExperimentConfig] = lambda config: config,
    log_texts: bool = False,
) -> None:
    """Answers requests until SIGTERM or SIGINT, then finishes those it has accepted.

    Args:
        path: Folder of the run.
        host: Where to listen.
        port: Where to listen, 0 to 65535; 0 takes a free one.
        token: What clients have to send; None: nothing, which is for this machine alone.
        limits: What requests may take.
        on_ready: Told the port, before the first request is answered.
        configure: Applies options to the configuration of the run.
        log_texts: Whether texts may stand in the log.

    Raises:
        UserError: The server's packages are not installed, there is no such run or it is
            damaged, all of which is told before TensorFlow is imported; or the address is taken.
    """
    check_binding(host, token)
    _check_extra()
    check_able(open_model(path, configure).labels.task, "serve")

    from tf_finetune.serving.app import build_app
    from tf_finetune.serving.loading import load_served_model
    from tf_finetune.serving.running import run_server
    from tf_finetune.serving.service import Service

    service = Service(lambda: load_served_model(path, configure), limits, log_texts=log_texts)
    run_server(build_app(service, token), service, host, port, on_ready)


def _check_extra() -> None:
    missing = [name for name in _EXTRA if find_spec(name) is None]
    if missing:
        raise UserError(
            [f"{name} is not installed" for name in missing],
            hint="pip install 'tf-finetune[serve]'",
        )
