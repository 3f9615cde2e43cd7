"""Pooling follows the option, the checkpoint or the family's habit, and says which."""

import json

import pytest

from tf_finetune.encoders.families.table import FAMILIES
from tf_finetune.encoders.pooling import choose_pooling, pooling_problems
from tf_finetune.errors import UserError

BERT = FAMILIES["bert"]


class OnlyLast(type(BERT)):
    """A family that can do nothing else."""

    model_type, pooling, poolings = "only-last", "last", ("last",)


@pytest.fixture
def sentence_folder(tmp_path):
    def write(**pooling):
        modules = [{"type": "sentence_transformers.models.Pooling", "path": "1_Pooling"}]
        (tmp_path / "modules.json").write_text(json.dumps(modules))
        (tmp_path / "1_Pooling").mkdir()
        (tmp_path / "1_Pooling/config.json").write_text(json.dumps(pooling))
        return tmp_path

    return write


def test_auto_follows_sentence_transformers_before_all(sentence_folder):
    folder = sentence_folder(pooling_mode_mean_tokens=True)

    found = choose_pooling("auto", folder, {"text_pooling": "max"}, BERT)

    assert found == ("mean", "as 1_Pooling/config.json says")
    assert found.sentence() == "mean (the mean of all tokens), as 1_Pooling/config.json says"


def test_auto_follows_what_our_own_models_say(tmp_path):
    found = choose_pooling("auto", tmp_path, {"text_pooling": "max"}, BERT)

    assert found == ("max", "as its config.json says")


@pytest.mark.parametrize(("family", "usual"), [(BERT, "first"), (OnlyLast(), "last")])
def test_auto_is_otherwise_what_is_usual(tmp_path, family, usual):
    found = choose_pooling("auto", tmp_path, {}, family)

    assert found == (usual, f"as usual for {family.model_type}")


def test_the_option_is_taken_and_no_file_read(sentence_folder):
    folder = sentence_folder()
    (folder / "modules.json").write_text("broken")

    assert choose_pooling("last", folder, {"text_pooling": 3}, BERT).pooling == "last"


@pytest.mark.parametrize(
    ("said", "warned"),
    [
        (
            {"pooling_mode": "weightedmean"},
            "says weightedmean, which is not computed; taken: first",
        ),
        ({"pooling_mode": ["cls", "mean"]}, "says cls and mean, which is not computed"),
    ],
)
def test_what_is_not_computed_is_told_and_habit_taken(sentence_folder, caplog, said, warned):
    folder = sentence_folder(**said)

    assert choose_pooling("auto", folder, {}, BERT).pooling == "first"
    assert f"encoder.pooling: {folder}/1_Pooling/config.json {warned}" in caplog.text


def test_what_the_family_cannot_do_or_is_missing_is_told_too(sentence_folder, caplog):
    folder = sentence_folder(pooling_mode="mean")

    assert choose_pooling("auto", folder, {}, OnlyLast()).pooling == "last"
    assert "says mean, which is not computed; taken: last (the last token)" in caplog.text
    (folder / "1_Pooling/config.json").unlink()
    assert choose_pooling("auto", folder, {}, BERT).pooling == "first"
    assert "1_Pooling/config.json is missing; taken: first" in caplog.text


def test_a_word_that_is_none_is_refused(tmp_path):
    with pytest.raises(UserError, match=r"config\.json: text_pooling: received 'avg'; accepted: f"):
        choose_pooling("auto", tmp_path, {"text_pooling": "avg"}, BERT)


def test_a_family_refuses_what_it_cannot_do():
    assert pooling_problems("last", OnlyLast()) == []
    assert pooling_problems("mean", OnlyLast()) == [
        "encoder.pooling: received mean, which only-last cannot do; accepted: auto, last"
    ]
