"""Every method keeps what the rest of the project relies on; see tests/training/test_methods.py."""

import pytest
from check_flops import check_flops
from check_method import check_method_model, check_method_plans

from tf_finetune.encoders.families.table import FAMILIES
from tf_finetune.encoders.locating import EncoderFiles
from tf_finetune.methods.method import Method
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


def named(setting):
    return "-".join([setting["name"], *(key for key in setting if key != "name")])


# What a method meets in a layer. Families that take all of it from the same class are one to it,
# and a pair takes a second: one is held against every method, each other family against two.
LAYER = ("encoder", "block", "distances", "sharing", "products")


def alike(*names):
    """The last family of each kind, by what stands under some names of its class."""
    kinds = {tuple(getattr(type(f), n, None) for n in names): key for key, f in FAMILIES.items()}
    return list(kinds.values())


# Families that multiply in ways of their own; all others are as one of these.
PRICED = alike("products")
# Without variables of its own a method is computed as none is; its plans alone are another's.
# Methods of pairs add what one of labels does, and differ in what steps make smaller alone.
ADDING = [
    name
    for name, method in METHODS.items()
    if method.added is not Method.added and method.learns_from == "labels"
]
OWN_LAYERS = alike(*LAYER)
HELD = [
    (family, name)
    for at, family in enumerate(FAMILIES)
    for number, name in enumerate(ADDING)
    if family in OWN_LAYERS or (number - 2 * at) % len(ADDING) < 2  # two in turn
]
# A trace takes seconds: each method once in each of these families, with the usual setting in the
# first and in the others with the usual one and the other by turns.
PRICES = [
    (family, OTHER_SETTINGS[number] if (at + number) % 2 and at else {"name": name})
    for at, family in enumerate(PRICED)
    for number, name in enumerate(ADDING)
]


@pytest.fixture(scope="module")
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


@pytest.mark.parametrize("name", METHODS)
@pytest.mark.parametrize("family", FAMILIES, indirect=True, scope="module")
def test_plans_are_those_of_the_method_at_every_depth(name, folder):
    files = EncoderFiles("tiny", folder)

    check_method_plans(METHODS[name](), files.variables(2), files.num_layers)


def test_selection_holds_every_family_and_every_method():
    families, names = (set(found) for found in zip(*HELD, strict=True))
    assert (families, names) == (set(FAMILIES), set(ADDING))
    assert all((family, name) in HELD for family in PRICED for name in ADDING)
    assert all(name in {n for f, n in HELD if f not in OWN_LAYERS} for name in ADDING)
    assert [setting["name"] for setting in OTHER_SETTINGS] == ADDING
    assert all(setting in [s for _, s in PRICES] for setting in OTHER_SETTINGS)
    assert {(f, s["name"]) for f, s in PRICES} == {(f, n) for f in PRICED for n in ADDING}


@pytest.mark.numeric
@pytest.mark.parametrize(("family", "name"), HELD, indirect=["family"], scope="module")
def test_method_keeps_its_contract(name, folder, plain, spec_for):
    keeps_its_contract({"name": name}, folder, plain, spec_for)


@pytest.mark.numeric
@pytest.mark.parametrize("family", PRICED, indirect=True, scope="module")
@pytest.mark.parametrize("setting", OTHER_SETTINGS, ids=named)
def test_so_it_does_with_other_options(setting, folder, plain, spec_for):
    files = EncoderFiles("tiny", folder)
    method = METHODS[setting["name"]].model_validate(setting)
    check_method_plans(method, files.variables(2), files.num_layers)

    keeps_its_contract(setting, folder, plain, spec_for)


def keeps_its_contract(setting, folder, plain, spec_for):
    spec = spec_above_a_depth(setting, EncoderFiles("tiny", folder), spec_for)
    assert spec.plan.added
    check_method_model(with_method(plain, spec), plain)


def spec_above_a_depth(setting, files, spec_for):
    depth = files.depths[1] if len(files.depths) > 2 else 0
    return spec_for(files.path, method=setting, freeze={"depth": depth})


def with_method(plain, spec):
    classifier = replanned(plain, spec)
    classifier.reset(seed=0)  # gives what the method adds its first values
    return classifier


# Prices are the same on every CPU, so these are no tests of numbers.
@pytest.mark.parametrize(
    ("family", "setting"),
    PRICES,
    indirect=["family"],
    scope="module",
    ids=[f"{family}-{named(setting)}" for family, setting in PRICES],
)
def test_method_is_priced_exactly(setting, folder, plain, spec_for):
    spec = spec_above_a_depth(setting, EncoderFiles("tiny", folder), spec_for)
    assert spec.plan.added
    check_flops(with_method(plain, spec), spec)


@pytest.mark.parametrize("family", PRICED, indirect=True, scope="module")
def test_training_all_weights_is_priced_exactly(folder, plain, spec_for):
    check_flops(plain, spec_for(folder))


def test_layers_that_are_computed_again_are_priced_twice(make_encoder, spec_for, tmp_path):
    folder = make_encoder(tmp_path / "bert")
    options = {"method": {"name": "lora"}, "training": {"recompute": True}}
    spec = spec_for(folder, freeze={"depth": 1}, **options)

    check_flops(build(spec, Pretrained()), spec)
