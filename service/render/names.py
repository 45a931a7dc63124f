"""What files of one name are called, so that readers can tell them apart."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path, PurePath


def distinct(paths: Sequence[str | PurePath]) -> list[str]:
    """Each path's last parts, as few as tell it from the others: 材料.docx, 甲公司/材料.docx, 甲公司/经验/材料.docx."""
    parts = [PurePath(path).parts for path in paths]
    depths = [1] * len(parts)
    while True:
        groups: dict[tuple[str, ...], list[int]] = {}
        for index, (own, depth) in enumerate(zip(parts, depths, strict=True)):
            groups.setdefault(own[-depth:], []).append(index)
        deeper = [index for group in groups.values() if len(group) > 1 for index in group if depths[index] < len(parts[index])]
        if not deeper:
            # The root of an absolute path ends in its own mark, which is none of the separators between the parts.
            return ["/".join(part.rstrip("/\\") for part in own[-depth:]) for own, depth in zip(parts, depths, strict=True)]
        for index in deeper:
            depths[index] += 1


def stems(inputs: Sequence[Path]) -> dict[str, str]:
    """What the outputs of each input are called: its name, with its folders where another input has the same name."""
    plain = {path.with_suffix(""): path for path in reversed(inputs)}
    plain |= {path.with_suffix(""): path for path in inputs if path.suffix.lower() == ".docx"}
    shown = dict(zip(plain, (name.replace("/", "_") for name in distinct(list(plain))), strict=True))
    # Of 材料.docx and 材料.pdf in one folder, the Word file keeps the plain name.
    kept = set(plain.values())
    kinds = {path: "" if path in kept else f"（{path.suffix[1:]}）" for path in inputs}
    return {str(path): shown[path.with_suffix("")] + kind for path, kind in kinds.items()}


def fitting(stem: str, suffix: str, *, most: int = 240) -> str:
    """A file name of at most so many bytes (file systems take 255), its stem cut where it must be."""
    room = most - len(os.fsencode(suffix))
    written = os.fsencode(stem)
    return (stem if len(written) <= room else written[:room].decode("utf-8", "ignore").rstrip()) + suffix
