"""Tables as text, by the standard library's writer."""

import csv
from functools import partial
from io import StringIO

from tests.documents.real_file import FAMILY, KEEPER, ROWS, RealFile, Writers, facts, facts_of_rows

QUOTED = ('said "no", twice', "one; two\tthree", KEEPER)


def table(filename: str, delimiter: str, encoding: str = "utf-8", first: str = "") -> RealFile:
    file = StringIO(newline="")
    writer = csv.writer(file, delimiter=delimiter)  # It ends lines with CRLF.
    writer.writerows(ROWS)
    writer.writerow(QUOTED)
    writer.writerow(["two\r\nlines", "", FAMILY])
    rows = facts_of_rows(labelled=True)
    return RealFile(filename, (first + file.getvalue()).encode(encoding), (*rows, *facts(*QUOTED, "Ship: two lines", FAMILY)))


FILES: Writers = {
    "csv": partial(table, "ships.csv", ","),
    "csv with semicolons": partial(table, "ships.csv", ";", "utf-8-sig"),
    "csv for excel": partial(table, "ships.csv", "|", first="sep=|\r\n"),
    "tsv": partial(table, "ships.tsv", "\t", "utf-16"),
}
