"""What an interrupted command says."""

import io

import pytest
from rich.console import Console

from trainers.going_on import says_how_to_go_on


def test_command_that_goes_on_names_the_file_as_it_is(tmp_path):
    config = tmp_path / "a[/b] [red]:smile:c" / "config.yaml"
    config.parent.mkdir(parents=True)
    config.touch()
    output = io.StringIO()
    with pytest.raises(KeyboardInterrupt), says_how_to_go_on("train", config, Console(file=output)):
        raise KeyboardInterrupt
    assert output.getvalue() == f"go on with: tf-finetune train --config '{config}'\n"
