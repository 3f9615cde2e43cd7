"""Which trials share a compiled model; building one is left out."""

from types import SimpleNamespace

import numpy as np
import pytest

from tf_finetune.config.experiment import ExperimentConfig
from tf_finetune.models.weights import Pretrained
from tf_finetune.searches.running import models as module
from tf_finetune.searches.running.models import CompiledModel, ModelCache
from tf_finetune.tasks.classes import Classes
from tf_finetune.tasks.values import Values

SIZE = 100
TARGETS = np.array([1.0, 2.0, 3.0], np.float32)
NUMBER = Values()


class Nothing:
    """What a model is made of here; it keeps its scale."""

    files = SimpleNamespace(family=SimpleNamespace(head_has_bias=True))

    def rescale(self, scale):
        self.scale = scale


@pytest.fixture
def make_cache(monkeypatch):
    """Make a cache with room for two models, which are made of nothing."""

    def build(self, config, start):
        return CompiledModel(SimpleNamespace(classifier=Nothing()), object(), SIZE)

    def start(files, labels, targets):
        return Pretrained(scale=labels.scale(targets))

    monkeypatch.setattr(ModelCache, "_build", build)
    monkeypatch.setattr(module, "pretrained", start)
    return lambda labels: ModelCache(None, labels, None, max_bytes=2 * SIZE)


@pytest.fixture
def cache(make_cache):
    cache = make_cache(Classes(("a", "b")))
    return SimpleNamespace(get=lambda config: cache.get(config, np.array([0, 1, 1])))


def config(freeze=(), **training):
    return ExperimentConfig.model_validate({"freeze": dict(freeze), "training": training})


@pytest.mark.parametrize(
    "run",
    [
        {"seed": 7},
        {"learning_rate": 0.5},
        {"epochs": 9},
        {"warmup_fraction": 0.5},
        {"batch_size": 2},
        {"class_weights": "balanced"},
        {"early_stopping_patience": 2, "monitor": "loss"},
        {"padding": "max"},
        {"steps_per_execution": 4},
        {"on_out_of_memory": "stop"},
    ],
    ids=str,
)
def test_a_model_serves_runs_that_are_given_to_it_anew(cache, run):
    assert cache.get(config(**run)) is cache.get(config())


@pytest.mark.parametrize(
    "step",
    [
        {"weight_decay": 0.5},
        {"optimizer": "sgd"},
        {"clip_norm": 0.25},
        {"label_smoothing": 0.1},
        {"schedule": "cosine"},
        {"precision": "mixed_bfloat16"},
        {"accumulation_steps": 2},
        {"freeze": {"depth": 1}},
        {"freeze": {"embeddings": True}},
        {"freeze": {"rules": [{"parts": ["bias"], "train": True}]}},
    ],
    ids=str,
)
def test_a_model_never_serves_a_run_of_another_step(cache, step):
    assert cache.get(config(**step)) is not cache.get(config())


def test_rule_sets_that_differ_in_one_rule_have_models_of_their_own(cache):
    frozen, trained = (
        cache.get(config(freeze={"rules": [{"parts": ["bias"], "train": train}]}))
        for train in (False, True)
    )
    assert frozen is not trained


def test_the_model_that_was_used_longest_ago_goes_first(cache):
    first, second = (cache.get(config(weight_decay=decay)) for decay in (0.1, 0.2))
    assert cache.get(config(weight_decay=0.1)) is first

    cache.get(config(weight_decay=0.3))

    assert cache.get(config(weight_decay=0.1)) is first
    assert cache.get(config(weight_decay=0.2)) is not second


def test_all_models_but_the_one_that_is_wanted_can_be_let_go(make_cache):
    models = make_cache(Classes(("a", "b")))
    targets = np.array([0, 1, 1])
    first, second = config({"depth": 1}), config({"depth": 2})
    kept = models.get(first, targets)
    models.get(second, targets)

    models.keep_only(first)

    assert models.bytes == SIZE
    assert models.get(first, targets) is kept


def test_a_model_takes_the_scale_of_what_it_will_be_trained_on(make_cache):
    cache = make_cache(NUMBER)
    first = cache.get(config(seed=1), TARGETS)
    assert first.model.classifier.scale == NUMBER.scale(TARGETS)

    again = cache.get(config(seed=2), 100 * TARGETS)

    assert again is first  # not traced again
    assert again.model.classifier.scale == NUMBER.scale(100 * TARGETS)
