"""A head on every layer stands in the journal before the first trial, and is solved once."""

import numpy as np
import pytest

from tf_finetune.config.loading import load_config
from tf_finetune.data.loading import load_splits
from tf_finetune.encoders.locating import resolve_encoder
from tf_finetune.encoders.tokenizers import load_tokenizer
from tf_finetune.errors import UserError
from tf_finetune.searches.leading import first_answer as first
from tf_finetune.searches.leading.first_answer import first_answer, first_candidates
from tf_finetune.searches.leading.job import SearchJob
from tf_finetune.searches.leading.space import build_space
from tf_finetune.searches.running import layer_vectors
from tf_finetune.searches.running.directory import prepare_search

pytestmark = pytest.mark.numeric

FOLDS = ("data.folds=3", "data.validation_fraction=0")


@pytest.fixture
def job_of(tiny_job, tmp_path):
    """Makes a search in a folder of its own, or goes on with it."""

    def make(*options):
        data, *others = tiny_job
        config = load_config(None, [f"data.train={data}", *others, *options])
        files = resolve_encoder(config.encoder.name, config.encoder.pooling, config.encoder.layers)
        encoder = config.encoder.model_copy(update=files.options())
        config = config.model_copy(update={"encoder": encoder})
        splits, _ = load_splits(config.data, load_tokenizer(files))
        space = build_space(config, files)
        directory, config, journal = prepare_search(tmp_path / "search", config, {})
        return SearchJob(config, files, splits, space, directory, journal)

    return make


def ignored(_):
    """What is told does not matter."""


def cells(job):
    return [candidate.request.cell for candidate in first_candidates(job)]


def test_each_layer_has_a_head_on_its_first_token_and_on_the_mean(job_of):
    found = cells(job_of("encoder.pooling=mean"))

    assert [cell.frozen_depth for cell in found] == [1, 1, 2, 2, 3, 3]
    assert all(cell.is_solved for cell in found)
    # What differs from the configuration of the search is named, and nothing else.
    assert [dict(cell.extra) for cell in found[2:]] == [
        {"encoder.layers": 2, "encoder.pooling": "first_state"},
        {"encoder.layers": 2},
        {"encoder.pooling": "first_state"},
        {},
    ]


@pytest.mark.parametrize(
    ("options", "count"),
    [
        (("search.first_answer=false",), 0),
        (("training.solver=steps",), 0),
        (("freeze.rules=[{train: false, pattern: classifier/bias}]",), 0),
        (("freeze.rules=[{train: false, layers: '2'}]", "search.depths=2"), 2),
        (("encoder.layers=2",), 4),
    ],
)
def test_there_is_none_where_it_is_not_wanted_or_more_would_train(job_of, options, count):
    job, lines = job_of(*options), []

    assert len(cells(job)) == count
    if not count:
        assert first_answer(job, lines.append, ignored) == []
        assert len(lines) == job.config.search.first_answer


def test_every_head_is_a_trial_like_any_other_and_is_solved_once(job_of, monkeypatch):
    job, told, lines = job_of(), [], []

    records = first_answer(job, lines.append, told.append)

    assert told == records == list(job.journal.records.values())
    assert [record.request.cell for record in records] == cells(job)
    flops = [record.result.answer_flops for record in records[::2]]
    assert flops == sorted(flops) and flops[0] < 0.5 * flops[2]
    for record in records:
        assert (record.stage, record.is_whole(job.config.training.epochs)) == ("first", True)
        targets, logits = record.result.load_predictions()
        np.testing.assert_array_equal(targets, job.splits.validation.labels)
        assert record.result.score == np.mean(logits.argmax(axis=1) == targets)
        assert record.result.peak_memory_bytes > 1e8
        assert record.wall_seconds > 0 and record.result.seconds_per_epoch > 0
        held_out, folds = record.result.load_out_of_fold()
        np.testing.assert_array_equal(held_out.targets, job.splits.train.labels)
        assert (held_out.logits.shape, folds) == ((len(job.splits.train), logits.shape[1]), 5)

    def never(*_):
        raise AssertionError("the texts are read again")

    monkeypatch.setattr(first, "layer_vectors", never)
    again = job_of()
    assert first_answer(again, lines.append, told.append) == []
    texts = len(job.splits.train) + len(job.splits.validation)
    assert lines == [f"first answer: one pass over {texts} texts for 6 heads"]
    assert again.journal.records.keys() == job.journal.records.keys()


def test_with_folds_a_head_answers_what_it_has_not_seen(job_of):
    job = job_of(*FOLDS)

    record = first_answer(job, ignored, ignored)[-1]

    assert len(record.fold_histories) == 3
    assert len(record.result.load_predictions().logits) == len(job.splits.train)
    assert record.result.load_out_of_fold() is None
    penalties = {history[0]["penalty"] for history in record.fold_histories}
    assert min(penalties) <= record.history[0]["penalty"] <= max(penalties)


def test_a_budget_that_the_pass_would_overrun_is_refused(job_of):
    foretell = first._within_budget(job_of("search.time_budget=20s"))

    foretell(19.0)
    with pytest.raises(UserError, match="time_budget: received 20s; accepted: at least 31s, what "):
        foretell(30.2)


def test_vectors_that_are_too_many_for_the_memory_lie_in_a_file_for_a_while(
    job_of, monkeypatch, tmp_path
):
    in_memory = first_answer(job_of(), ignored, ignored)
    monkeypatch.setattr(layer_vectors, "_SHARE_OF_MEMORY", 0.0)

    room = layer_vectors._room((2, 2, 5, 4), tmp_path)
    room[:] = 1.0
    assert isinstance(room, np.memmap) and room.sum() == 80
    assert list(tmp_path.glob("tmp*")) == []
    on_disk = first_answer(job_of("run.overwrite=true"), ignored, ignored)

    scores = [[r.result.score for r in records] for records in (in_memory, on_disk)]
    assert scores[0] == scores[1]


def test_what_is_not_finite_fails_its_trial_alone(job_of, monkeypatch):
    real = layer_vectors.layer_vectors

    def broken(*arguments):
        found, seconds = real(*arguments)
        found[1] = np.nan
        return found, seconds

    monkeypatch.setattr(first, "layer_vectors", broken)
    records = first_answer(job_of(), ignored, ignored)

    failed = {r.request.cell.frozen_depth for r in records if not r.is_completed}
    assert failed == {2}
    assert records[2].result.reason == "what the encoder gives of some texts is not finite"
    assert sum(record.is_completed for record in records) == 4
