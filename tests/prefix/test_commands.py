"""`train` and `search` find the same with cached states as without."""

import json

import pytest

from trainers import search, train

pytestmark = [pytest.mark.long, pytest.mark.eager]


@pytest.fixture(scope="module")
def arguments(tiny_job):
    """Arguments of a quick job, but for its folder and its cache."""
    return [
        *tiny_job,
        "data.max_length=32",
        "data.validation_fraction=0.2",
        "data.test_fraction=0.2",
        "training.epochs=1",
        "training.batch_size=32",
        "training.learning_rate=1e-3",
        "evaluation.bootstrap_resamples=100",
        "evaluation.explained_mistakes=0",
        "run.tensorboard=false",
    ]


@pytest.fixture
def command(arguments, tmp_path):
    """Arguments of a command that caches in a folder of this test, and its run's folder."""

    def make(mode, number, *more):
        cache = (f"cache.mode={mode}", f"cache.dir={tmp_path}/states")
        folder = tmp_path / f"{mode}{number}"
        return [*arguments, *cache, *more, f"run.dir={folder}"], folder

    return make


def values(metrics):
    return {
        f"{split} {name}": estimate["value"]
        for split, scores in metrics.items()
        for name, estimate in scores.items()
    }


def test_second_run_reads_the_files_of_the_first_and_finds_the_same(command, capsys):
    metrics, said = [], []
    for number, mode in enumerate(("disk", "disk", "off")):
        arguments, folder = command(mode, number, "freeze.depth=3")
        assert train.main(arguments) == 0
        metrics.append((folder / "metrics.json").read_text())
        lines = capsys.readouterr().out.splitlines()
        said.append([line for line in lines if line.startswith("prefix cache")])

    first, second, off = said
    assert "as cache.mode asks for" in first[0]
    assert first[1].startswith("prefix cache: 36 train texts in ")
    assert len(second) == 1
    assert "on disk, as an earlier run left it" in second[0]
    assert off == []
    assert metrics[0] == metrics[1]
    cached, uncached = (values(json.loads(text)) for text in metrics[1:])
    assert cached == pytest.approx(uncached, abs=1e-4)


def test_search_computes_each_depth_once_and_yields_the_same_table(command, computed):
    tables = {}
    for mode in ("memory", "off"):
        options = (
            "search.oracle=grid",
            "search.depths=2,3",
            "search.learning_rates=[1e-3]",
            "search.seeds=[0, 1]",
            "search.first_answer=false",
        )
        arguments, folder = command(mode, 0, *options)
        assert search.main(arguments) == 0
        lines = (folder / "journal.jsonl").read_text().splitlines()[1:]
        records = [json.loads(line)["record"] for line in lines]
        tables[mode] = {r["folder"]: r["result"]["metrics"] for r in records}
        # Each depth once for its two trials and the final training.
        assert len(computed) == {"memory": 2 * len(("train", "validation")), "off": 0}[mode]
        computed.clear()

    assert len(tables["memory"]) == 4
    assert tables["memory"].keys() == tables["off"].keys()
    for trial, scores in tables["memory"].items():
        assert scores == pytest.approx(tables["off"][trial], abs=5e-5), trial
