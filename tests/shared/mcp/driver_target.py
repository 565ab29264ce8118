"""A module whose `server` is something else."""

server = "not a server"
