"""How fast and how flat the project is, each figure a ratio to a yardstick run beside it.

`python -m benchmarks` runs what measures speed and writes `RESULTS.md`; `python -m
benchmarks.download` and the like run one part. Nothing here is asserted by the test suite: it
asserts counts, not times.
"""
