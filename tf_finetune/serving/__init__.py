"""A server for one machine: texts in over HTTP, answers out; needs the extra `serve`.

What loads TensorFlow or that extra is loaded at first use, so that wrong flags are told at once.
"""

from typing import TYPE_CHECKING

from tf_finetune.lazy_names import lazy_names
from tf_finetune.serving.access import check_binding, read_token
from tf_finetune.serving.limits import Limits

if TYPE_CHECKING:
    from tf_finetune.serving.app import build_app
    from tf_finetune.serving.loading import ServedModel, load_served_model
    from tf_finetune.serving.running import run_server
    from tf_finetune.serving.service import Service

__all__ = [
    "Limits",
    "ServedModel",
    "Service",
    "build_app",
    "check_binding",
    "load_served_model",
    "read_token",
    "run_server",
]

__getattr__ = lazy_names(
    __name__,
    {
        "app": ["build_app"],
        "loading": ["ServedModel", "load_served_model"],
        "running": ["run_server"],
        "service": ["Service"],
    },
)
