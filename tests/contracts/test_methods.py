"""Every method keeps what the rest of the project relies on; see tests/training/test_methods.py."""

import pytest
from check_flops import check_flops
from check_method import check_method_model, check_method_plans

from tf_finetune.encoders.families.table import FAMILIES
from tf_finetune.encoders.locating import EncoderFiles
from tf_finetune.methods.table import METHODS
from tf_finetune.models.building import build, replanned
from tf_finetune.models.weights import Pretrained

# Settings beside the usual one of each method, which compute something else.
OTHER_SETTINGS = [
    {"name": "lora", "weight_decomposed": True, "dropout": 0.3, "targets": ["key", "up", "output"]},
    {"name": "adalora", "dropout": 0.3, "targets": ["key", "up", "output"]},
    {"name": "ia3", "targets": ["query"], "feedforward_targets": ["up", "output"]},
    {"name": "adapters", "width": 3, "placement": "feed_forward", "activation": "relu"},
    {"name": "prefix_tuning", "length": 3},
]
# Families that multiply in ways of their own; all others are as one of these, and a second is
# spent on each.
PRICED = list({type(family).products: name for name, family in FAMILIES.items()}.values())


def named(setting):
    return "-".join([setting["name"], *(key for key in setting if key != "name")])


@pytest.fixture(scope="module", params=FAMILIES)
def family(request):
    return request.param


@pytest.fixture(scope="module")
def folder(family, make_encoder, tmp_path_factory):
    sizes = {"pad_token_id": 0} if family == "gpt2" else None
    return make_encoder(tmp_path_factory.mktemp(family), model_type=family, sizes=sizes)


@pytest.fixture(scope="module")
def built(folder, spec_for):
    """A model without a method, and its values, which tests change."""
    model = build(spec_for(folder), Pretrained())
    return model, {path: variable.numpy() for path, variable in model.by_path.items()}


@pytest.fixture
def plain(built):
    model, values = built
    model.set_values(values)
    return model


@pytest.mark.numeric
@pytest.mark.parametrize("name", METHODS)
def test_method_keeps_its_contract(name, folder, plain, spec_for):
    keeps_its_contract({"name": name}, folder, plain, spec_for)


@pytest.mark.numeric
@pytest.mark.parametrize("family", PRICED, indirect=True, scope="module")
@pytest.mark.parametrize("setting", OTHER_SETTINGS, ids=named)
def test_so_it_does_with_other_options(setting, folder, plain, spec_for):
    keeps_its_contract(setting, folder, plain, spec_for)


def keeps_its_contract(setting, folder, plain, spec_for):
    files = EncoderFiles("tiny", folder)
    method = METHODS[setting["name"]].model_validate(setting)
    check_method_plans(method, files.variables(2), files.num_layers)

    spec = spec_above_a_depth(setting, files, spec_for)
    if spec.plan.added:
        check_method_model(with_method(plain, spec), plain)


def spec_above_a_depth(setting, files, spec_for):
    depth = files.depths[1] if len(files.depths) > 2 else 0
    return spec_for(files.path, method=setting, freeze={"depth": depth})


def with_method(plain, spec):
    classifier = replanned(plain, spec)
    classifier.reset(seed=0)  # gives what the method adds its first values
    return classifier


# Prices are the same on every CPU, so these are no tests of numbers.
@pytest.mark.parametrize("family", PRICED, indirect=True, scope="module")
@pytest.mark.parametrize(
    "setting", [*({"name": name} for name in METHODS), *OTHER_SETTINGS], ids=named
)
def test_method_is_priced_exactly(setting, folder, plain, spec_for):
    spec = spec_above_a_depth(setting, EncoderFiles("tiny", folder), spec_for)
    if spec.plan.added:
        check_flops(with_method(plain, spec), spec)


def test_training_all_weights_is_priced_exactly(family, folder, plain, spec_for):
    if family in PRICED:
        check_flops(plain, spec_for(folder))


def test_layers_that_are_computed_again_are_priced_twice(make_encoder, spec_for, tmp_path):
    folder = make_encoder(tmp_path / "bert")
    options = {"method": {"name": "lora"}, "training": {"recompute": True}}
    spec = spec_for(folder, freeze={"depth": 1}, **options)

    check_flops(build(spec, Pretrained()), spec)
