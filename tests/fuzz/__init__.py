"""Fuzzing: made-up requests and filters by the ten thousand; `python -m tests.fuzz --help` runs more than the tests do."""
