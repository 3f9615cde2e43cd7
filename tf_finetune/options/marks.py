"""What an option decides; whoever keeps or reuses a result asks the marks, and no list of names."""

from enum import Enum


class Mark(Enum):
    """What an option decides, written into its type: `epochs: Annotated[int, Mark.COURSE]`.

    An option has one mark or more. A forgotten one would let a result be reused that the option
    has changed.
    """

    INPUT = "which encoder and examples are read, and how"
    TEXTS = "how texts are read from a file, labelled or not; stands beside another mark"
    LABELS = "how labels are read from a file; stands beside another mark"
    STEP = "what a training step computes; it is compiled into the model"
    COURSE = "how a training goes, in values that a compiled model can be given anew"
    TRIAL = "what every trial of a search sets for itself; stands beside another mark"
    STEPWISE = (
        "how training in steps goes; stands beside another mark, and means nothing where the "
        "head alone is solved exactly"
    )
    ANSWER = "what a finished model answers, to the last digit"
    WORK = "how the work is done and its result is scored; the trained model is the same"
    SEARCH = "what a search tries and makes of it; nothing of a single training"
    PLACE = "where files lie and what one machine may spend; nothing of any result"
