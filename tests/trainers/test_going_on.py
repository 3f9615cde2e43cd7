"""What an interrupted command says."""

import io

import pytest
from rich.console import Console

from tf_finetune.storage.run_directory import RunDirectory
from trainers.going_on import says_how_to_go_on


def test_command_that_goes_on_names_the_file_as_it_is(tmp_path):
    run = RunDirectory(tmp_path / "a[/b] [red]:smile:c")
    run.path.mkdir(parents=True)
    run.config.touch()
    output = io.StringIO()
    with (
        pytest.raises(KeyboardInterrupt),
        says_how_to_go_on("train", Console(file=output)) as goes_on_in,
    ):
        goes_on_in(run)
        raise KeyboardInterrupt
    assert output.getvalue() == f"go on with: tf-finetune train --config '{run.config}'\n"
