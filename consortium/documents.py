"""Documents to keep: PDF with a font that holds Japanese, so that no machine lacks one."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cache
from typing import Final

from django.conf import settings
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from fontTools.ttLib import TTFont
from fpdf import FPDF
from fpdf.enums import TableBordersLayout, WrapMode
from fpdf.fonts import FontFace

FONT: Final = settings.BASE_DIR / "static/vendor/noto-sans-jp/NotoSansJP-Regular.ttf"
FAMILY: Final = "noto"
INK, SOFT, RULE, TINT = (25, 32, 40), (85, 96, 110), (190, 198, 206), (240, 243, 246)
UNKNOWN: Final = "〓"  # the printers' sign for a character that the font lacks
MARGIN: Final = 18  # mm
SIZE: Final = 9


class Document(FPDF):
    """A4, one font, a line above each page that says whose it is, a page number below."""

    def __init__(self, *, title: str, owner: str) -> None:
        super().__init__(format="A4")
        self.running, self.japanese = f"{owner} · {title}", (get_language() or "").startswith("ja")
        self.set_margin(MARGIN)
        self.set_auto_page_break(auto=True, margin=MARGIN + 4)
        self.add_font(FAMILY, fname=FONT)
        self.set_font(FAMILY, size=SIZE)
        self.set_title(title)
        self.set_author(owner)
        self.set_lang("ja" if self.japanese else "en")
        self.add_page()

    @property
    def wrap(self) -> WrapMode:
        """Japanese breaks anywhere, other languages between words."""
        return WrapMode.CHAR if self.japanese else WrapMode.WORD

    def header(self) -> None:
        self._small(self.running)
        self.ln(7)

    def footer(self) -> None:
        self.set_y(-MARGIN + 4)
        self._small(_("Page %(page)s of %(pages)s") % {"page": self.page_no(), "pages": "{nb}"})

    def title_line(self, text: str) -> None:
        self._line(text, size=18, height=10)

    def section(self, text: str) -> None:
        """A heading that does not stand alone at the foot of a page."""
        if self.will_page_break(30):
            self.add_page()
        self.ln(3)
        self._line(text, size=13, height=8)
        self.set_draw_color(RULE)
        self.line(MARGIN, self.get_y(), self.w - MARGIN, self.get_y())
        self.ln(2)

    def paragraph(self, text: str, *, soft: bool = False) -> None:
        self.set_text_color(SOFT if soft else INK)
        self.multi_cell(
            0, 5, printable(text), align="L", wrapmode=self.wrap, new_x="LMARGIN", new_y="NEXT"
        )
        self.ln(1)

    def facts(self, facts: Iterable[tuple[str, str]]) -> None:
        """Names on the left, values on the right."""
        self._table([(name, value or "–") for name, value in facts], (32, 68), headed=False)

    def rows(
        self, columns: Sequence[str], rows: Sequence[Sequence[str]], widths: Sequence[int]
    ) -> None:
        """A table whose headings come again on every page; a dash where there are no rows."""
        if not rows:
            self.paragraph(_("None."), soft=True)
            return
        self._table([columns, *rows], widths, headed=True)

    def content(self) -> bytes:
        return bytes(self.output())

    def _table(self, rows: Iterable[Sequence[str]], widths: Sequence[int], *, headed: bool) -> None:
        self.set_text_color(INK)
        self.set_draw_color(RULE)
        with self.table(
            col_widths=tuple(widths),
            text_align="LEFT",
            line_height=5,
            padding=1,
            wrapmode=self.wrap,
            borders_layout=TableBordersLayout.HORIZONTAL_LINES,
            first_row_as_headings=headed,
            headings_style=FontFace(emphasis="", color=SOFT, fill_color=TINT),
        ) as table:
            for cells in rows:
                table.row([printable(cell) for cell in cells])
        self.ln(2)

    def _line(self, text: str, *, size: int, height: int) -> None:
        self.set_text_color(INK)
        self.set_font_size(size)
        self.multi_cell(
            0, height, printable(text), wrapmode=self.wrap, new_x="LMARGIN", new_y="NEXT"
        )
        self.set_font_size(SIZE)

    def _small(self, text: str) -> None:
        self.set_text_color(SOFT)
        self.set_font_size(8)
        self.cell(0, 5, printable(text))
        self.set_font_size(SIZE)


def printable(text: str) -> str:
    """The text with what the font lacks marked, and without what no paper shows."""
    has = characters()
    return "".join(
        c if c in has or c == "\n" else "" if not c.isprintable() else UNKNOWN for c in text
    )


@cache
def characters() -> frozenset[str]:
    with TTFont(FONT, lazy=True) as font:
        return frozenset(map(chr, font.getBestCmap()))
