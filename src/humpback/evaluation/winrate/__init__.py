"""Win rates of one model's answers against another's, as AlpacaEval and its leaderboards count them."""
