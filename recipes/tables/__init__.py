"""Tables as people have them, read in one way: what a file's text looks like, where its rows end, what its cells say.

The server's imports, previews and streams and the command line read through this package, so that they take and refuse the same.
"""
