"""The console: what people and programs talk to, over the recipes library."""
