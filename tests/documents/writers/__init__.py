"""Everything that the tests can upload, by what it is."""

from tests.documents.real_file import Writers
from tests.documents.writers import books, code, data, mail, markup, pdfs, plain, rich, sheets, slides, tables, word

FILES: Writers = {
    **plain.FILES, **markup.FILES, **tables.FILES, **data.FILES, **code.FILES, **rich.FILES, **mail.FILES, **pdfs.FILES,
    **word.FILES, **slides.FILES, **sheets.FILES, **books.FILES,
}  # fmt: skip
