"""All cells of a search compute in one precision, chosen once, where a step works most."""

from types import SimpleNamespace

import pytest

from tf_finetune.config.loading import load_config
from tf_finetune.encoders.locating import EncoderFiles
from tf_finetune.errors import UserError
from tf_finetune.plans.precision import ChosenPrecision, with_precision
from tf_finetune.searches.leading import precision
from tf_finetune.searches.leading.precision import resolve_for_search
from tf_finetune.searches.leading.space import build_space
from tf_finetune.searches.running.directory import SearchDirectory
from tf_finetune.searches.running.journal import Journal
from tf_finetune.tasks.table import unnamed_labels

TIMED = ChosenPrecision("mixed_bfloat16", "it was timed")


class Train:
    """As much of the training examples as is asked for."""

    labels = (0, 1) * 8

    def __len__(self):
        return len(self.labels)


SPLITS = SimpleNamespace(labels=unnamed_labels("single_label", 2), train=Train())


@pytest.fixture
def resolve(tiny_encoder, tmp_path, monkeypatch):
    """Resolve the precision of a search; gives what came of it and the specs that were timed."""

    def make(*overrides, wanted="auto", **options):
        timed = []

        def choose(spec, *_):
            timed.append(spec)
            return SimpleNamespace(chosen=TIMED)

        monkeypatch.setattr(precision, "choose_precision", choose)
        monkeypatch.setattr(precision, "pretrained", lambda *_: None)
        config = with_precision(load_config(None, overrides), wanted)
        files = EncoderFiles("tiny", tiny_encoder)
        space = build_space(config, files)
        directory = SearchDirectory(tmp_path)
        return resolve_for_search(config, files, SPLITS, space, directory, **options), timed

    return make


def test_it_is_timed_at_the_smallest_depth_that_trains_in_steps(resolve):
    found, (spec,) = resolve("search.depths=[1,2,3]", "encoder.pooling=mean")

    assert spec.config.freeze.depth == 1
    assert spec.config.training.solver == "steps"
    assert spec.config.training.learning_rate is not None
    assert found.config.training.precision == "mixed_bfloat16"
    assert found.lines == ("precision: mixed_bfloat16, because it was timed",)
    assert found.made == TIMED


def test_where_all_heads_are_solved_none_is_timed(resolve, monkeypatch):
    monkeypatch.setattr(precision.SearchSpace, "is_solved", lambda self, depth: True)

    found, timed = resolve()

    assert found.config.training.precision == "float32"
    assert timed == []


def test_a_search_goes_on_in_what_its_journal_says(resolve, tmp_path):
    Journal(tmp_path / "journal.jsonl", {"training": {"precision": "mixed_bfloat16"}})

    for options in ({}, {"beside_another": True}):
        found, timed = resolve(**options)
        assert found.config.training.precision == "mixed_bfloat16"
        assert found.lines == ("precision: mixed_bfloat16, as this search began with",)
        assert timed == []
    _, timed = resolve("run.overwrite=true")
    assert len(timed) == 1


def test_a_worker_chooses_nothing(resolve):
    with pytest.raises(UserError, match="received auto, and no search in .* has chosen yet"):
        resolve(beside_another=True)


def test_a_named_precision_stays_and_is_held_against_the_devices(resolve, monkeypatch):
    asked = []
    monkeypatch.setattr(precision, "check_precision", lambda *values: asked.append(values))

    found, timed = resolve(wanted="mixed_float16")

    assert found.config.training.precision == "mixed_float16"
    assert found.lines == ()
    assert timed == []
    assert [name for name, _ in asked] == ["mixed_float16"]
