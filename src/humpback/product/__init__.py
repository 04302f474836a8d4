"""What a run hands out: the dataset and its card, other tools' formats, model cards, and the way to a hub."""
