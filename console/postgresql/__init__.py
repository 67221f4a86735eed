"""Django's PostgreSQL backend, which gives up a server that answers nobody."""
