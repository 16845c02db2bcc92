"""Texts with marks: Markdown, HTML, reStructuredText, LaTeX, XML."""

from html import escape
from xml.etree import ElementTree

from tests.documents.real_file import ARABIC, HEBREW, KEEPER, ROWS, SENTENCES, RealFile, Writers, facts, facts_of_rows


def markdown() -> RealFile:
    body = "\r\n\r\n".join(["# The log 🏮", *SENTENCES, "## Table", "| a | b |\r\n|---|---|\r\n| 1 | 2 |"])
    return RealFile("log.md", body.encode(), facts("# The log 🏮", *SENTENCES, "| 1 | 2 |"))


def html() -> RealFile:
    paragraphs = "".join(f"<p>{escape(sentence)}</p>\r\n" for sentence in SENTENCES)
    rows = "".join("<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>" for row in ROWS)
    page = f"<!doctype html><html><head><meta charset=utf-8><title>x</title></head><body>{paragraphs}<table>{rows}</table>"
    return RealFile("page.html", page.encode(), (*facts(*SENTENCES), *facts_of_rows(labelled=False)))


def html_in_hebrew() -> RealFile:
    page = f'<html dir="rtl"><meta charset="windows-1255"><p>{HEBREW}</p>'
    return RealFile("page.htm", page.encode("cp1255"), facts(HEBREW))


def rst() -> RealFile:
    body = "\n".join(["The log", "=======", "", *SENTENCES, "", "Table", "-----", "", ".. note:: Not all ships were counted."])
    return RealFile("log.rst", body.encode(), facts("The log", *SENTENCES, ".. note:: Not all ships were counted."))


def latex() -> RealFile:
    body = "\\documentclass{article}\n\\usepackage[latin1]{inputenc}\n\\section{Überblick}\nDie Möwe flog über den Turm.\n"
    return RealFile("log.tex", body.encode("latin-1"), facts("\\section{Überblick}", "Die Möwe flog über den Turm."))


def _library() -> ElementTree.Element:
    root = ElementTree.Element("log", {"harbour": "Łeba"})
    for number, sentence in enumerate(SENTENCES, start=1):
        entry = ElementTree.SubElement(root, "entry", {"number": str(number)})
        ElementTree.SubElement(entry, "sentence").text = sentence
        note = ElementTree.SubElement(entry, "p")
        note.text = "Written "
        ElementTree.SubElement(note, "b").text = "by hand"
        note[0].tail = " & kept."
    return root


def xml(encoding: str = "utf-8") -> RealFile:
    data = ElementTree.tostring(_library(), encoding=encoding, xml_declaration=True)
    return RealFile("log.xml", data, facts(*SENTENCES, "Written by hand & kept.", "Łeba"))


def xml_in_utf16() -> RealFile:
    return xml("utf-16")


def broken_xml() -> RealFile:
    data = f"<?xml version='1.0' encoding='utf-8'?><log><entry>{KEEPER}</entry><entry>{ARABIC} &amp; more<b>the end"
    return RealFile("broken.xml", data.encode(), facts(KEEPER, f"{ARABIC} & more", "the end"))


FILES: Writers = {
    "md": markdown, "html": html, "html in cp1255": html_in_hebrew, "rst": rst, "tex": latex, "xml": xml,
    "xml in utf-16": xml_in_utf16, "xml that is broken": broken_xml,
}  # fmt: skip
