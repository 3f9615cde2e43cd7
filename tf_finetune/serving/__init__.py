"""A server for one machine: texts in over HTTP, answers out; needs the extra `serve`."""

from tf_finetune.serving.access import check_binding, read_token
from tf_finetune.serving.app import build_app
from tf_finetune.serving.limits import Limits
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
