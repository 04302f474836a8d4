"""Models on disk: the built-in one, what a folder holds, and loading it."""

from humpback.models.adapter import is_adapter
from humpback.models.builtin import BUILTIN, builtin_model
from humpback.models.folder import ModelInfo, inspect_model, model_digest, model_folder, stored_dtype
from humpback.models.load import checked_base, device_name, is_out_of_memory, load_model, load_tokenizer, resolved_dtype

__all__ = [
    "BUILTIN",
    "ModelInfo",
    "builtin_model",
    "checked_base",
    "device_name",
    "inspect_model",
    "is_adapter",
    "is_out_of_memory",
    "load_model",
    "load_tokenizer",
    "model_digest",
    "model_folder",
    "resolved_dtype",
    "stored_dtype",
]
