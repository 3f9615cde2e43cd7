"""What the trials of a search cost, as its estimates see it."""

from types import SimpleNamespace

from tf_finetune.config.experiment import ExperimentConfig
from tf_finetune.data.loading import load_splits
from tf_finetune.encoders.locating import EncoderFiles
from tf_finetune.options.data import DataConfig
from tf_finetune.results.trial import Place
from tf_finetune.searches.session import work_by_place


def test_work_of_a_trial_counts_the_trainings_of_all_folds(
    tiny_encoder, tiny_csv, tiny_tokenizer, tmp_path
):
    def work(folds, is_solved=False, method="full"):
        data = DataConfig(
            train=str(tiny_csv), folds=folds, test_fraction=0, cache_dir=str(tmp_path)
        )
        job = SimpleNamespace(
            config=ExperimentConfig(data=data, method={"name": method}),
            files=EncoderFiles("tiny", tiny_encoder),
            splits=load_splits(data, tiny_tokenizer)[0],
            space=SimpleNamespace(places=(Place(2),), is_solved=lambda place: is_solved),
        )
        return work_by_place(job)[Place(2)]

    # Two folds train on each example once, three twice, four three times; all are scored once.
    training = work(3) - work(2)
    assert training > 0
    assert work(4) - work(3) == training
    assert 0 < work(2) - training < training
    assert 0 < work(2, is_solved=True) < work(2) / 3  # one pass in place of three epochs
    # Pairs read each text 28 times an epoch.
    assert work(3, method="contrastive") - work(2, method="contrastive") == 28 * training
