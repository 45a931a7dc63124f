"""What is loaded is what the manifest says."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from service import artefacts
from service.errors import ServiceError

CONTENT = "词\n".encode()
DIGEST = hashlib.sha256(CONTENT).hexdigest()


def folder(tmp_path: Path, manifest: str) -> Path:
    found = tmp_path / "words"
    found.mkdir()
    (found / "words.txt").write_bytes(CONTENT)
    (found / "manifest.toml").write_text(manifest, "utf8")
    return found


def listed(name: str, digest: str = DIGEST) -> str:
    return f'version = "v1"\n[[file]]\nname = "{name}"\nsha256 = "{digest}"\n'


def test_files_as_the_manifest_says(tmp_path: Path) -> None:
    found = artefacts.verified(folder(tmp_path, listed("words.txt")))
    assert found.version == "v1"
    assert artefacts.model("words", folder=tmp_path) == artefacts.corpus("words", folder=tmp_path) == found


def test_without_a_version_the_manifests_hash_serves(tmp_path: Path) -> None:
    assert len(artefacts.verified(folder(tmp_path, 'source = "x"\n')).version) == 12


@pytest.mark.parametrize(
    ("manifest", "code"),
    [
        (listed("absent.txt"), "model_broken"),
        (listed("words.txt", "0" * 64), "model_broken"),
        (listed("../outside.txt"), "model_broken"),
        ("not toml", "model_broken"),
        ("[[file]]\nname = 'words.txt'\n", "model_broken"),
        ("file = 3\n", "model_broken"),
    ],
)
def test_anything_else_is_an_error(tmp_path: Path, manifest: str, code: str) -> None:
    (tmp_path / "outside.txt").write_bytes(CONTENT)
    with pytest.raises(ServiceError) as error:
        artefacts.verified(folder(tmp_path, manifest))
    assert error.value.code == code


def test_a_missing_folder_or_manifest_is_an_error(tmp_path: Path) -> None:
    for name in ("absent", "."):
        with pytest.raises(ServiceError) as error:
            artefacts.model(name, folder=tmp_path)
        assert error.value.code == "model_missing"


@pytest.mark.parametrize("path", sorted(artefacts.MODELS.glob("*/manifest.toml")), ids=lambda path: path.parent.name)
def test_a_shipped_model_is_whole(path: Path) -> None:
    artefacts.verified(path.parent)
