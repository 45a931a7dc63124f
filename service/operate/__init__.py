"""Commands that run the service: serve, worker, user, demo. Each module has `add_command(commands)` and `run(options) -> int`."""
