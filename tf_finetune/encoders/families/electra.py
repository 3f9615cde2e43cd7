"""ELECTRA (Clark et al. 2020, "Pre-training Text Encoders as Discriminators")."""

from collections.abc import Iterator, Mapping
from typing import Any

from tf_finetune.encoders.families.bert import Bert
from tf_finetune.encoders.family import Places
from tf_finetune.encoders.post_norm import names_of
from tf_finetune.encoders.variables import Variable, dense_variables

_PROJECTION = "electra/embeddings_project"


class Electra(Bert):
    """ELECTRA: embeddings may be narrower than the layers, and a GELU follows the pooler."""

    model_type = "electra"
    library = "electra"
    classifier_class = "TFElectraForSequenceClassification"
    backbone = "electra"
    size_keys = {**Bert.size_keys, "embedding": "embedding_size"}
    head_names = ("classifier/out_proj", "classifier.out_proj")
    pooler_name = "classifier/dense"
    choice_pooler = "sequence_summary.summary"
    pooler_activation = "gelu"
    bounded_pooler = False
    drops_before_pooler = True

    def embedding_variables(self, config: Mapping[str, Any]) -> Iterator[Variable]:
        """The tables, their norm, and what widens the sum."""
        yield from super().embedding_variables(config)
        sizes = self.sizes(config)
        if sizes.embedding != sizes.hidden:
            names, shape = names_of(_PROJECTION), (sizes.embedding, sizes.hidden)
            yield from dense_variables(*names, shape, "embeddings", "embeddings_project")

    def places(self, wrapped: Any) -> Places:
        """Attributes of `TFElectraForSequenceClassification`."""
        main, head = wrapped.electra, wrapped.classifier
        widening = getattr(main, "embeddings_project", None)
        embeddings = [layer for layer in (main.embeddings, widening) if layer is not None]
        return Places(embeddings, list(main.encoder.layer), [head.dense], head.out_proj)

    def projection(self, found: Any) -> Any:
        """What widens the embeddings, where it is needed."""
        return found.layers.get(_PROJECTION)

    def adapted(self, config: Any) -> Any:
        """The library reads the rate before the head under a mistyped name."""
        config.classifhidden_dropout_probier_dropout = config.classifier_dropout
        return config
