"""How much a file may ask for before it is refused. The defaults are far above any write-up seen and far below what hurts the machine."""

from __future__ import annotations

from dataclasses import dataclass

MIB = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Limits:
    """Sizes in bytes, times in seconds. The largest real document measured: 40 MB of file, 9 MB of XML, 250,000 tags, 300 pages."""

    file_bytes: int = 64 * MIB
    unpacked_bytes: int = 256 * MIB  # all parts of a docx together, pictures included
    part_bytes: int = 48 * MIB  # one XML part
    entries: int = 4000  # parts of a docx
    ratio: int = 150  # unpacked to packed size of an XML part above `ratio_from` bytes
    ratio_from: int = MIB
    elements: int = 1_500_000  # "<" in one XML part: about twice its elements; the parser needs some 200 bytes for each
    pages: int = 600
    characters: int = 5_000_000  # of a text file
    seconds: float = 30.0  # wall clock and processor time for one file in the child
    memory: int = 1024 * MIB  # address space of a child
    reply_bytes: int = 128 * MIB  # what a child may send back for one file
    files_per_child: int = 200  # then a fresh child takes over
    child_growth: int = 250 * MIB  # resident memory at which a child is replaced after its file
    convert_seconds: float = 60.0  # LibreOffice, for one file
    convert_batch: int = 24  # files in one run of LibreOffice
    ocr_pages: int = 60
    ocr_page_seconds: float = 60.0
