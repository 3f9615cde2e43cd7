"""Depths and methods by name; what they stand in is `test_sentence`."""

from types import SimpleNamespace

import pytest

from tf_finetune.methods.lora import Lora
from tf_finetune.methods.settings import setting_text
from tf_finetune.results.trial import Cell, Place
from tf_finetune.searches.answer.place_words import depths, method_words, setting

LORA, STRONGER = setting_text(Lora()), setting_text(Lora(alpha=32.0))


def found_with(*methods, num_layers=6):
    return SimpleNamespace(methods=methods, num_layers=num_layers, has_pooler=True)


def result(depth, method, rate=3e-4):
    cell = Cell(depth, rate, () if method is None else (("method", method),))
    return SimpleNamespace(cell=cell, depth=depth, place=cell.place)


@pytest.mark.parametrize(
    ("depth", "num_layers", "words"),
    [
        (0, 6, "Train LoRA of rank 8 on all 6 layers at"),
        (0, 1, "Train LoRA of rank 8 on the only layer at"),
        (5, 6, "Train LoRA of rank 8 on layer 5 (5 of 6 frozen) at"),
        (4, 6, "Train LoRA of rank 8 on layers 4 and 5 (4 of 6 frozen) at"),
        (2, 6, "Train LoRA of rank 8 on layers 2 to 5 (2 of 6 frozen) at"),
    ],
)
def test_an_instruction_names_the_method_and_its_layers(depth, num_layers, words):
    found = found_with(LORA, "full", num_layers=num_layers)

    assert setting(found, result(depth, LORA)) == f"{words} learning rate 3e-4"


def test_with_all_layers_frozen_there_is_no_method():
    assert setting(found_with(LORA, "full"), result(6, None)) == (
        "Freeze all 6 layers (train only pooler and head) at learning rate 3e-4"
    )


def test_depths_go_by_method_where_there_are_several():
    places = [Place(4, LORA), Place(5, "full"), Place(5, LORA), Place(6)]

    assert depths(found_with(LORA, "full"), places) == (
        "depths 4 and 5 with LoRA of rank 8, depth 5 with all weights and depth 6 with the head "
        "alone"
    )
    assert depths(found_with(), [Place(5), Place(4)]) == "depths 4 and 5"


def test_settings_that_are_called_alike_are_told_apart():
    found = found_with(LORA, STRONGER, "full")

    assert method_words(found, Place(4, STRONGER)) == "LoRA of rank 8 (lora alpha=32.0)"
    assert method_words(found, Place(4, "full")) == "all weights"
