"""The ledger: what happened to every job, batch and recording, written as it happens.

`jobs`, `batches` and `records` each write one table, in small transactions; `calls`, `inventory`,
`waiting`, `accounts` and `shapes` only read; `expiry` empties what is too old. Whole days of rows
(`conversations`, `agent_calls`, `daily_report`) are written by `database/day_tables/`.
"""
