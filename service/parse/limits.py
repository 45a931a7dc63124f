"""How much a file may ask for before it is refused. The defaults are far above any write-up seen and far below what hurts the machine."""

from __future__ import annotations

from dataclasses import dataclass

MIB = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Limits:
    """Sizes in bytes, times in seconds. Real files measured: up to 1.4 MB, 1.7 MB of XML, 71,000 tags, ratio 25, 40 parts."""

    file_bytes: int = 64 * MIB
    unpacked_bytes: int = 256 * MIB  # all parts of a docx together, pictures included
    part_bytes: int = 48 * MIB  # one XML part
    entries: int = 4000  # parts of a docx
    ratio: int = 150  # unpacked to packed size of an XML part above `ratio_from` bytes
    ratio_from: int = MIB
    elements: int = 400_000  # "<" in one XML part, about twice its elements; reading takes some 6 µs and 600 bytes for each
    pages: int = 600
    characters: int = 2_000_000  # of a text file
    lines: int = 100_000  # of a text file
    seconds: float = 15.0  # wall clock and processor time for one file in the child; real ones take less than one
    pdf_seconds: float = 60.0  # the same for a PDF: hundreds of pages may have tables
    memory: int = 768 * MIB  # address space of a child; real documents need less than 512
    reply_bytes: int = 128 * MIB  # what a child may send back for one file
    files_per_child: int = 200  # then a fresh child takes over
    child_growth: int = 250 * MIB  # resident memory at which a child is replaced after its file
    convert_seconds: float = 60.0  # LibreOffice, for one file
    convert_start_seconds: float = 30.0  # more for the first: a start on a cold disk
    convert_batch: int = 24  # files in one run of LibreOffice
    ocr_pages: int = 100
    ocr_page_seconds: float = 60.0  # one page; usually 2 to 4, on a busy machine 10
    ocr_seconds: float = 900.0  # all pages of one file
