"""A backfill on several Celery workers, one of them killed: what is promised holds all the same.

python -m benchmarks.many_machines --output many-machines.md
"""
