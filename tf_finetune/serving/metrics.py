"""What Prometheus can read of a server."""

from collections.abc import Sequence

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, Info, generate_latest

from tf_finetune.serving.drift import DriftWatch

_PREFIX = "tf_finetune"
_SECONDS = (0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30)
_TEXTS = (1, 2, 4, 8, 16, 32, 64, 128, 256)
_CONFIDENCES = (0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99, 1)
_CHARACTERS = (16, 32, 64, 128, 256, 512, 1024, 2048, 4096, 8192, 16384)


class ServerMetrics:
    """The counters of one server, in a registry of their own.

    Attributes:
        requests: Answered requests by path and status.
        seconds: From a request's first byte to its answer's last, by path.
        batch_texts: Texts that shared a turn of the model.
        waiting: Texts accepted and not answered yet.
        answers: Labels given.
        confidence: Probability of the label given, or the mean certainty of several.
        characters: Length of texts.
        reloads: Reloads by result.
        model: Version and task of the model.
    """

    def __init__(self) -> None:
        self._registry = registry = CollectorRegistry()
        self.requests = Counter(
            f"{_PREFIX}_requests", "Answered requests", ["path", "status"], registry=registry
        )
        self.seconds = Histogram(
            f"{_PREFIX}_request_seconds",
            "Time to answer a request",
            ["path"],
            buckets=_SECONDS,
            registry=registry,
        )
        self.batch_texts = self._histogram("batch_texts", "Texts a turn of the model", _TEXTS)
        self.waiting = Gauge(
            f"{_PREFIX}_waiting_texts", "Texts accepted and not answered yet", registry=registry
        )
        self.answers = Counter(f"{_PREFIX}_answers", "Labels given", ["label"], registry=registry)
        self.confidence = self._histogram(
            "confidence", "Probability of the label given", _CONFIDENCES
        )
        self.characters = self._histogram("text_characters", "Length of texts", _CHARACTERS)
        self.reloads = Counter(
            f"{_PREFIX}_reloads", "Reloads of the model", ["result"], registry=registry
        )
        for result in ("done", "refused"):  # a counter that begins at 1 shows no increase
            self.reloads.labels(result)
        self.model = Info(f"{_PREFIX}_model", "The model that answers", registry=registry)
        self._drift = Gauge(
            f"{_PREFIX}_drift_psi",
            "Population stability index of the last texts against training",
            ["quantity"],
            registry=registry,
        )
        self._drift_values = Gauge(
            f"{_PREFIX}_drift_window_values",
            "Values that the index is computed from",
            ["quantity"],
            registry=registry,
        )

    def expose(self, watch: DriftWatch) -> bytes:
        """Everything in Prometheus' text format."""
        # A model before this one may have been watched for more.
        self._drift.clear()
        self._drift_values.clear()
        for quantity, distance in watch.distances().items():
            self._drift.labels(quantity).set(distance)
        for quantity, values in watch.counts().items():
            self._drift_values.labels(quantity).set(values)
        return generate_latest(self._registry)

    def _histogram(self, name: str, meaning: str, buckets: Sequence[float]) -> Histogram:
        return Histogram(f"{_PREFIX}_{name}", meaning, buckets=buckets, registry=self._registry)
