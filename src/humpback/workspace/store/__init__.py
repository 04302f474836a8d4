"""A copy of a run's folder on storage that is not mounted, from which another machine goes on."""

from humpback.workspace.store.copying import Copying, WantedStep
from humpback.workspace.store.files import StoreFiles
from humpback.workspace.store.kept import Kept, get_whole, kept_at
from humpback.workspace.store.open import check_store, open_copy

__all__ = ["Copying", "Kept", "StoreFiles", "WantedStep", "check_store", "get_whole", "kept_at", "open_copy"]
