"""The paper's benchmarks through lm-evaluation-harness, from local files: tables 5, 6 and 10."""
