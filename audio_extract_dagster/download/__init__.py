"""Audio files from their links into the storage: whole, found to be audio, hashed, durable.

Knows links, file hosts and formats. What a recording is, which links it has, and what becomes of a
call whose files do not come, is the business of `extraction/`.
"""
