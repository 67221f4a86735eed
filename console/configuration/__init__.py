"""An account as a document: written down, held against what there is, and made so. Nothing secret is in it."""
