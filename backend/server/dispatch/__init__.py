"""Where jobs are run: the port, and the dispatchers behind it."""
