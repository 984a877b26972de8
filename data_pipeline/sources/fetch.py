"""Downloads the public corpora, checks them, and goes on where a download broke off.

A download grows in a file of its own; a second file holds the version that the server named. The
download gets the corpus' name only when its checksum is right. Archives stay packed: they are read
as streams.
"""

import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import platformdirs

from musicvae.errors import DataError

from .corpora import CORPORA, Corpus, Download

if TYPE_CHECKING:
    import requests
    from rich.console import Console

CACHE_VARIABLE = "MUSICVAE_CACHE"
"""The environment variable for a folder instead of the user's cache."""

_CHUNK_BYTES = 1 << 16
"""At most this much is lost where a server breaks off."""

_TIMEOUT_S = 60.0
_WAITS_S = (0.1, 0.4, 1.5)
"""The waits before new tries, after a try without any byte; then fetching fails."""


def corpora_folder() -> Path:
    """The folder of fetched corpora."""
    cache = os.environ.get(CACHE_VARIABLE) or platformdirs.user_cache_dir("musicvae")
    return Path(cache) / "corpora"


def fetched_path(
    name: str, folder: Path | None = None, *, corpora: Mapping[str, Corpus] = CORPORA
) -> Path | None:
    """The file of a fetched corpus; None if the corpus is not fetched."""
    download = corpora[name].download if name in corpora else None
    path = (folder or corpora_folder()) / download.file_name if download else None
    return path if path is not None and path.is_file() else None


def fetch(
    name: str,
    folder: Path | None = None,
    *,
    corpora: Mapping[str, Corpus] = CORPORA,
    console: "Console | None" = None,
) -> Path:
    """Downloads a corpus unless it is there already, and returns its file.

    Args:
        name: The corpus' name.
        folder: The folder for the file; by default a folder in the user's cache.
        corpora: The known corpora.
        console: Shows the progress.

    Raises:
        DataError: If there is no such corpus or no download of it, the server breaks off, or the
            file has another size or checksum than it should.
    """
    # Both take a quarter of a second to import; each worker looks for files, and fetches none.
    import pooch  # noqa: PLC0415
    from rich.progress import DownloadColumn, TransferSpeedColumn  # noqa: PLC0415

    from musicvae.work.progress import progress_bar  # noqa: PLC0415

    download = _download_of(name, corpora)
    folder = folder or corpora_folder()
    keeper = pooch.create(
        path=folder,
        base_url="",
        registry={download.file_name: f"sha256:{download.sha256}"},
        urls={download.file_name: download.url},
    )
    pooch.get_logger().setLevel("WARNING")  # it would report each step beside the progress bar
    with progress_bar(console, DownloadColumn(), TransferSpeedColumn()) as progress:
        task = progress.add_task(name, total=download.size)
        downloader = _Resuming(
            download=download,
            part=folder / f"{download.file_name}.part",
            show=lambda done: progress.update(task, completed=done),
        )
        try:
            return Path(keeper.fetch(download.file_name, downloader=downloader))
        except ValueError as error:  # pooch's word for a wrong checksum; it took the file away
            raise _other_file(download, f"another checksum than {download.sha256}") from error
        except OSError as error:
            raise DataError(
                f"a download that can't be kept in {folder} ({error.strerror})",
                expected=f"a folder with {download.size} bytes to spare",
                action="Make room, or give another folder.",
                field="folder",
            ) from error


def _download_of(name: str, corpora: Mapping[str, Corpus]) -> Download:
    fetchable = sorted(known for known, corpus in corpora.items() if corpus.download)
    if name not in corpora:
        raise DataError(
            f"no corpus {name!r}",
            expected=f"one of {', '.join(fetchable)}",
            action="`musicvae corpora` lists them.",
            field="name",
        )
    download = corpora[name].download
    if download is None:
        raise DataError(
            f"{name}, which is not for download",
            expected=f"one of {', '.join(fetchable)}",
            action=f"Get it by hand from {corpora[name].homepage} and give its folder as an input.",
            field="name",
        )
    return download


@dataclass(frozen=True, kw_only=True)
class _Resuming:
    """A downloader for pooch that goes on where an earlier download broke off.

    Attributes:
        download: The file to download.
        part: The growing file.
        show: Called with the number of bytes so far.
    """

    download: Download
    part: Path
    show: Callable[[int], None]

    @property
    def _version(self) -> Path:
        return self.part.with_name(f"{self.part.name}.version")

    def __call__(
        self, url: str, output_file: str, _keeper: Any, *, check_only: bool = False
    ) -> None:
        assert not check_only, "only pooch's is_available asks for that"
        import requests  # noqa: PLC0415  (see `fetch`)

        waits = iter(_WAITS_S)
        if self._bytes_here() > self.download.size:
            self.part.unlink()
        while (done := self._bytes_here()) != self.download.size:
            found = f"{done} bytes of {self.download.size}"
            try:
                self._go_on(url)
            except requests.RequestException as error:
                found = f"{found}, then {type(error).__name__}"
            if self._bytes_here() <= done:
                wait_s = next(waits, None)
                if wait_s is None:
                    raise _broken_off(url, found)
                time.sleep(wait_s)
        self._version.unlink(missing_ok=True)
        self.part.replace(output_file)

    def _bytes_here(self) -> int:
        return self.part.stat().st_size if self.part.exists() else 0

    def _go_on(self, url: str) -> None:
        import requests  # noqa: PLC0415  (see `fetch`)

        start = self._bytes_here()
        version = self._version.read_text() if self._version.exists() else ""
        headers = {"Accept-Encoding": "identity"}
        if start and version:
            headers |= {"Range": f"bytes={start}-", "If-Range": version}
        with requests.get(url, headers=headers, stream=True, timeout=_TIMEOUT_S) as response:
            goes_on = response.status_code == 206
            if response.status_code >= 500:
                return  # it may pass
            if response.status_code not in (200, 206):
                raise _refused(url, response)
            size = _size_of(response)
            if size not in (None, self.download.size):
                raise _other_file(self.download, f"{size} bytes")
            if not goes_on:
                start = 0
                self._version.write_text(_version_of(response))
            with self.part.open("ab" if goes_on else "wb") as file:
                for chunk in response.iter_content(_CHUNK_BYTES):
                    file.write(chunk)
                    start += len(chunk)
                    self.show(start)
                    if start > self.download.size:
                        self.part.unlink()
                        raise _other_file(self.download, f"more than {self.download.size} bytes")


def _size_of(response: "requests.Response") -> int | None:
    """The size of the whole file, if the server tells it."""
    _, _, size = response.headers.get("Content-Range", "").partition("/")
    if not size and response.status_code != 206:
        size = response.headers.get("Content-Length", "")
    return int(size) if size.isdigit() else None


def _version_of(response: "requests.Response") -> str:
    """The version that must not change to go on; empty where the server names none."""
    tag = response.headers.get("ETag", "")
    return tag if tag and not tag.startswith("W/") else response.headers.get("Last-Modified", "")


def _refused(url: str, response: "requests.Response") -> DataError:
    return DataError(
        f"{url}, which the server answers with {response.status_code} {response.reason}",
        expected="the file",
        action="See the corpus' homepage for where it is now, and give what you get as an input.",
    )


def _broken_off(url: str, found: str) -> DataError:
    return DataError(
        f"{url}, which broke off after {found}",
        expected="the whole file",
        action="Run the command again: it goes on from there.",
    )


def _other_file(download: Download, found: str) -> DataError:
    return DataError(
        f"{download.url}, with {found}",
        expected=f"the file of {download.size} bytes that {download.source} knows",
        action="Fetch it again; if that fails as well, the file was replaced: see the homepage.",
    )
