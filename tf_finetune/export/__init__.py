"""The trained model in the forms in which it leaves the project."""

from tf_finetune.export.model_folder import check_model_folder, read_labels, write_model_folder

__all__ = ["check_model_folder", "read_labels", "write_model_folder"]
