"""The ledger: what happened to every job, batch and recording, written as it happens.

One file for each of its tables, all in small transactions, and all SQL of these tables. Whole days
of rows (`conversations`, `agent_calls`, `daily_report`) are not written here but by
`database/day_tables.py`.
"""
