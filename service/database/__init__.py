"""The database and the file store: where everything that outlives a call is kept (docs/database.md).

`place.Place` says where the data are, `engine.connect` gives a SQLAlchemy Engine whose tables are up to date, `files.open_store` the store
of source files. Without `BIAOGAN_DATABASE_URL` the server is the embedded one of `server.py`, in the data folder.

Nothing is imported here: a call that needs no database must not pay for SQLAlchemy (docs/quality.md).
"""
