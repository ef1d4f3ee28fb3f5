"""A demand sheet on paper: read back out of the PDF, in both languages, with and without what buyers pay."""

from collections.abc import Callable
from datetime import timedelta
from io import BytesIO

import pytest
from PIL import Image
from pypdf import PdfReader
from sqlmodel import Session
from werkzeug.test import TestResponse

from c2m.db import Database
from c2m.demand.fulfilment import release_units
from c2m.demand.models import DemandSheet
from c2m.design.models import Picture, PictureKind
from c2m.web.printed import Heading, Paper, Prose
from c2m.web.typesetting import typeset
from tests.builders import MORNING, a_campaign, a_confirmed_pledge, a_sheet
from tests.conftest import Person, Visitor

Client = Callable[..., Visitor]
PLACES = [("黑 Black", "M"), ("黑 Black", "L"), ("白 White", "M")]
WORDS = "加厚抓绒，双面不起球。\nThick fleece that does not pill."


@pytest.fixture
def sheet(database: Database, people: dict[str, Person]) -> DemandSheet:
    """The merchandiser's second version of a sheet: 10 black M, 3 black L and 5 white M, two black L left out."""
    with database.transaction() as session:
        campaign, (black_m, black_l, white_m) = a_campaign(
            session,
            organisation_id=people["merchandiser"].organisation_id,
            variants=PLACES,
            title="软壳外套",
            title_en="Softshell jacket",
            description=WORDS,
            pack_pieces=5,
        )
        picture = a_sketch(session)
        campaign.picture_id = picture.id
        one = a_confirmed_pledge(session, campaign, {black_m.id: 10, black_l.id: 5})
        two = a_confirmed_pledge(session, campaign, {white_m.id: 5})
        one.region, two.region = "浙江 Zhejiang", "广东 Guangdong"
        session.add_all([campaign, one, two])
        found = a_sheet(session, campaign, [one, two])
        release_units(session, {(found.id, black_l.id): 2}, now=MORNING + timedelta(days=9))
        return found


def a_sketch(session: Session) -> Picture:
    """A small picture that is labelled as a sketch."""
    drawn = BytesIO()
    Image.new("RGB", (32, 24), "teal").save(drawn, "WEBP")
    picture = Picture(
        kind=PictureKind.SKETCH,
        media_type="image/webp",
        width=32,
        height=24,
        sha256="0" * 64,
        content=drawn.getvalue(),
        provenance={},
        stored_at=MORNING,
    )
    session.add(picture)
    session.flush()
    return picture


def text_of(answer: TestResponse) -> str:
    """The words of a PDF without the spaces between them, which its line breaks decide."""
    assert (answer.status_code, answer.mimetype) == (200, "application/pdf")
    return "".join(words_of(answer.data).split())


def words_of(pdf: bytes) -> str:
    return "\n".join(page.extract_text() for page in PdfReader(BytesIO(pdf)).pages)


def test_a_sheet_is_printed_in_either_language_with_everything_on_it(sheet: DemandSheet, client: Client) -> None:
    merchandiser = client("merchandiser")
    answer = merchandiser.get(f"/sheets/{sheet.id}.pdf?language=en")
    assert answer.headers["Content-Disposition"] == f"attachment; filename={sheet.number}-2-en.pdf"
    assert len(PdfReader(BytesIO(answer.data)).pages) == 1
    english = text_of(answer)
    for said in (
        "Hot-product demand sheet",
        f"{sheet.number} · version 2",
        "Softshell jacket 软壳外套",
        "Sketch, not a finished product",
        "Pieces 18",
        "Target cost ¥80.00",
        "Buyers pay ¥100.00",
        "Quality AQL 2.5",
        "Colour M L Total Black 10 3 13 White 5 – 5 Total 15 3 18",
        "83.3% 16.7% 100%",
        "Zhejiang 13 72.2%",
        "Guangdong 5 27.8%",
        "Thick fleece that does not pill.",
        "Material → Cutting → Sewing → Inspection → Packing",
        "5 pieces a pack",
        "No factory made these, their buyers were refunded: Black L −2.",
        "Page 1 of 1",
    ):
        assert said.replace(" ", "") in english, said
    chinese = text_of(merchandiser.get(f"/sheets/{sheet.id}.pdf?language=zh&version=1"))
    for said in (
        "爆款需求单",
        "软壳外套",
        "颜色 M L 合计",
        "发布的第 1 版，已有更新的版本生效。",
        "黑 10 5 15",
        "加厚抓绒，双面不起球。",
        "备料 → 裁剪",
        "第 1 页，共 1 页",
    ):
        assert said.replace(" ", "") in chinese, said


def test_a_paper_reads_in_its_reader_s_language_and_is_its_owner_s_alone(sheet: DemandSheet, client: Client) -> None:
    operator = client("operator")
    operator.set_cookie("locale", "en")
    assert "Hot-productdemandsheet" in text_of(operator.get(f"/sheets/{sheet.id}.pdf"))
    assert client("merchandiser2").get(f"/sheets/{sheet.id}.pdf").status_code == 404
    assert client("merchandiser").get(f"/sheets/{sheet.id}.pdf?version=3").status_code == 404
    assert client("merchandiser").get(f"/sheets/{sheet.id}.pdf?language=fr").status_code == 422


def a_paper(text: str) -> Paper:
    return Paper("t", "c2m", "zh-CN", "k", "n", "f", "%(page)s/%(pages)s", [Heading(text), Prose("长" * 9000)])


def test_each_document_carries_the_characters_it_needs_and_its_pages_know_how_many_they_are() -> None:
    for text in ("先印这一份", "后印那一篇"):
        written = typeset(a_paper(text))
        pages = PdfReader(BytesIO(written)).pages
        assert text in words_of(written)
        assert [page.extract_text().split()[-1] for page in pages] == ["1/3", "2/3", "3/3"]
        fonts = [font.get_object() for page in pages for font in page["/Resources"]["/Font"].values()]  # type: ignore[index]
        assert {name.partition("+")[2] for font in fonts if "+" in (name := str(font["/BaseFont"]))} == {
            "NotoSansSC-400",
            "NotoSansSC-600",
        }
