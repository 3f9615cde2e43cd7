"""A run directory is only ever written by one job, and nothing else is destroyed."""

import json
import os
from contextlib import ExitStack

import pytest

from tf_finetune.config.experiment import ExperimentConfig
from tf_finetune.config.loading import load_config
from tf_finetune.errors import UserError
from tf_finetune.runs.directory import check_run, prepare_run
from tf_finetune.runs.opening import open_run
from tf_finetune.storage.locking import FolderInUse


@pytest.fixture
def config(tmp_path, monkeypatch):
    """A job in an empty working folder, with options changed."""
    monkeypatch.chdir(tmp_path)

    def make(directory=None, overwrite=False, **training):
        return ExperimentConfig.model_validate(
            {
                "data": {"train": "data/my reviews.csv"},
                "freeze": {"depth": 4},
                "training": training,
                "run": {"dir": directory, "overwrite": overwrite},
            }
        )

    return make


def check(config):
    with ExitStack() as claims:
        check_run(config, claims)


def prepare(config):
    """As a process that ends at once."""
    with ExitStack() as claims:
        check_run(config, claims)
        return prepare_run(config, claims)


def changed(config, section, change):
    other = getattr(config, section).model_copy(update=change)
    return config.model_copy(update={section: other})


def finish(run):
    run.metrics.write_text("{}")


def interrupt(run):
    run.checkpoints.mkdir()


def test_name_is_made_of_data_and_depth(config):
    run, resolved = prepare(config())

    assert str(run.path) == "runs/my-reviews-depth4"
    assert resolved.run.dir == "runs/my-reviews-depth4"
    assert load_config(str(run.config)) == resolved


def test_next_run_gets_a_number(config):
    for expected in ("my-reviews-depth4", "my-reviews-depth4-2", "my-reviews-depth4-3"):
        run, _ = prepare(config())
        assert run.path.name == expected
        finish(run)


def test_name_of_a_run_that_another_process_writes_is_not_free(config):
    with ExitStack() as first, ExitStack() as second:
        prepare_run(config(), first)
        run, _ = prepare_run(config(), second)

    assert run.path.name == "my-reviews-depth4-2"


def test_folder_that_another_process_writes_is_refused_before_any_work(config):
    with ExitStack() as first:
        check_run(config("there"), first)
        with pytest.raises(FolderInUse, match=rf"there is in use by process {os.getpid()} on"):
            check(config("there", overwrite=True))


def test_unfinished_run_of_the_same_job_is_gone_on_with(config):
    run, resolved = prepare(config(learning_rate=1e-3))
    interrupt(run)

    again, same = prepare(config(learning_rate=1e-3, strategy="cpu"))

    assert again.path == run.path
    assert again.checkpoints.is_dir()
    assert same.training.learning_rate == resolved.training.learning_rate


def test_auto_goes_on_in_the_precision_that_the_unfinished_run_began_with(config):
    run, _ = prepare(config("there", precision="mixed_bfloat16"))
    interrupt(run)

    _, same = prepare(config("there", precision="auto"))

    assert same.training.precision == "mixed_bfloat16"
    assert "  precision: mixed_bfloat16\n" in run.config.read_text()


def test_auto_takes_no_precision_from_a_run_without_a_checkpoint(config):
    prepare(config("there", precision="mixed_bfloat16"))

    _, same = prepare(config("there", precision="auto"))

    assert same.training.precision == "auto"


def test_other_job_does_not_take_the_folder_of_an_unfinished_run(config):
    run, _ = prepare(config(learning_rate=1e-3))
    interrupt(run)
    before = run.config.read_text()

    other, _ = prepare(config(learning_rate=1e-4))

    assert other.path.name == "my-reviews-depth4-2"
    assert run.config.read_text() == before


def test_other_job_in_the_same_folder_is_refused_and_changes_nothing(config):
    run, _ = prepare(config("there", learning_rate=1e-3))
    interrupt(run)
    before = run.config.read_text()

    with pytest.raises(UserError, match=r"differs in training\.learning_rate, training\.epochs"):
        prepare(config("there", learning_rate=1e-4, epochs=5))
    assert run.config.read_text() == before


@pytest.mark.parametrize(
    ("section", "change"),
    [
        ("training", {"strategy": "cpu"}),
        ("evaluation", {"batch_size": 7}),
        ("cache", {"mode": "off"}),
        ("data", {"cache_dir": "elsewhere"}),
        ("search", {"seeds": (5,)}),
        ("encoder", {"pooling": "first"}),  # a run of an earlier version, which read nothing else
    ],
)
def test_unfinished_run_goes_on_with_what_decides_nothing_of_it(config, section, change):
    run, _ = prepare(config("there"))
    interrupt(run)

    again, _ = prepare(changed(config("there"), section, change))

    assert again.path == run.path


@pytest.mark.parametrize(
    ("section", "change"),
    [
        ("training", {"class_weights": "balanced"}),
        ("evaluation", {"threshold": 0.3}),
        ("cache", {"dtype": "float16"}),
        ("data", {"folds": 5}),
        ("encoder", {"dropout": 0.2}),
        ("encoder", {"pooling": "mean"}),
        ("freeze", {"embeddings": True}),
    ],
)
def test_unfinished_run_does_not_go_on_with_what_decides_its_result(config, section, change):
    run, _ = prepare(config("there"))
    interrupt(run)

    with pytest.raises(UserError, match=rf"differs in {section}\.{next(iter(change))}\n"):
        prepare(changed(config("there"), section, change))


def test_unreadable_configuration_of_an_unfinished_run_is_written_again(config, caplog):
    run, _ = prepare(config("there"))
    interrupt(run)
    run.config.write_text("training: {epochs: 0}")

    prepare(config("there"))

    assert "training.epochs" in caplog.text and "writing it again" in caplog.text
    assert load_config(run.config) == config("there")


@pytest.mark.parametrize("change", [("epochs: 3", "epochs: 2"), ("lines below", "lines bel0w")])
def test_changed_configuration_of_a_finished_run_is_named(config, change):
    run, _ = prepare(config("there"))
    finish(run)
    run.config.write_text(run.config.read_text().replace(*change, 1))

    with pytest.raises(UserError, match=r"there/config\.yaml: damaged, or changed") as caught:
        open_run("there")
    assert "delete the file's first line" in caught.value.hint


def test_change_by_hand_is_kept_once_the_seal_is_deleted(config):
    run, _ = prepare(config("there"))
    finish(run)
    lines = run.config.read_text().replace("epochs: 3", "epochs: 2").splitlines(keepends=True)
    run.config.write_text("".join(lines[1:]))

    assert open_run("there")[1].training.epochs == 2


@pytest.mark.parametrize("bytes_left", [0, 1, 30, 400])
def test_cut_configuration_is_noticed(config, bytes_left):
    run, _ = prepare(config("there"))
    finish(run)
    run.config.write_bytes(run.config.read_bytes()[:bytes_left])

    with pytest.raises(UserError, match=r"there/config\.yaml: damaged"):
        open_run("there")


def test_changed_results_of_a_finished_run_are_named(config, caplog):
    run, _ = prepare(config("there"))
    finish(run)
    run.write_manifest()
    run.metrics.write_text("[]")

    open_run("there")

    assert "there/metrics.json: damaged" in caplog.text


def test_finished_run_is_refused_unless_it_may_be_replaced(config):
    run, _ = prepare(config("there"))
    finish(run)
    (run.path / "model").mkdir()

    with pytest.raises(UserError, match=r"run\.dir: there holds a finished run") as caught:
        check(config("there"))
    assert "run.overwrite=true" in caught.value.hint

    check(config("there", overwrite=True))
    assert run.is_finished  # a check removes nothing
    _, resolved = prepare(config("there", overwrite=True))
    assert [path.name for path in run.path.iterdir()] == ["config.yaml"]
    assert resolved.run.overwrite is False


def test_run_behind_a_link_is_replaced_where_it_lies(config, tmp_path):
    (tmp_path / "other disk").mkdir()
    (tmp_path / "there").symlink_to(tmp_path / "other disk")
    (tmp_path / "precious").mkdir()
    (tmp_path / "precious" / "data").touch()
    run, _ = prepare(config("there"))
    finish(run)
    (run.path / "events").symlink_to(tmp_path / "precious")

    prepare(config("there", overwrite=True))

    assert (tmp_path / "there").is_symlink()
    assert [path.name for path in (tmp_path / "other disk").iterdir()] == ["config.yaml"]
    assert (tmp_path / "precious" / "data").exists()


def test_leavings_of_a_killed_process_are_replaced_too(config):
    run, _ = prepare(config("there"))
    (run.path / ".model.writing-123").mkdir()
    (run.path / ".metrics.json.0123abc.tmp").write_text("")

    prepare(config("there", overwrite=True))

    assert [path.name for path in run.path.iterdir()] == ["config.yaml"]


@pytest.mark.parametrize("overwrite", [False, True])
def test_folder_with_other_files_is_refused_and_left_alone(config, tmp_path, overwrite):
    run, _ = prepare(config("there"))
    (run.path / "thesis.tex").write_text("years of work")

    with pytest.raises(UserError, match=r"holds files that no run wrote \(thesis\.tex\)"):
        prepare(config("there", overwrite=overwrite))
    assert (tmp_path / "there" / "thesis.tex").read_text() == "years of work"


def test_folder_without_a_run_is_refused_whatever_its_files_are_called(config, tmp_path):
    (tmp_path / "there" / "model").mkdir(parents=True)

    with pytest.raises(UserError, match=r"holds files that no run wrote \(model\)"):
        prepare(config("there", overwrite=True))
    assert (tmp_path / "there" / "model").is_dir()


def test_empty_folder_is_taken(config, tmp_path):
    (tmp_path / "there").mkdir()

    assert prepare(config("there"))[0].config.is_file()


def test_file_in_place_of_the_folder_is_refused(config, tmp_path):
    (tmp_path / "there").write_text("text")

    with pytest.raises(UserError, match=r"no run wrote \(there\)"):
        prepare(config("there", overwrite=True))


def test_folder_that_cannot_be_made_is_named(config, tmp_path):
    (tmp_path / "file").write_text("")

    with pytest.raises(
        UserError, match="run.dir: .*file/run cannot be made or locked: File exists"
    ):
        prepare(config("file/run"))


def test_json_has_null_for_what_is_no_number(config):
    run, _ = prepare(config())

    run.write_json(run.history, {"epochs": [{"loss": float("nan"), "val_loss": 0.5}]})

    assert json.loads(run.history.read_text()) == {"epochs": [{"loss": None, "val_loss": 0.5}]}


def test_only_finished_runs_are_opened(config):
    with pytest.raises(UserError, match="nowhere: no run here; accepted: a folder that `train`"):
        open_run("nowhere")

    run, resolved = prepare(config("there"))
    with pytest.raises(UserError, match="there: this run has not finished") as caught:
        open_run("there")
    assert caught.value.hint == "Go on with: tf-finetune train --config there/config.yaml"

    (run.path / "journal.jsonl").touch()
    with pytest.raises(UserError, match="there: this run has not finished") as caught:
        open_run("there")
    assert caught.value.hint == "Go on with: tf-finetune search --config there/config.yaml"
    (run.path / "journal.jsonl").unlink()

    finish(run)
    assert open_run("there") == (run, resolved)


def test_several_processes_need_a_folder_that_is_named(config):
    with ExitStack() as chief, ExitStack() as worker:
        check_run(config("runs/shared", strategy="multi_worker"), chief)
        check_run(config("runs/shared", strategy="multi_worker"), worker, writes=False)
        with pytest.raises(UserError, match="run.dir: received null with .*multi_worker"):
            check_run(config(strategy="multi_worker"), worker)


def test_a_folder_inside_a_run_is_told_the_run(config):
    run, _ = prepare(config("there"))
    run.model.mkdir()

    with pytest.raises(UserError, match="no run here; accepted: .*; nearest: there"):
        open_run("there/model")
