"""The library of past benchmarks (docs/library.md): what the office keeps of other years, and what a new write-up may share with it.

`manifest.py` reads the office's table, `importing.py` files and folders, `indexing.py` makes of a text what is searched, `write.py` puts it
into the database; `read.py` lists, shows and searches; `change.py` removes, revokes and makes indexes again; `phrases.py` learns what many
texts say in the same words; `candidates.py` finds what is worth aligning with a submission. Nothing is imported here.
"""
