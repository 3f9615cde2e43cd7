"""What a search refuses before anything is read, whoever asks for it."""

import pytest
from rich.console import Console

from tf_finetune.config.loading import load_config
from tf_finetune.errors import UserError
from tf_finetune.jobs.search import search, work


def test_a_folder_with_other_files_is_left_alone_and_nothing_has_begun(tmp_path):
    (tmp_path / "thesis.txt").write_text("mine")
    config = load_config(None, [f"run.dir={tmp_path}", "data.train=nowhere.csv"])
    begun = []

    with pytest.raises(UserError, match=r"files that no search wrote \(thesis.txt\)"):
        search(config, Console(quiet=True), on_begin=begun.append)
    assert begun == []
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


@pytest.mark.parametrize("job", [lambda config: search(config, Console(quiet=True)), work])
def test_processes_that_would_train_together_are_refused(job):
    config = load_config(None, ["training.strategy=multi_worker", "data.train=nowhere.csv"])

    with pytest.raises(UserError, match="received multi_worker for a search"):
        job(config)
