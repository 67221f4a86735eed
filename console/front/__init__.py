"""The HTTP server before Django: it gathers bodies, bounds the work, and lets threads compute only."""
