"""Folders of sentence-transformers, old and new, say where the encoder is and how it is pooled."""

import json

import pytest

from tf_finetune.encoders.sentence_folder import pooling_file, transformer_folder
from tf_finetune.errors import UserError

OLD = "sentence_transformers.models."
NEW = "sentence_transformers.sentence_transformer.modules."


@pytest.fixture
def folder_of(tmp_path):
    """Writes the list of modules, the Pooling's own file, and an empty config.json."""

    def write(modules, pooling=None, inside=""):
        listed = [
            {"idx": n, "name": str(n), "path": path, "type": kind}
            for n, (kind, path) in enumerate(modules)
        ]
        (tmp_path / "modules.json").write_text(json.dumps(listed))
        (tmp_path / inside).mkdir(exist_ok=True)
        (tmp_path / inside / "config.json").write_text("{}")
        if pooling is not None:
            (tmp_path / "1_Pooling").mkdir(exist_ok=True)
            (tmp_path / "1_Pooling/config.json").write_text(json.dumps(pooling))
        return tmp_path

    return write


@pytest.mark.parametrize(
    ("said", "modes"),
    [
        ({"pooling_mode_cls_token": True, "pooling_mode_mean_tokens": False}, ["cls"]),
        ({"pooling_mode_cls_token": False, "pooling_mode_mean_tokens": True}, ["mean"]),
        ({"pooling_mode_max_tokens": True}, ["max"]),
        ({"pooling_mode_lasttoken": True}, ["lasttoken"]),
        ({"pooling_mode_mean_sqrt_len_tokens": True}, ["mean_sqrt_len_tokens"]),
        ({"pooling_mode_weightedmean_tokens": True}, ["weightedmean"]),
        ({"pooling_mode_cls_token": True, "pooling_mode_max_tokens": True}, ["cls", "max"]),
        ({"pooling_mode": "cls"}, ["cls"]),
        ({"pooling_mode": ["mean", "max"]}, ["mean", "max"]),
        ({"word_embedding_dimension": 384}, ["mean"]),
    ],
)
def test_modes_are_flags_in_older_files_and_names_in_newer_ones(folder_of, said, modes):
    folder = folder_of([(OLD + "Transformer", ""), (OLD + "Pooling", "1_Pooling")], said)

    assert pooling_file(folder) == (folder / "1_Pooling/config.json", tuple(modes))


def test_newer_names_of_modules_are_known(folder_of):
    modules = [(NEW + "Transformer", ""), (NEW + "pooling.Pooling", "1_Pooling")]

    assert pooling_file(folder_of(modules, {"pooling_mode": "max"})).modes == ("max",)


def test_old_layout_keeps_the_encoder_in_a_folder_of_its_own(folder_of):
    modules = [(OLD + "Transformer", "0_Transformer"), (OLD + "Pooling", "1_Pooling")]
    folder = folder_of(modules, {"pooling_mode_max_tokens": True}, inside="0_Transformer")

    encoder = transformer_folder(folder)

    assert encoder == folder / "0_Transformer"
    assert pooling_file(encoder).modes == ("max",)
    assert pooling_file(folder / "1_Pooling") is None


def test_pooling_that_the_list_forgets_is_looked_for_in_its_usual_place(folder_of):
    folder = folder_of([(OLD + "Transformer", "")], {"pooling_mode_mean_tokens": True})

    assert pooling_file(folder).modes == ("mean",)
    assert transformer_folder(folder) == folder


def test_pooling_that_is_listed_and_missing_is_told_apart_from_none(folder_of, tmp_path):
    folder = folder_of([(OLD + "Transformer", ""), (OLD + "Pooling", "1_Pooling")])

    assert pooling_file(folder) == (folder / "1_Pooling/config.json", None)
    (folder / "modules.json").unlink()
    assert pooling_file(folder) is None
    assert transformer_folder(tmp_path / "elsewhere") == tmp_path / "elsewhere"


@pytest.mark.parametrize(
    ("file", "content", "problem"),
    [
        ("modules.json", "[", r"modules\.json: not valid JSON"),
        ("modules.json", "{}", r"modules\.json: received a dict, accepted: a JSON list"),
        (
            "modules.json",
            '[{"type": "a.Pooling", "path": "../.."}]',
            r"modules\.json: path: received '\.\./\.\.'; accepted: a folder beside the file",
        ),
        ("1_Pooling/config.json", "3", "received a int, accepted: a JSON object"),
        ("1_Pooling/config.json", '{"pooling_mode": 3}', "pooling_mode: received 3; accepted: cls"),
    ],
)
def test_damaged_files_are_named(folder_of, file, content, problem):
    folder = folder_of([(OLD + "Transformer", ""), (OLD + "Pooling", "1_Pooling")], {})
    (folder / file).write_text(content)

    with pytest.raises(UserError, match=problem):
        pooling_file(folder)
