"""The shape of a day for people: what a picture of it shows, and the picture.

The figures are read by `database/ledger/shapes.py`; where a picture goes is decided by who asks.
"""
