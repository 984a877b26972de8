"""Packs files into archives of each form."""

import io
import tarfile
import zipfile
from collections.abc import Mapping
from pathlib import Path


def pack(path: Path, files: Mapping[str, bytes]) -> Path:
    """Writes an archive of the form that its name ends in; `.stored.zip` is not compressed."""
    if path.suffix == ".zip":
        method = zipfile.ZIP_STORED if "stored" in path.name else zipfile.ZIP_DEFLATED
        with zipfile.ZipFile(path, "w", method) as archive:
            for name, data in files.items():
                archive.writestr(name, data)
        return path
    with path.open("wb") as file:
        packing = path.name.partition(".tar")[2].removeprefix(".")
        with tarfile.open(fileobj=file, mode=f"w:{packing}") as archive:  # type: ignore[call-overload]
            for name, data in files.items():
                info = tarfile.TarInfo(name)
                info.size = len(data)
                archive.addfile(info, io.BytesIO(data))
    return path
