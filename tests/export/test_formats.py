"""The flags of `export`, and folders that appear all at once or not at all."""

import pytest

from tf_finetune.errors import UserError
from tf_finetune.export.formats import (
    FORMATS,
    USUAL_PRECISIONS,
    ExportRequest,
    check_carries,
    check_targets,
    open_targets,
    read_request,
)
from tf_finetune.methods.full import Full
from tf_finetune.methods.lora import Lora


def test_names_are_taken_once_and_in_order():
    request = read_request("litert, huggingface,litert", "int8,float32", "0.01")

    assert request == ExportRequest(("huggingface", "litert"), ("float32", "int8"), 0.01)


def test_left_out_flags_mean_the_usual_precisions_and_any_loss():
    assert read_request("savedmodel", None, None) == ExportRequest(
        ("savedmodel",), USUAL_PRECISIONS, None
    )


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        ((None, None, None), "--to: missing; accepted: huggingface, peft, savedmodel, litert"),
        (("SavedModel", None, None), "--to: received 'SavedModel'; nearest: savedmodel; accepted"),
        (("", None, None), "--to: received ''; accepted: huggingface"),
        (("litert", "int4", None), "--precisions: received 'int4'; nearest: int8; accepted"),
        (("litert", None, "5%"), "--max-loss: received '5%'; accepted: a number from 0 to 1"),
        (("litert", None, "nan"), "--max-loss: received 'nan'"),
        (("litert", None, "-0.1"), "--max-loss: received '-0.1'"),
        (("savedmodel", "int8", None), "--precisions: received beside --to savedmodel"),
        (("huggingface", None, "0.1"), "--max-loss: received beside --to huggingface"),
    ],
)
def test_mistakes_in_the_flags_are_told(flags, message):
    with pytest.raises(UserError, match=message):
        read_request(*flags)


def test_all_mistakes_are_told_at_once():
    with pytest.raises(UserError) as raised:
        read_request("litert,onnx", "int4", "2")

    assert len(raised.value.problems) == 3


def test_what_a_method_trained_goes_into_forms_that_can_hold_it():
    peft = read_request("peft", None, None)
    smaller = read_request("peft,huggingface", None, None, {"--drop-layers": "1"})

    check_carries(peft, Lora())
    with pytest.raises(
        UserError,
        match=r"--to: received peft, whose library has no adapter for "
        r"method.name=full, which trains .*; accepted: --to huggingface, saved",
    ):
        check_carries(peft, Full())
    with pytest.raises(UserError, match=r"received peft with --drop-layers, --prune-heads, --dis"):
        check_carries(smaller, Lora())


def test_folders_that_exist_are_refused(tmp_path):
    (tmp_path / "litert").mkdir()
    (tmp_path / "litert" / "export.json").touch()

    with pytest.raises(UserError, match=r"litert: exists already\nReplace it with --force"):
        check_targets(tmp_path, FORMATS, replace=False)
    check_targets(tmp_path, FORMATS, replace=True)
    check_targets(tmp_path, ("savedmodel",), replace=False)


def test_folders_of_others_are_never_replaced(tmp_path):
    (tmp_path / "huggingface").mkdir()
    (tmp_path / "huggingface" / "thesis.tex").touch()

    with pytest.raises(UserError, match="huggingface: exists and is no export of ours"):
        check_targets(tmp_path, FORMATS, replace=True)


def test_output_that_is_a_file_is_refused(tmp_path):
    (tmp_path / "out").touch()

    with pytest.raises(UserError, match=r"--output: .*out is a file; accepted: a folder"):
        check_targets(tmp_path / "out", FORMATS, replace=False)


def test_all_folders_appear_together(tmp_path):
    with open_targets(tmp_path / "out", ("savedmodel", "litert")) as folders:
        for name, folder in folders.items():
            (folder / "part").mkdir()
            (folder / "part" / "file").write_text(name)
        assert not (tmp_path / "out" / "savedmodel").exists()

    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == ["litert", "savedmodel"]
    assert (tmp_path / "out" / "litert" / "part" / "file").read_text() == "litert"


def fail_in(root):
    with open_targets(root, ("savedmodel", "litert")) as folders:
        (folders["savedmodel"] / "file").touch()
        raise UserError("too much is lost")


def test_nothing_is_left_of_an_export_that_fails(tmp_path):
    with pytest.raises(UserError, match="too much is lost"):
        fail_in(tmp_path / "out")

    assert list(tmp_path.iterdir()) == []


def test_earlier_export_survives_one_that_fails(tmp_path):
    (tmp_path / "litert").mkdir()
    (tmp_path / "litert" / "export.json").write_text("before")

    with pytest.raises(UserError, match="too much is lost"):
        fail_in(tmp_path)

    assert [path.name for path in tmp_path.iterdir()] == ["litert"]
    assert (tmp_path / "litert" / "export.json").read_text() == "before"
