from tensorboard.backend.event_processing.event_file_loader import EventFileLoader

from tf_finetune.reports.tensorboard import write_report_figures

DEPTHS = {0: (0.9, 5e-5, 70.0, 22_000_000, None), 6: (0.8, 1e-3, 7.0, 150_000, None)}


def images(folder):
    """The images in a folder of events, by tag: width, height and the PNG."""
    (path,) = folder.glob("events.*")
    return {
        value.tag: value.tensor.string_val
        for event in EventFileLoader(str(path)).Load()
        for value in event.summary.value
    }


def test_the_figures_of_a_page_are_images_in_its_order(search_content, tmp_path):
    content = search_content(
        depths=DEPTHS, seeds=1, n=50, examples=40, splits=("test",), factors=(1.0,)
    )
    write_report_figures(tmp_path, content)
    found = images(tmp_path)
    assert list(found) == [
        "report/01-score-by-depth",
        "report/02-score-by-cost",
        "report/03-cells",
        "report/04-curves-0",
        "report/05-curves-6",
        "report/06-plan",
        "report/07-confusion-test",
    ]
    for width, height, png in found.values():
        assert min(int(width), int(height)) > 200
        assert png.startswith(b"\x89PNG")


def test_a_run_has_images_too(run_content, tmp_path):
    write_report_figures(tmp_path, run_content())
    assert list(images(tmp_path))[:2] == ["report/01-curves-4", "report/02-plan"]
