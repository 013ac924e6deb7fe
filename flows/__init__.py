"""The two doors of the project: Prefect flows, and the command line."""
