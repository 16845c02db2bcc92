"""PowerPoint presentations (.pptx): the package's XML is read as it is, so that a slide that python-pptx refuses is read too."""

from collections.abc import Iterable, Iterator
from posixpath import basename, dirname, join, normpath
from zipfile import ZipFile

from backend.adapters.document_parsers import drawing
from backend.adapters.document_parsers.composer import Composer
from backend.adapters.document_parsers.package import package, part
from backend.adapters.document_parsers.xml_tree import Element, attribute, child, every
from backend.ports.document_parser import ParsedDocument

_PHRASE = "a PowerPoint presentation"
_PRESENTATION = "ppt/presentation.xml"
_TITLES = ("title", "ctrTitle")
_LEFT_OUT = ("sldNum", "dt")
_LAST = "ftr"


def parse(data: bytes) -> ParsedDocument:
    """Read every slide as a page, hidden ones too; its title is the heading.

    The title comes first, then the shapes as one reads them: from top to bottom and, side by side, from left to right, groups as
    one block. Tables and the data of charts are rows, diagrams are lines. The footer, notes (``Notes: ...``) and comments
    (``Comment: ...``) follow. Numbers and dates of slides are left out.

    Raises:
        ParsingError: ``document_too_complex``, ``document_encrypted`` or ``document_unreadable``, also where a single slide is
            missing: the rest would pass for the whole presentation.
    """
    with package(data, _PHRASE, "ppt/") as archive:
        relations = _Relations(archive, _PRESENTATION)
        composer = Composer()
        for slide in every(child(part(archive, _PRESENTATION), "sldIdLst"), "sldId"):
            composer.page()
            _add_slide(composer, archive, relations.target(drawing.relation(slide)))
        return composer.document()


class _Relations:
    """What a part refers to, by the id of the reference."""

    def __init__(self, archive: ZipFile, owner: str) -> None:
        path = f"{dirname(owner)}/_rels/{basename(owner)}.rels"
        found = every(part(archive, path), "Relationship") if path in archive.namelist() else iter(())
        self._archive = archive
        self._folder = dirname(owner)
        self._all = {attribute(item, "Id"): item for item in found if attribute(item, "TargetMode") != "External"}

    def target(self, reference: str) -> str:
        """Return the name of the part; a ``KeyError`` tells that there is no such reference."""
        return normpath(join("/" + self._folder, attribute(self._all[reference], "Target"))).lstrip("/")

    def roots(self, kind: str) -> Iterator[Element]:
        """Yield the parts of this kind, such as ``notesSlide``."""
        for reference, item in self._all.items():
            if attribute(item, "Type").rpartition("/")[2] == kind:
                yield part(self._archive, self.target(reference))

    def optional(self, reference: str) -> Element | None:
        """Return the part that a picture of data refers to, or nothing: it may be left out, and the slide is whole without it."""
        present = reference in self._all and self.target(reference) in self._archive.namelist()
        return part(self._archive, self.target(reference)) if present else None


def _add_slide(composer: Composer, archive: ZipFile, path: str) -> None:
    relations = _Relations(archive, path)
    for shape in sorted(drawing.shapes(child(part(archive, path), "cSld", "spTree")), key=_turn):
        kind = drawing.placeholder(shape)
        if kind in _TITLES:
            composer.add(drawing.text(shape), level=1)
        elif kind not in _LEFT_OUT:
            _add_shape(composer, shape, relations)
    for notes in relations.roots("notesSlide"):
        bodies = (shape for shape in drawing.shapes(child(notes, "cSld", "spTree")) if drawing.placeholder(shape) == "body")
        _add_said(composer, "Notes", map(drawing.text, bodies))
    for comments in relations.roots("comments"):
        _add_said(composer, "Comment", map(drawing.comment, every(comments, "cm")))


def _turn(shape: Element) -> int:
    kind = drawing.placeholder(shape)
    return 0 if kind in _TITLES else 2 if kind == _LAST else 1


def _add_said(composer: Composer, what: str, texts: Iterable[str]) -> None:
    for text in texts:
        composer.add(f"{what}: {text}" if text.strip() else "", gap="\n\n")


def _add_shape(composer: Composer, shape: Element, relations: _Relations) -> None:
    composer.add(drawing.text(shape), gap="\n\n")
    gap = "\n\n"
    for line in drawing.rows(shape):
        composer.add(line, gap=gap)
        gap = "\n"
    for chart in every(shape, "chart"):
        root = relations.optional(drawing.relation(chart))
        gap = "\n\n"
        for line in drawing.chart_lines(root) if root is not None else ():
            composer.add(line, gap=gap)
            gap = "\n"
    for diagram in every(shape, "relIds"):
        root = relations.optional(attribute(diagram, "dm"))
        composer.add("\n".join(drawing.diagram_lines(root)) if root is not None else "", gap="\n\n")
