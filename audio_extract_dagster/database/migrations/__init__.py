"""The history of the schema, one file a step in `versions/`, run by `database/migrate.py`.

A step is plain SQL and is never edited once released. Comments of tables and columns are no steps:
`migrate` writes them from `tables.py`. To change the schema: edit `tables.py`, add the next number
here, run the tests, which compare the two.
"""
