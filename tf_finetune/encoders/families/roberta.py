"""RoBERTa (Liu et al. 2019, "A Robustly Optimized BERT Pretraining Approach") and its kin.

The rows 0 and 1 of the table of positions are no token's: the library counts from behind the
padding id. It counts padding ids inside a text as no tokens too; here every token has a position.
"""

from typing import Any

from tf_finetune.encoders.families.bert import Bert
from tf_finetune.encoders.family import Accepted, Places


class Roberta(Bert):
    """RoBERTa: no pooler below the head, whose first dense layer stands for it."""

    model_type = "roberta"
    library = "roberta"
    classifier_class = "TFRobertaForSequenceClassification"
    backbone = "roberta"
    # In PyTorch positions begin behind the padding id, in the library's TensorFlow models at 2.
    accepted = Bert.accepted | {"pad_token_id": Accepted(1, (1,))}
    needs_types = False
    head_names = ("classifier/out_proj", "classifier.out_proj")
    pooler_name = "classifier/dense"
    choice_pooler = "roberta.pooler.dense"
    drops_before_pooler = True
    first_position = 2

    def places(self, wrapped: Any) -> Places:
        """Attributes of `TFRobertaForSequenceClassification`."""
        main, head = getattr(wrapped, self.backbone), wrapped.classifier
        return Places([main.embeddings], list(main.encoder.layer), [head.dense], head.out_proj)


class XlmRoberta(Roberta):
    """XLM-R (Conneau et al. 2020, "Unsupervised Cross-lingual Representation Learning")."""

    model_type = "xlm-roberta"
    library = "xlm_roberta"
    classifier_class = "TFXLMRobertaForSequenceClassification"


class Camembert(Roberta):
    """CamemBERT (Martin et al. 2020, "a Tasty French Language Model")."""

    model_type = "camembert"
    library = "camembert"
    classifier_class = "TFCamembertForSequenceClassification"
