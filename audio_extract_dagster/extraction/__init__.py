"""The business: which calls count, how their audio is asked for, fetched and accounted for.

A day goes through `listing.py`, `agent_calls.py`, `collection/` and `accounting.py`, inside a run
(`day_run.py`). The others say which days are due (`due.py`, `late_audio.py`), what they would cost
(`forecast.py`), and look after what is there (`verification.py`, `retention.py`). Knows neither
Dagster nor HTTP details of the Genesys API.
"""
