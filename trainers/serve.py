"""Serves a trained model over HTTP on this machine.

Example:
    python -m trainers.serve runs/reviews-depth4
    curl -H 'Content-Type: application/json' -d '{"texts": ["a fine film"]}' localhost:8000/predict
"""

import argparse
import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import fields
from functools import partial

from tf_finetune.errors import UserError
from trainers.arguments import parse_arguments, whole_number
from trainers.cli import run_command
from trainers.trained_run import with_options


def main(argv: Sequence[str]) -> int:
    """Answers requests until it is told to end; returns the exit code."""
    arguments = parse_arguments("serve", argv)
    port = whole_number("--port", arguments.port)
    if port > 65_535:
        raise UserError(f"--port: received {port}; accepted: 0 to 65535, 0 for a free one")

    from tf_finetune.jobs.serve import serve
    from tf_finetune.serving.access import read_token
    from tf_finetune.serving.limits import Limits

    token = read_token(arguments.token_file)
    limits = Limits(**_limits(arguments, {field.name for field in fields(Limits)}))

    def ready(taken: int) -> None:
        host = f"[{arguments.host}]" if ":" in arguments.host else arguments.host
        print(f"serving {arguments.run} on http://{host}:{taken} (API page: /docs)", flush=True)

    with _logged_to_stderr():
        serve(
            arguments.run,
            arguments.host,
            port,
            token,
            limits,
            ready,
            configure=partial(with_options, arguments),
            log_texts=arguments.log_texts,
        )
    return 0


@contextmanager
def _logged_to_stderr() -> Iterator[None]:
    """Shows the server's own log, a line a request, whatever else is set up to log."""
    handler = logging.StreamHandler()
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
    loggers = [logging.getLogger(name) for name in ("tf_finetune.serving", "uvicorn")]
    before = [(logger.level, logger.propagate) for logger in loggers]
    for logger in loggers:
        logger.addHandler(handler)
        logger.setLevel(logging.INFO)
        logger.propagate = False
    try:
        yield
    finally:
        for logger, (level, propagate) in zip(loggers, before, strict=True):
            logger.removeHandler(handler)
            logger.setLevel(level)
            logger.propagate = propagate


def _limits(arguments: argparse.Namespace, names: set[str]) -> dict[str, int]:
    """The limits that flags set."""
    return {
        name: whole_number(f"--{name.replace('_', '-')}", value)
        for name, value in vars(arguments).items()
        if name in names and value is not None
    }


if __name__ == "__main__":
    raise SystemExit(run_command(main))
