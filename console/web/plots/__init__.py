"""Charts drawn on the server as SVG: scales and series (model.py), their drawing (svg.py)."""
