"""The business: which calls count, how their audio is asked for, fetched and accounted for.

Knows neither Dagster nor HTTP details of the Genesys API.
"""
