"""A server around a model that needs no TensorFlow, and one around a real run."""

import time
from pathlib import Path

import numpy as np
import pytest
from starlette.testclient import TestClient

from tf_finetune.config.experiment import ExperimentConfig
from tf_finetune.runs.outputs import Outputs
from tf_finetune.serving import service as service_module
from tf_finetune.serving.app import build_app
from tf_finetune.serving.drift import Distribution
from tf_finetune.serving.limits import Limits
from tf_finetune.serving.loading import ServedModel
from tf_finetune.serving.service import Service
from tf_finetune.storage.run_directory import RunDirectory
from tf_finetune.tasks.classes import Classes

LABELS = Classes(("neg", "pos"))


class FakeTrained:
    """Answers `pos` to texts that say good; counts its calls and can be slow."""

    def __init__(self, labels=LABELS, seconds=0.0):
        self.labels = labels
        self.seconds = seconds
        self.batches = []
        self.tokenizer = None
        self.members = [self]

    def outputs_of(self, records, batch_size, *, traced):
        self.batches.append(len(records))
        time.sleep(self.seconds)
        good = np.array([[0.0, 2.0 if "good" in record.text else -2.0] for record in records])
        logits = good[:, -self.labels.num_outputs :].astype(np.float32)
        return Outputs(records, (), logits)


def _served(labels=LABELS, version="first", pairs=False, seconds=0.0):
    data = {"text_pair_column": "other" if pairs else None}
    config = ExperimentConfig.model_validate({"data": data})
    run = RunDirectory(Path("nowhere"))
    return ServedModel(run, config, FakeTrained(labels, seconds), version)


@pytest.fixture
def served():
    """Make a model by labels, version, number of texts and slowness."""
    return _served


@pytest.fixture
def make_service(monkeypatch, tmp_path):
    """Build a service whose loads give the models it is told, one after another."""

    def make(*models, limits=None, **options):
        reference = {
            "label": Distribution.of_names(("neg", "pos"), (1, 1)),
            "characters": Distribution((0.5, 0.5), edges=(10.0,)),
        }
        monkeypatch.setattr(service_module, "reference_of", lambda model: (reference, ""))
        waiting = iter(
            [ServedModel(RunDirectory(tmp_path), m.config, m.trained, m.version) for m in models]
        )
        return Service(lambda: next(waiting), limits or Limits(), **options)

    return make


@pytest.fixture
def make_client(make_service):
    """Start an app and give its client; all are ended after the test."""
    started = []

    def make(*models, token=None, **options):
        service = make_service(*(models or (_served(),)), **options)
        client = TestClient(build_app(service, token), raise_server_exceptions=False)
        client.__enter__()
        client.service = service
        started.append(client)
        return client

    yield make
    for client in started:
        client.__exit__(None, None, None)
