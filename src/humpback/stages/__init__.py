"""One verb each. Stages never import each other; they meet only in files."""
