"""The five assets of a day, in the order in which they are made."""
