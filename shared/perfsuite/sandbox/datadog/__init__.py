"""A stand-in of Datadog: a small model of hosts and services under load, asked over Datadog's own routes."""
