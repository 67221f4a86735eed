"""Samples: real or generated data, brought the whole way to a working campaign by the same operations that people use."""
