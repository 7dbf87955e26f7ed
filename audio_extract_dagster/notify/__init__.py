"""Tell people how a day went: the message, the outbox that keeps it, the gateways that carry it.

Knows neither Dagster nor Genesys; when a message is due is decided by who writes it.
"""
