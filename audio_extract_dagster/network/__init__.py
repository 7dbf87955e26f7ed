"""The way to other machines: what is this one, which address may be told a secret, which proxy lies
between, whose certificates are trusted. One rule for the API, the file hosts and the mail gateway.

What is said on the way is not known here.
"""
