"""`humpback review`: a local web page on which people label candidates or compare two models blindly."""

from humpback.review.export import export_edits, export_labels, label_figures

__all__ = ["export_edits", "export_labels", "label_figures"]
