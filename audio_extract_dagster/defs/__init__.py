"""Everything that Dagster loads, and the only folder whose business is Dagster.

Thin on purpose: assets, checks, schedules and sensors take resources, call the business and hand
back rows and metadata. No SQL, no URL, no rule of the business belongs here.
"""
