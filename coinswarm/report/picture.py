"""A chart that stands alone: an SVG with its own colours, for notebooks and files."""

from __future__ import annotations

from dataclasses import dataclass
from os import PathLike
from pathlib import Path

from coinswarm.report import files
from coinswarm.report.markup import Markup

_STYLE = (
    "<style>text{font:11px sans-serif;fill:#566373}path{fill:none;stroke-width:1.8;stroke-linejoin:round}.grid{stroke:#dde3ea}"
    ".mark{stroke:#566373;stroke-dasharray:4 3}.line-0{stroke:#0b6bcb}.line-1{stroke:#b04f0a}.line-2{stroke:#1c7a43}.line-3{stroke:#7a4fb5}"
    ".line-4{stroke:#a8231d}.line-5{stroke:#566373}</style>"
)


@dataclass(frozen=True, slots=True)
class Picture:
    """A chart; a notebook shows it, `save` writes it.

    Attributes:
        title: what it shows.
        svg: the whole picture, which needs nothing else.
    """

    title: str
    svg: str

    @classmethod
    def of(cls, title: str, drawing: Markup) -> Picture:
        """A picture of a drawing of `coinswarm.report.svg`."""
        opening, _, rest = drawing.partition(">")
        return cls(title, f'{opening} xmlns="http://www.w3.org/2000/svg" width="560">{_STYLE}{rest}')

    def __repr__(self) -> str:
        return f"Picture({self.title!r})"

    def _repr_html_(self) -> str:
        return self.svg

    def save(self, path: str | PathLike[str]) -> Path:
        """Write it as an SVG file and return the path.

        Raises:
            StorageFull: there is no room; nothing is left half-written. BadInput: the path may not be written.
        """
        return files.write_whole(Path(path), self.svg.encode("utf-8"))
