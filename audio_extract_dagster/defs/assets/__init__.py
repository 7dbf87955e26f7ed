"""The five assets of a day, in the order in which they are made."""

# Who is asked about them, in Dagster's own form.
OWNERS = ["team:operations"]
TAGS = {"source": "genesys_cloud"}
PERSONAL = {**TAGS, "contains": "personal_data"}
# Runs that ask Genesys take their turns in this pool, so that days go one after another.
GENESYS_POOL = "genesys_cloud"
