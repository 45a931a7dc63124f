"""Bytes to `Document`: chooses by content, not by suffix; one module a format, all inside a limited child process.

`Reader` (worker.py) is the way in: it reads many files with warm children. `walk` (folder.py) lists the files of a folder.
`Limits` holds what a file may ask for. Only these names are for other packages; they import no reader of any format.
"""

from __future__ import annotations

from service.parse.folder import PassedOver, Walk, walk
from service.parse.limits import Limits
from service.parse.worker import Progress, Reader, Reading

__all__ = ["Limits", "PassedOver", "Progress", "Reader", "Reading", "Walk", "walk"]
