"""Stand-ins for development: PostgreSQL, Genesys Cloud and the notification gateway, on loopback.

`ensure_embedded` gives them to a process and keeps them while it lives. Nothing here is used in
production, and nothing in production knows of it but the settings' development mode.
"""
