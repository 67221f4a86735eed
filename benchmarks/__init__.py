"""Side-by-side measurements against the strongest public implementations: same data, same split, same judge, one run."""
