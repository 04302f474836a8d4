"""What the `datasets` library and the hub call the columns of an Arrow schema."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pyarrow as pa

_METADATA_KEY = "huggingface"  # where `datasets` looks in a Parquet file


def with_features(schema: pa.Schema) -> pa.Schema:
    """The schema with the metadata from which `load_dataset` takes its types.

    Lists stand as JSON lists of one type: that form is read by versions of `datasets` before and after 4.0, which
    changed the name of the type.
    """
    features = {field.name: _feature(field.type) for field in schema}
    return schema.with_metadata({_METADATA_KEY: json.dumps({"info": {"features": features}})})


def card_features(schema: pa.Schema) -> list[dict[str, Any]]:
    """The same types as a card's `dataset_info.features` states them."""
    return [{"name": field.name} | _card_type(field.type) for field in schema]


def _feature(kind: pa.DataType) -> Any:
    import pyarrow as pa

    if pa.types.is_list(kind):
        return [_feature(kind.value_type)]
    if pa.types.is_struct(kind):
        return {field.name: _feature(field.type) for field in kind}
    return {"dtype": _scalar(kind), "_type": "Value"}


def _card_type(kind: pa.DataType) -> dict[str, Any]:
    import pyarrow as pa

    if pa.types.is_struct(kind):
        return {"struct": _card_struct(kind)}
    if not pa.types.is_list(kind):
        return {"dtype": _scalar(kind)}
    item = kind.value_type
    return {"list": _card_struct(item) if pa.types.is_struct(item) else _scalar(item)}


def _card_struct(kind: pa.DataType) -> list[dict[str, Any]]:
    """The fields of a nested type."""
    return [{"name": field.name} | _card_type(field.type) for field in kind]


def _scalar(kind: pa.DataType) -> str:
    return {"double": "float64"}.get(str(kind), str(kind))  # Arrow's name for it is C's
