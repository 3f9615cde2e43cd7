"""The table of commands: what each is for and what it takes. `trainers/VERB.py` runs VERB."""

from dataclasses import dataclass

from tf_finetune.config import uses
from tf_finetune.config.uses import Uses


@dataclass(frozen=True)
class Argument:
    """A positional argument, or a flag if the name begins with a dash.

    Attributes:
        name: Such as FILE or --config.
        meaning: For --help.
        required: Whether a positional argument may not be left out.
        value: What the value of a flag stands for in --help; None for a switch without one.
        default: Value of a flag that is left out.
        repeated: Whether a flag may be given several times; its value is then a list.
    """

    name: str
    meaning: str
    required: bool = True
    value: str | None = "FILE"
    default: str | None = None
    repeated: bool = False


@dataclass(frozen=True)
class Command:
    """A verb and its command line.

    Attributes:
        summary: One line for the list of commands.
        arguments: Positional arguments in order, and flags.
        examples: What follows the verb, and what that does.
        file_option: The option that the positional FILE is short for.
        uses: The options that it takes as `section.name=value`; None if it takes none.
        required: Options that must not be null.
    """

    summary: str
    arguments: tuple[Argument, ...] = ()
    examples: tuple[tuple[str, str], ...] = ()
    file_option: str | None = None
    uses: Uses | None = None
    required: tuple[str, ...] = ()

    @property
    def takes_a_run(self) -> bool:
        """Whether it takes what `train` made, and not what to train."""
        return self.arguments[:1] == (_RUN,)

    @property
    def flags(self) -> list[Argument]:
        """The arguments that begin with a dash."""
        return [argument for argument in self.arguments if argument.name.startswith("-")]

    @property
    def positionals(self) -> list[Argument]:
        """The arguments that are told by their order."""
        return [argument for argument in self.arguments if not argument.name.startswith("-")]


_TRAINING_FILE = Argument("FILE", "training examples; short for data.train=FILE", required=False)
_CONFIG = Argument("--config", "YAML file with options; `init` writes one")
_ANY_RUN = Argument("RUN", "folder of a run or a search, finished or not")
_RUN = Argument("RUN", "folder of a finished run, such as runs/reviews")
_TEXTS = (
    Argument(
        "FILE",
        'a file of texts, - for standard input with a text a line, or a text: "a fine film"',
        required=False,
    ),
    Argument("--text", "a text, in place of FILE; again for more", value="TEXT", repeated=True),
    Argument("--text-pair", "its second text, of a model of pairs", value="TEXT", repeated=True),
)

COMMANDS: dict[str, Command] = {
    "train": Command(
        "fine-tune an encoder on a file of labelled texts",
        (_TRAINING_FILE, _CONFIG),
        (
            ("reviews.csv", "every default, columns inferred"),
            ("--config config.yaml freeze.depth=4", "a file, with one option changed"),
        ),
        file_option="data.train",
        required=("data.train",),
        uses=uses.TRAIN,
    ),
    "search": Command(
        "try frozen depths and learning rates, say which to take, and train that",
        (_TRAINING_FILE, _CONFIG),
        (
            ("reviews.csv search.time_budget=30m", "every depth, as far as half an hour goes"),
            ("--config search.yaml search.depths=0,2,4,6", "a file, with one option changed"),
        ),
        file_option="data.train",
        required=("data.train",),
        uses=uses.SEARCH,
    ),
    "evaluate": Command(
        "score a trained model on its test examples or on another file",
        (
            _RUN,
            Argument("FILE", "labelled examples; without, the run's test set", required=False),
            Argument(
                "--suspects",
                "also list N examples whose label is probably wrong: of FILE, or without of the "
                "run's training set",
                value="N",
            ),
        ),
        (
            ("runs/reviews", "the test set of the run"),
            ("runs/reviews new.csv", "another file"),
            ("runs/reviews --suspects 100", "also labels of the training set to look at"),
        ),
        uses=uses.EVALUATE,
    ),
    "predict": Command(
        "label new texts with a trained model",
        (
            _RUN,
            *_TEXTS,
            Argument(
                "--output",
                "JSONL, CSV, TSV or Parquet file, by its ending; without, standard output gets "
                "JSON lines, a terminal a readable line a text",
            ),
            Argument("--top-k", "give only the K most probable labels of each text", value="K"),
            Argument(
                "--at-least",
                "mark each answer as sure or not, sure from this probability on, and count those "
                "that are not",
                value="P",
            ),
        ),
        (
            ('runs/reviews "a fine film"', "one text"),
            ("runs/reviews new.csv", "texts of a file"),
            ("runs/reviews - < lines.txt", "a pipe, each line answered as it comes"),
            ("runs/reviews new.csv --output answers.csv", "goes on if it was interrupted"),
        ),
        uses=uses.PREDICT,
    ),
    "rank": Command(
        "say which unlabelled texts to label next, and why",
        (
            _RUN,
            Argument("FILE", "unlabelled texts, or - for standard input with a text a line"),
            Argument("--count", "texts to choose", value="N", default="100"),
            Argument(
                "--by",
                "margin or entropy: the least sure texts; coverage: such that are not alike; "
                "without, margin, of a model of numbers coverage",
                value="NAME",
            ),
            Argument("--balanced", "as many of each class that is predicted", value=None),
            Argument(
                "--labelled",
                "texts that are labelled by now and left out, as the run's own examples are; again "
                "for more",
                repeated=True,
            ),
            Argument("--output", "CSV or TSV file, by its ending; without, standard output"),
        ),
        (
            ("runs/reviews new.csv --output next.csv", "the 100 texts of which it is least sure"),
            ("runs/reviews new.csv --by coverage --count 20", "20 that stand for the doubtful"),
            ("runs/reviews new.csv --labelled next.csv", "goes on after those are labelled"),
        ),
        uses=uses.RANK,
    ),
    "explain": Command(
        "show which words decided a prediction, as coloured HTML and JSON",
        (
            _RUN,
            *_TEXTS,
            Argument(
                "--label",
                "explain this label, or the likeliest entity of this kind; without, the predicted "
                "one",
                value="NAME",
            ),
            Argument(
                "--entity",
                "explain this entity of each text (of the --label, if given), from 1; without, the "
                "likeliest",
                value="N",
            ),
            Argument(
                "--answer",
                "of questions explain this text of each context, '' why there is no answer; "
                "without, the model's answer",
                value="TEXT",
            ),
            Argument(
                "--output",
                "HTML page, JSON or JSONL file, by its ending; again for more; without, JSON lines "
                "on standard output",
                repeated=True,
            ),
            Argument("--limit", "explain only the first N texts", value="N"),
            Argument("--steps", "steps of integration to begin with", value="N", default="16"),
            Argument("--max-steps", "double them up to this many", value="N", default="1024"),
            Argument(
                "--tolerance",
                "until the contributions add up to within this share of their magnitudes",
                value="SHARE",
                default="0.01",
            ),
        ),
        (
            ('runs/reviews --text "a fine film" --output why.html', "a page with coloured words"),
            ("runs/reviews new.csv --limit 20 --output why.html --output why.json", "two forms"),
            (
                "runs/reviews - --label pos < lines.txt",
                "what speaks for pos, whatever is predicted",
            ),
        ),
        uses=uses.EXPLAIN,
    ),
    "check": Command(
        "check a trained model with changed texts, known answers and parts of the data",
        (
            _RUN,
            Argument("FILE", "labelled examples; without, the run's test set", required=False),
            Argument("--checks", "YAML file with checks and lists of words beside the packaged"),
            Argument(
                "--by",
                "score the texts also by the values of this column of the data; again for more",
                value="COLUMN",
                repeated=True,
            ),
            Argument(
                "--most-flipped",
                "end with exit code 1 if a check fails on more than this share of its texts",
                value="SHARE",
            ),
            Argument(
                "--shift",
                "also say how well the texts of FILE are told from those of training",
                value=None,
            ),
            Argument(
                "--tolerance",
                "of a model of numbers: by how much an answer may change; a quarter of the "
                "labels' deviation if left out",
                value="VALUE",
            ),
            Argument(
                "--limit", "check N texts, drawn by the seed; 0: all", value="N", default="2000"
            ),
            Argument("--seed", "of the changes and the draw", value="N", default="0"),
        ),
        (
            ("runs/reviews", "typos, case, names …, on the run's test set"),
            ("runs/reviews --most-flipped 0.1", "exit code 1 where more than a tenth flips"),
            ("runs/reviews new.csv --checks mine.yaml --by source", "checks and a slice of yours"),
        ),
        uses=uses.CHECK,
    ),
    "serve": Command(
        "answer texts over HTTP on this machine",
        (
            _RUN,
            Argument("--host", "address to listen on", value="HOST", default="127.0.0.1"),
            Argument("--port", "port to listen on; 0 takes a free one", value="N", default="8000"),
            Argument("--token-file", "file with the token that clients send as bearer"),
            Argument("--max-body-bytes", "largest body of a request", value="N", default="1048576"),
            Argument("--max-texts", "most texts of a request", value="N", default="128"),
            Argument("--max-characters", "longest text", value="N", default="20000"),
            Argument("--max-waiting", "most texts that wait at a time", value="N", default="1024"),
            Argument("--max-batch", "most texts computed together", value="N", default="64"),
            Argument("--log-texts", "log texts, addresses and numbers taken out", value=None),
        ),
        (
            ("runs/reviews", "on http://127.0.0.1:8000, with an API page at /docs"),
            ("runs/reviews --host 0.0.0.0 --token-file token", "for other machines"),
        ),
        uses=uses.SERVE,
    ),
    "export": Command(
        "hand a trained model over: Hugging Face folder, adapter of PEFT, SavedModel, LiteRT files",
        (
            _RUN,
            Argument(
                "FILE",
                "labelled examples to measure on; without, the run's test set",
                required=False,
            ),
            Argument(
                "--to",
                "huggingface, peft, savedmodel, litert, or several with commas",
                value="FORMATS",
            ),
            Argument("--output", "folder for a folder of each format; without, export/ of the run"),
            Argument(
                "--precisions",
                "LiteRT files to write: float32, float16, int8 (without, these), static-int8, "
                "full-int8",
                value="NAMES",
            ),
            Argument(
                "--max-loss",
                "refuse smaller models and LiteRT files that lose more of the score, such as 0.005",
                value="LOSS",
            ),
            Argument(
                "--drop-layers",
                "leave out this many top layers; auto: those that probes find idle",
                value="N",
            ),
            Argument(
                "--prune-heads",
                "remove the least important attention heads: a number, or a share such as 0.25",
                value="N",
            ),
            Argument(
                "--distil",
                "teach a student of this many first layers what the model answers",
                value="LAYERS",
            ),
            Argument(
                "--epochs",
                "training of the smaller model; 3 if left out, 0: none",
                value="N",
            ),
            Argument(
                "--learning-rate",
                "of that training; 1e-3 if left out, with --distil 1e-4",
                value="RATE",
            ),
            Argument(
                "--temperature",
                "softens the answers that --distil imitates; 2 if left out",
                value="T",
            ),
            Argument(
                "--teacher-weight",
                "share of the loss that comes from these answers, not the labels; 0.5 if left out",
                value="SHARE",
            ),
            Argument("--force", "replace earlier exports", value=None),
        ),
        (
            ("runs/reviews --to huggingface", "for transformers, with a model card"),
            ("runs/reviews --to peft", "what LoRA added alone, for PyTorch's PEFT"),
            ("runs/reviews --to savedmodel", "for TensorFlow Serving; takes texts"),
            ("runs/reviews --to litert --max-loss 0.01", "three files and what each loses"),
            ("runs/reviews --to litert --distil 3", "half the layers of MiniLM, taught by all six"),
        ),
        uses=uses.EXPORT,
    ),
    "plan": Command(
        "show which variables would be trained and what that costs",
        (
            Argument(
                "FILE",
                "training examples: also times a few batches, to say whether their states would "
                "be kept",
                required=False,
            ),
            _CONFIG,
            Argument("--rows", "one line a variable instead of a layer", value=None),
            Argument("--num-labels", "outputs of the head", value="N", default="2"),
        ),
        (
            ("freeze.depth=4", "what freezing four layers saves"),
            ("reviews.csv freeze.depth=4", "also whether the prefix cache would pay"),
        ),
        file_option="data.train",
        uses=uses.PLAN,
    ),
    "preflight": Command(
        "compile the training step for TPUs without one: memory, FLOPs, estimated times",
        (
            _CONFIG,
            Argument(
                "--chips", "v5e, v5p, v4, v6e, or several with commas", value="NAMES", default="v5e"
            ),
            Argument(
                "--depths", "all, or such as 0,2,4 or 0-3; without, freeze.depth", value="DEPTHS"
            ),
            Argument(
                "--batch-sizes",
                "such as 32,256, over all devices; without, training.batch_size",
                value="SIZES",
            ),
            Argument(
                "--mean-tokens",
                "mean tokens of a text, by which rows are packed; without, each fills a row",
                value="N",
            ),
            Argument("--devices", "devices that a batch is split over", value="N", default="1"),
            Argument(
                "--examples", "training examples, for the job's time", value="N", default="10000"
            ),
            Argument("--num-labels", "outputs of the head", value="N", default="2"),
            Argument(
                "--run",
                "execute steps of real texts and weights instead, on the device that JAX sees",
                value=None,
            ),
            Argument(
                "--output",
                "folder for preflight.json and preflight.png, or of --run for the steps",
                value="DIR",
                default="runs/preflight",
            ),
        ),
        (
            ("--depths 0,4 --batch-sizes 32,256", "two depths and two batch sizes on a v5e"),
            (
                "--run --depths 0,4",
                "execute a step, of tokens and of cached states",
            ),
        ),
        uses=uses.PREFLIGHT,
    ),
    "profile": Command(
        "probe how readable the labels are at every depth, before any training",
        (_TRAINING_FILE, _CONFIG, Argument("--output", "JSON file to write")),
        (("reviews.csv", "one forward pass and a linear model a layer"),),
        file_option="data.train",
        required=("data.train",),
        uses=uses.PROFILE,
    ),
    "validate": Command(
        "check configuration and data without training",
        (_TRAINING_FILE, _CONFIG),
        (
            ("reviews.csv", "can every row be read?"),
            ("--config config.yaml", "every mistake of a configuration and its data"),
        ),
        file_option="data.train",
        required=("data.train",),
        uses=uses.VALIDATE,
    ),
    "verify": Command(
        "hold every file of a run against the checksums written with it",
        (_ANY_RUN,),
        (("runs/reviews", "names each file that is damaged, changed or missing"),),
    ),
    "init": Command(
        "write a commented configuration for a file of labelled texts",
        (
            Argument("FILE", "training examples"),
            Argument("--output", "file to write", default="config.yaml"),
            Argument("--force", "replace the file if there is one", value=None),
            Argument(
                "--thaw",
                "also write phases that unfreeze the encoder layer by layer, to be edited",
                value=None,
            ),
        ),
        (("reviews.csv", "writes config.yaml"),),
    ),
    "doctor": Command(
        "check that the installation can train on this machine",
    ),
}
