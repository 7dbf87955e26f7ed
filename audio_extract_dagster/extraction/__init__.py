"""The business: which calls count, how their audio is asked for, fetched and accounted for.

A day goes through `queues.py`, `listing.py`, `agent_calls.py`, `collection/` (with the rules of
`outcomes.py`) and `accounting.py`, inside a run (`day_run.py`, closed by `after_run.py` where it
died). The others say which days are due (`due.py`, `late_audio.py`), what they would cost
(`forecast.py`), and look after what is there (`verification.py`, `retention.py`). Knows neither
Dagster nor HTTP details of the Genesys API.
"""
