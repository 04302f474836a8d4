"""Work on shards shared out to a Ray cluster."""

from humpback.cluster.start import open_executor, require_ray

__all__ = ["open_executor", "require_ray"]
