"""A saved configuration explains itself and loads to an equal one."""

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tf_finetune.config.describe import list_sections
from tf_finetune.config.experiment import ExperimentConfig
from tf_finetune.config.loading import load_config
from tf_finetune.config.saving import dump_config, write_config
from tf_finetune.config.schema import json_schema
from tf_finetune.errors import UserError
from tf_finetune.methods.full import Full
from tf_finetune.methods.table import METHODS
from tf_finetune.options.tried import OwnRates


def values_of(schema, name=""):
    """Valid values of a part of the JSON Schema, so that new options are tested as well."""
    if "$ref" in schema:
        schema = json_schema()["$defs"][schema["$ref"].rsplit("/", 1)[-1]]
    if "anyOf" in schema:
        return st.one_of([values_of(branch, name) for branch in schema["anyOf"]])
    if "enum" in schema:
        return st.sampled_from(schema["enum"])
    if "const" in schema:
        return st.just(schema["const"])
    return {
        "null": lambda: st.none(),
        "boolean": lambda: st.booleans(),
        "integer": lambda: integers(schema),
        "number": lambda: numbers(schema),
        "string": lambda: texts(schema, name),
        "array": lambda: arrays(schema),
        "object": lambda: mappings(schema, name),
    }[schema["type"]]()


def integers(schema):
    last = schema.get("exclusiveMaximum", schema.get("maximum", 2**40) + 1) - 1
    return st.integers(schema.get("minimum", -(2**40)), int(last))


def numbers(schema):
    return st.floats(
        schema.get("minimum", schema.get("exclusiveMinimum", -1e300)),
        schema.get("maximum", schema.get("exclusiveMaximum", 1e300)),
        exclude_min="exclusiveMinimum" in schema,
        exclude_max="exclusiveMaximum" in schema,
    )


def arrays(schema):
    sizes = {"min_size": schema.get("minItems", 0), "max_size": schema.get("maxItems", 3)}
    items = st.lists(values_of(schema["items"]), unique_by=str, **sizes)
    return items.map(sorted) if schema.get("maxItems") == 2 else items  # the ends of a range


def texts(schema, name):
    if name == "time_budget":
        return st.sampled_from(["90s", "20m", "1h30m"])
    if name.endswith("_budget"):
        return st.sampled_from(["500MB", "2GiB", "1.5T"])
    if name == "encoding":
        return st.sampled_from(["utf-8", "latin-1"])
    if name == "pattern":
        return st.text(st.characters(exclude_characters="\\[](){}*+?|^$"))
    if "pattern" in schema:  # layers and search.depths, whose ranges go upwards
        return st.lists(st.integers(0, 20).map(str), min_size=1).map(",".join)
    return st.text(min_size=schema.get("minLength", 0), max_size=schema.get("maxLength"))


def mappings(schema, name):
    if "properties" not in schema:
        keys = st.integers(0, 99).map(str) if name.endswith("by_depth") else st.text()
        return st.dictionaries(keys, values_of(schema["additionalProperties"]), max_size=3)
    fields = {name: values_of(field, name) for name, field in schema["properties"].items()}
    required = {name: fields.pop(name) for name in schema.get("required", [])}
    return st.fixed_dictionaries(required, optional=fields)


def own_options(setting, beside=()):
    """Those of a method that it has itself, and others that may stand beside."""
    fields = {*METHODS[setting.get("name", "full")].model_fields, *beside}
    return {name: value for name, value in setting.items() if name in fields}


def make_consistent(values):
    """Meets the checks across options."""
    training = values.get("training", {})
    training["accumulation_steps"] = 1
    if training.get("strategy") == "multi_worker":
        training |= {"precision": "float32", "padding": "auto"}
    search = values.get("search", {})
    if search.get("learning_rates") is not None:
        search["learning_rate_range"] = None
    if len(search.get("seeds", (0, 1))) < 2 or search.get("train_on_validation"):
        search["ensemble"] = False
    lists, ranges = (search.get(f"learning_rate{kind}_by_depth", {}) for kind in ("s", "_ranges"))
    for depth in {*lists} & {*ranges}:
        del ranges[depth]
    encoder, freeze = values.get("encoder", {}), values.get("freeze", {})
    if encoder.get("layers") is not None and freeze.get("depth", 0) > encoder["layers"]:
        freeze["depth"] = encoder["layers"]
    if freeze.get("thaw"):  # later and less deep than what is before
        count, epochs = len(freeze["thaw"]), training.get("epochs", 3)
        training["epochs"] = max(epochs, count + 1)
        values["training"] = training
        freeze["depth"] = max(freeze.get("depth", 0), count)
        for index, phase in enumerate(freeze["thaw"]):
            phase |= {"from_epoch": index + 2, "depth": count - 1 - index}
        if training.get("solver") == "exact":
            del training["solver"]
        if encoder.get("layers") is not None:
            encoder["layers"] = max(encoder["layers"], freeze["depth"])
    if "method" in values:  # options of its own alone
        values["method"] = own_options(values["method"])
    if search.get("methods"):
        first = search["methods"][0]  # two of them may be the same, said in other words
        search["methods"] = [
            first if isinstance(first, str) else own_options(first, OwnRates.model_fields)
        ]
    data = values.get("data", {})
    if data.get("folds"):
        data |= {"validation": None, "validation_fraction": 0.0}
        search |= dict.fromkeys(
            ("median_stopping", "train_on_validation", "ensemble", "learning_curve"), False
        )
        training["strategy"] = "auto"
    return values


CONFIGS = values_of(json_schema()).map(make_consistent).map(ExperimentConfig.model_validate)


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None, max_examples=60)
@given(CONFIGS)
def test_every_valid_configuration_survives_saving(tmp_path_factory, config):
    path = tmp_path_factory.mktemp("saved") / "config.yaml"
    write_config(config, path)

    assert load_config(path) == config


def test_file_name_that_is_not_utf8_survives_saving(tmp_path):
    config = load_config(None, ["data.train=not-utf8-\udcff.csv"])
    write_config(config, tmp_path / "config.yaml")

    assert load_config(tmp_path / "config.yaml") == config


def test_every_option_stands_below_its_description():
    text = dump_config(ExperimentConfig())
    words = " ".join(text.replace("#", " ").split())

    saved = yaml.safe_load(text)
    for section in list_sections():
        for option in section.options:
            name = option.name.split(".")[1]
            if section.name == "method" and name not in Full.model_fields:
                continue  # of another method
            assert name in saved[section.name]
            assert " ".join(option.description.split()) in words


def test_other_readers_of_yaml_see_the_same_types():
    config = load_config(None, ["data.text_column=6", "training.learning_rate=5e-5"])

    saved = yaml.safe_load(dump_config(config))

    assert saved["data"]["text_column"] == "6"
    assert saved["training"]["learning_rate"] == 5e-5


def test_lines_are_short_where_the_values_are():
    assert max(map(len, dump_config(ExperimentConfig()).splitlines())) <= 92


def test_folder_that_is_not_there_is_reported(tmp_path):
    with pytest.raises(UserError, match="cannot be written"):
        write_config(ExperimentConfig(), tmp_path / "no" / "config.yaml")
