"""Work on shards shared out to a Ray cluster."""

from humpback.cluster.figures import Figures, Told
from humpback.cluster.start import open_executor, require_ray

__all__ = ["Figures", "Told", "open_executor", "require_ray"]
