from pathlib import Path

import pytest
from tensorboard.backend.event_processing import (
    data_provider,
    plugin_event_multiplexer,
)
from tensorboard.context import RequestContext
from tensorboard.plugins.base_plugin import TBContext
from tensorboard.plugins.hparams import (
    api_pb2,
    backend_context,
    get_experiment,
    list_session_groups,
)

from tf_finetune.reports.hparams import write_hparams_columns, write_trial_hparams
from tf_finetune.reports.page.content import TrialRow

GIVEN = {
    "trainable_parameters": 3_698_306,
    "seconds_per_epoch": 27.9,
    "examples_per_second": 248.0,
    "peak_memory_bytes": 512 * 2**20,
    "answer_flops": 4.2e9,
}
METRICS = [
    "trial/validation_score",
    "trial/trainable_parameters",
    "trial/seconds_per_epoch",
    "trial/examples_per_second",
    "trial/peak_memory_mib",
    "trial/answer_flops",
]


class Tab:
    """What the HParams tab of TensorBoard gets for a log folder."""

    def __init__(self, logdir: Path):
        multiplexer = plugin_event_multiplexer.EventMultiplexer()
        multiplexer.AddRunsFromDirectory(str(logdir))
        multiplexer.Reload()
        provider = data_provider.MultiplexerDataProvider(multiplexer, str(logdir))
        self._context = backend_context.Context(TBContext(data_provider=provider))

    def _arguments(self):
        context = RequestContext()
        metadata = self._context.hparams_metadata(context, "")
        experiment = self._context.experiment_from_metadata(context, "", True, metadata, [])
        return context, experiment

    def experiment(self):
        context, _ = self._arguments()
        handler = get_experiment.Handler(context, self._context, "", api_pb2.GetExperimentRequest())
        return handler.run()

    def rows(self):
        context, experiment = self._arguments()
        request = api_pb2.ListSessionGroupsRequest(
            start_index=0,
            slice_size=100,
            allowed_statuses=[api_pb2.STATUS_SUCCESS, api_pb2.STATUS_FAILURE],
            col_params=[api_pb2.ColParams(metric=info.name) for info in experiment.metric_infos],
            include_metrics=True,
        )
        handler = list_session_groups.Handler(context, self._context, "", request)
        return list(handler.run().session_groups)


def test_every_trial_is_a_row_with_its_options_and_metrics(tmp_path):
    write_hparams_columns(tmp_path, "accuracy", [0, 4], [1e-4, 3e-4], [0, 1])
    for depth in (0, 4):
        for seed in (0, 1):
            trial = TrialRow(depth, 3e-4, seed, score=0.8 + depth / 100 + seed / 1000, **GIVEN)
            write_trial_hparams(tmp_path / f"depth{depth}-seed{seed}", trial)
    tab = Tab(tmp_path)
    infos = tab.experiment()
    assert [info.name for info in infos.hparam_infos] == ["frozen_depth", "learning_rate", "seed"]
    assert [info.name.tag for info in infos.metric_infos] == METRICS
    assert infos.metric_infos[0].display_name == "validation accuracy"
    rows = {row.name: row for row in tab.rows()}
    assert sorted(rows) == [
        "depth=0 lr=3e-4 seed=0",
        "depth=0 lr=3e-4 seed=1",
        "depth=4 lr=3e-4 seed=0",
        "depth=4 lr=3e-4 seed=1",
    ]
    row = rows["depth=4 lr=3e-4 seed=1"]
    options = {name: value.number_value for name, value in row.hparams.items()}
    assert options == {"frozen_depth": 4.0, "learning_rate": 3e-4, "seed": 1.0}
    values = {value.name.tag: value.value for value in row.metric_values}
    assert values == pytest.approx(
        dict(zip(METRICS, (0.841, 3_698_306, 27.9, 248.0, 512.0, 4.2e9), strict=True))
    )


def test_a_failed_trial_is_a_failed_row_without_a_score(tmp_path):
    write_hparams_columns(tmp_path, "loss", [0], [1e-4], [0])
    write_trial_hparams(tmp_path / "a", TrialRow(0, 1e-4, 0, status="failed", reason="diverged"))
    (row,) = Tab(tmp_path).rows()
    assert row.sessions[0].status == api_pb2.STATUS_FAILURE
    assert list(row.metric_values) == []


def test_a_method_is_a_column_by_its_short_name(tmp_path):
    write_hparams_columns(tmp_path, "accuracy", [4], [1e-4], [0], {"method": ["full", "biases"]})
    for method in ("full", "biases"):
        trial = TrialRow(4, 1e-4, 0, {"method": method}, score=0.5)
        write_trial_hparams(tmp_path / method, trial)
    tab = Tab(tmp_path)

    assert "method" in {info.name for info in tab.experiment().hparam_infos}
    assert {row.hparams["method"].string_value for row in tab.rows()} == {"full", "biases"}
    assert sorted(row.name for row in tab.rows())[0] == "depth=4 lr=1e-4 method=biases seed=0"


def test_further_dimensions_of_any_type_are_columns(tmp_path):
    extra = {
        "training.batch_size": [16, 32],
        "search.rule_sets": ["all", "biases"],
        "training.flag": [True, False],
        "training.mixed": [None, 3],
    }
    write_hparams_columns(tmp_path, "accuracy", [0], [1e-4], [0], extra)
    options = {name: values[0] for name, values in extra.items()}
    write_trial_hparams(tmp_path / "a", TrialRow(0, 1e-4, 0, options, score=0.5))
    tab = Tab(tmp_path)
    columns = {info.name for info in tab.experiment().hparam_infos}
    assert columns == {"frozen_depth", "learning_rate", "seed", *extra}
    (row,) = tab.rows()
    assert row.hparams["training.batch_size"].number_value == 16.0
    assert row.hparams["search.rule_sets"].string_value == "all"
    assert row.hparams["training.flag"].bool_value is True
