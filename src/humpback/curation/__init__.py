"""Choosing among rated candidates: by rating, by source, by topic. Pure functions; the stage `curate` calls them."""
