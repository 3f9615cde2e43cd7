"""The methods by the name that `method.name` takes: one line each."""

from tf_finetune.methods.adalora import AdaLora
from tf_finetune.methods.adapters import Adapters
from tf_finetune.methods.biases import Biases
from tf_finetune.methods.contrastive import Contrastive, ContrastiveLora
from tf_finetune.methods.full import Full
from tf_finetune.methods.ia3 import Ia3
from tf_finetune.methods.lora import Lora
from tf_finetune.methods.method import Method
from tf_finetune.methods.norms import Norms
from tf_finetune.methods.prefix_tuning import PrefixTuning

METHODS: dict[str, type[Method]] = {
    "full": Full,
    "biases": Biases,
    "norms": Norms,
    "lora": Lora,
    "adalora": AdaLora,
    "ia3": Ia3,
    "adapters": Adapters,
    "prefix_tuning": PrefixTuning,
    "contrastive": Contrastive,
    "contrastive_lora": ContrastiveLora,
}
