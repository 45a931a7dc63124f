"""pdfium with our own stand-in for fonts that a PDF names but does not carry, in place of whatever the machine has installed.

Only the text and its geometry are wanted. With Noto CJK installed pdfium loads the outline of every character (12 pages in STSong-Light:
200 ms, with the stand-in 24 ms); with no Chinese font at all it loses characters. So a file gives the same reading on every machine.
Pages drawn for OCR need real fonts: that process (ocr_child.py) does not import this module.
"""

from __future__ import annotations

import ctypes
import os
from functools import cache
from pathlib import Path

from pypdfium2 import raw
from pypdfium2.internal import bases

_CHARS = ctypes.POINTER(ctypes.c_char)
# Both live as long as the library, which may keep the pointers.
_FOLDER = ctypes.create_string_buffer(os.fsencode(Path(__file__).parent / "fonts"))
_FOLDERS = (_CHARS * 2)(ctypes.cast(_FOLDER, _CHARS))  # the second stays null: the end of the list


@cache
def use_own_fonts() -> bool:
    """Starts pdfium anew with our folder of fonts, once a process. False, and nothing done, where a document is open already."""
    if any(bases.ObjectTracker.values()):
        return False
    raw.FPDF_DestroyLibrary()
    folders = ctypes.cast(_FOLDERS, ctypes.POINTER(_CHARS))
    raw.FPDF_InitLibraryWithConfig(raw.FPDF_LIBRARY_CONFIG(version=2, m_pUserFontPaths=folders, m_pIsolate=None, m_v8EmbedderSlot=0))
    return True
