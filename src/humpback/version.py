"""The release of the package and the layout version of a run's folder."""

__version__ = "0.1.0"

# Raised whenever files of a run's folder change their meaning, so that an older folder is refused, not misread.
WORKSPACE_VERSION = 1
