"""The files that the user's words mean, and the streams of bytes in them."""

from humpback.inputs.files import File, content_digest, expand, locate, name_of, unreadable_file
from humpback.inputs.remote import raise_if_lost
from humpback.inputs.streams import (
    Compression,
    ExpansionError,
    StreamError,
    compression_of,
    decompressed,
    guarded,
    peeked,
    rewound,
    spooled,
)

__all__ = [
    "Compression",
    "ExpansionError",
    "File",
    "StreamError",
    "compression_of",
    "content_digest",
    "decompressed",
    "expand",
    "guarded",
    "locate",
    "name_of",
    "peeked",
    "raise_if_lost",
    "rewound",
    "spooled",
    "unreadable_file",
]
