"""biaogan library …: its arguments and what it says; the work is done in service/library.

`arguments.py` says how it is called, `bring.py` adds and imports, `look.py` lists, shows, searches and exports, `alter.py` removes, revokes
and makes indexes again; `terminal.py` is what they share.
"""
