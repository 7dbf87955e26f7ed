"""PostgreSQL: connecting, the tables, their migrations, a day's bulk copy, locks and the ledger.

What a row means is decided in `extraction/`; here it is written down and read back.
"""
