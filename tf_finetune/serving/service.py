"""The state of a server: its model, what waits for it, and what is known of its answers."""

import asyncio
import logging
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from tf_finetune.errors import UserError
from tf_finetune.runs.outputs import Outputs
from tf_finetune.serving.batching import MicroBatcher
from tf_finetune.serving.drift import DriftWatch
from tf_finetune.serving.limits import Limits
from tf_finetune.serving.loading import ServedModel, check_same_use
from tf_finetune.serving.metrics import ServerMetrics
from tf_finetune.serving.redaction import redact
from tf_finetune.serving.reference import (
    LABEL,
    LENGTH,
    reference_of,
    text_length,
)
from tf_finetune.sources.records import Record
from tf_finetune.storage.files import json_line
from tf_finetune.tasks.labels import CONFIDENCE

_log = logging.getLogger("tf_finetune.serving")


class _Served(NamedTuple):
    """A model and the distance of its texts from its training; both change together."""

    model: ServedModel
    watch: DriftWatch


class _Scored(NamedTuple):
    """Outputs of one text, and what gave them."""

    outputs: Outputs
    by: _Served


class Service:
    """Answers texts with a model that can be replaced while it works.

    Args:
        load: Loads the model, now and at every reload.
        limits: Limits of the server.
        log_texts: Whether texts are logged, with what tells a person taken out.

    Attributes:
        metrics: What Prometheus can read.
        ending: Whether the server takes no new connections any more.
    """

    def __init__(self, load: Callable[[], ServedModel], limits: Limits, *, log_texts: bool = False):
        self.limits = limits
        self.metrics = ServerMetrics()
        self.ending = False
        self._load = load
        self._log_texts = log_texts
        self._reloading: asyncio.Lock | None = None
        self._batcher: MicroBatcher[_Scored] | None = None
        self._served = _prepared(load())
        self._tell()

    @property
    def model(self) -> ServedModel:
        """The model that answers the next texts."""
        return self._served.model

    @property
    def watch(self) -> DriftWatch:
        """Distance of its last texts from training."""
        return self._served.watch

    def start(self) -> None:
        """Begins to answer; needs a running event loop."""
        self._reloading = asyncio.Lock()
        self._batcher = MicroBatcher(
            self._score,
            max_batch=self.limits.max_batch,
            max_waiting=self.limits.max_waiting,
            on_batch=self.metrics.batch_texts.observe,
        )
        self._batcher.start()
        batcher = self._batcher
        self.metrics.waiting.set_function(lambda: batcher.waiting_texts)

    async def stop(self) -> None:
        """Answers what was accepted, then stops."""
        if self._batcher is not None:
            await self._batcher.close()

    async def answer(self, records: Sequence[Record], top_k: int | None) -> dict[str, Any]:
        """Answers the texts of a request.

        Raises:
            OverloadedError: Too many texts wait already.
        """
        assert self._batcher is not None, "start() comes first"
        scored = await self._batcher.submit(records)
        by = scored[0].by  # a request is never divided between two turns
        outputs = Outputs.together([one.outputs for one in scored])
        found = list(outputs.answers(by.model.labels, top_k))
        self._note(by, records, outputs.logits)
        if self._log_texts:
            texts = [redact(text) for record in records for text in record.texts]
            _log.info("texts %s", json_line(texts))
        return {"model": by.model.version, "predictions": found}

    async def reload(self) -> bool:
        """Loads the model anew and lets it take over between two turns.

        Returns:
            Whether it did; if not, the log says why and the old one goes on.
        """
        assert self._reloading is not None, "start() comes first"
        async with self._reloading:
            loop = asyncio.get_running_loop()
            try:
                self._served = await loop.run_in_executor(None, self._loaded_anew)
            except UserError as error:
                _log.error("the model was not replaced: %s", error)
            except Exception:  # a half-written folder may fail in any way
                _log.exception("the model was not replaced")
            else:
                self._tell()
                self.metrics.reloads.labels("done").inc()
                return True
            self.metrics.reloads.labels("refused").inc()
            return False

    def _loaded_anew(self) -> _Served:
        new = self._load()
        check_same_use(self.model, new)
        return _prepared(new)

    def _tell(self) -> None:
        model = self.model
        self.metrics.model.info({"version": model.version, "task": model.labels.task})
        count = len(model.trained.members)
        kind = "model" if count == 1 else f"ensemble of {count} models"
        _log.info("%s %s of %s", kind, model.version, model.run.path)

    def _score(self, records: list[Record]) -> list[_Scored]:
        served = self._served  # all texts of a turn get the same one
        return [_Scored(one, served) for one in served.model.outputs_of(records).apart()]

    def _note(self, by: _Served, records: Sequence[Record], logits: np.ndarray) -> None:
        lengths = [text_length(record) for record in records]
        quantities = by.model.labels.watched(logits)
        for quantity, values in (quantities | {LENGTH: [*lengths]}).items():
            by.watch.observe(quantity, values)
        for length in lengths:
            self.metrics.characters.observe(length)
        for label in quantities.get(LABEL, []):
            self.metrics.answers.labels(label).inc()
        for confidence in quantities.get(CONFIDENCE, []):
            self.metrics.confidence.observe(float(confidence))


def _prepared(model: ServedModel) -> _Served:
    reference, unwatched = reference_of(model)
    if unwatched:
        _log.warning("drift: %s", unwatched)
    return _Served(model, DriftWatch(reference))
