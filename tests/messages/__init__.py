"""The catalogues of the pages' strings: extraction, update and compilation in Python, as not every machine has gettext."""
