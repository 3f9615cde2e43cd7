"""`search.learning_curve` from the search to its page."""

import json

import pytest

from trainers import search
from trainers.cli import run_command

pytestmark = pytest.mark.long

HEAD, PAIRS, STEPS = "a head solved on", "all weights on pairs", "all weights,"


@pytest.fixture(scope="module")
def arguments(tiny_job):
    return [
        *tiny_job,
        "data.max_length=16",
        "data.validation_fraction=0.2",
        "data.test_fraction=0.2",
        "training.epochs=1",
        "search.oracle=grid",
        "search.depths=2",
        "search.learning_rates=[1e-3]",
        "search.widen_edges=false",
        "search.seeds=0",
        "evaluation.bootstrap_resamples=100",
        "evaluation.explained_mistakes=0",
        "run.tensorboard=false",
        "search.learning_curve=true",
    ]


@pytest.fixture(scope="module")
def finished(arguments, tmp_path_factory):
    folder = tmp_path_factory.mktemp("searches") / "curve"
    assert run_command(search.main, [*arguments, f"run.dir={folder}"]) == 0
    return folder


def test_every_way_is_trained_on_every_part(finished):
    curve = json.loads((finished / "search.json").read_text())["learning_curve"]
    ways = [one["way"] for one in curve["ways"]]
    assert [way.startswith(start) for way, start in zip(ways, (HEAD, PAIRS, STEPS), strict=True)]
    for one in curve["ways"]:
        assert [point["examples"] for point in one["points"]] == [18, 36]
        assert all(0 < p["low"] < p["high"] < 1 for p in one["points"])
    assert curve["doubled"]["low"] <= curve["doubled"]["high"]
    assert curve["sentences"][0].startswith("With all 36 training examples ")


def test_the_page_shows_the_curve(finished):
    page = (finished / "report.html").read_text()
    assert "How many labels?" in page
    assert "by number of training examples, with 95 % intervals" in page


def test_what_was_trained_before_a_kill_is_not_trained_again(finished, arguments, capsys):
    (finished / "metrics.json").unlink()
    before = {path: path.read_bytes() for path in finished.glob("learning_curve/*/*.jsonl")}
    assert len(before) == 2

    assert run_command(search.main, [*arguments, f"run.dir={finished}"]) == 0

    assert {path: path.read_bytes() for path in before} == before
    assert "examples, all weights" not in capsys.readouterr().out


def test_folds_have_no_validation_set_for_it(tiny_job, tmp_path, capsys):
    given = [*tiny_job, "data.folds=3", "search.learning_curve=true", f"run.dir={tmp_path / 'x'}"]
    assert run_command(search.main, given) == 2
    told = capsys.readouterr().err
    assert "search.learning_curve (command line): received true with data.folds=3" in told
