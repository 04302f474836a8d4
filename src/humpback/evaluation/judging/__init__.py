"""Any model as judge of two others' answers."""
