"""What the server takes on, and what it turns away."""

from dataclasses import dataclass, fields

from tf_finetune.errors import UserError


@dataclass(frozen=True)
class Limits:
    """Limits of the server; what is beyond one is refused before it costs anything.

    Attributes:
        max_body_bytes: Size of a request's body; beyond it 413.
        max_texts: Texts a request; beyond it 422.
        max_characters: Characters a text; beyond it 422. Longer texts than the model reads
            are cut, as in training.
        max_waiting: Texts accepted and not answered yet; beyond it 503.
        max_batch: Texts that share one turn of the model.
        body_seconds: How long a client may take to send a body; then 408.
    """

    max_body_bytes: int = 2**20
    max_texts: int = 128
    max_characters: int = 20_000
    max_waiting: int = 1024
    max_batch: int = 64
    body_seconds: float = 15.0

    def __post_init__(self) -> None:
        """Checks what would make no sense.

        Raises:
            UserError: A limit is not positive, or no request could ever be accepted.
        """
        problems = [
            f"--{field.name.replace('_', '-')}: received {value}; accepted: 1 or more"
            for field in fields(self)
            if (value := getattr(self, field.name)) < 1
        ]
        if not problems and self.max_waiting < self.max_texts:
            problems.append(
                f"--max-waiting: received {self.max_waiting}; accepted: at least --max-texts "
                f"({self.max_texts})"
            )
        if problems:
            raise UserError(problems)
