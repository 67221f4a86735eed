"""Events straight from browsers: a key that may only write to one tracker, and the script that uses it."""
