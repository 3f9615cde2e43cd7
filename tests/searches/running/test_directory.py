"""A search takes its own folder again, whatever its model was used for, and no other."""

import pytest

from tf_finetune.errors import UserError
from tf_finetune.searches.running.directory import check_search_folder


@pytest.fixture
def folder(tmp_path):
    """A folder with the files of a search."""
    for name in ("journal.jsonl", "config.yaml", "manifest.json"):
        (tmp_path / name).touch()
    return tmp_path


@pytest.mark.parametrize("name", ["serving.json", "export", "evaluations", "report.html"])
def test_what_our_commands_add_does_not_keep_a_search_from_going_on(folder, name):
    (folder / name).touch()

    check_search_folder(folder, overwrite=False)


def test_what_a_kill_leaves_does_not_keep_a_search_from_going_on(folder):
    (folder / ".model.writing-4711").mkdir()
    (folder / ".report.html.0f.tmp").touch()

    check_search_folder(folder, overwrite=False)


def test_files_of_others_are_named(folder):
    (folder / "thesis.tex").touch()

    with pytest.raises(UserError, match=r"thesis\.tex"):
        check_search_folder(folder, overwrite=True)
