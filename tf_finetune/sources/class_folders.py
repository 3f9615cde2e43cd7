"""A folder with one folder a class, which holds the texts of the class as .txt files."""

from collections.abc import Generator, Iterator
from pathlib import Path

from tf_finetune.options.data import DataConfig
from tf_finetune.sources.file_content import named_file_chunks
from tf_finetune.sources.problems import Problems
from tf_finetune.sources.table import Row, Table
from tf_finetune.sources.text_lines import codec_name, undecodable


def open_class_folders(config: DataConfig, source: str, path: Path) -> Table:
    """Lists the classes of a folder; the columns are `text` and `label`.

    Classes and files come in the order of their names. Hidden files, and files that lie
    beside the class folders (a read-me, a list of sources), are no examples.

    Raises:
        UserError: There is no class folder, one is empty, or one holds something else than
            .txt files.
    """
    classes = [entry for entry in _visible(path) if entry.is_dir()]
    problems = Problems()
    if not classes:
        problems.add(f"{source}: holds no folders; accepted: one folder of .txt files a class")
    for folder in classes:
        _check_class(folder, problems)
    problems.check()
    codec = codec_name(config.encoding)

    def files() -> Iterator[Path]:
        return (file for folder in classes for file in _visible(folder))

    def rows(problems: Problems) -> Generator[Row, None, None]:
        for number, file in enumerate(files(), 1):
            try:
                text = file.read_bytes().decode(codec)
            except UnicodeError as error:
                problems.add(undecodable(file, str(file), config.encoding, error))
                continue
            except OSError as error:
                problems.add(f"{file}: cannot be read: {error.strerror or error}")
                continue
            yield Row(number, {"text": text, "label": file.parent.name}, str(file))

    return Table(
        name=source,
        kind="folder",
        columns=("text", "label"),
        rows=rows,
        content=lambda: named_file_chunks(
            (file.relative_to(path).as_posix(), file) for file in files()
        ),
        options={"encoding": config.encoding},
        advice="of a folder they are always text (a file's content) and label (its folder's name)",
    )


def _check_class(folder: Path, problems: Problems) -> None:
    entries = _visible(folder)
    if not entries:
        problems.add(f"{folder}: is empty; accepted: at least one .txt file a class")
    for entry in entries:
        if entry.suffix.lower() != ".txt" or not entry.is_file():
            problems.add(f"{entry}: is in a class folder; accepted there: .txt files")


def _visible(folder: Path) -> list[Path]:
    """Entries in the order of their names, without hidden ones such as .DS_Store."""
    return sorted(entry for entry in folder.iterdir() if not entry.name.startswith("."))
