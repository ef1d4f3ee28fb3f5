"""Two languages, one catalogue a room, nothing untranslated."""

from pathlib import Path

import pytest
import typer
from babel.messages.catalog import Catalog
from flask import Flask
from flask_babel import gettext, ngettext

from c2m.web import i18n, translations


def test_the_language_is_chosen_by_cookie_then_browser_then_chinese(kit: Flask) -> None:
    with kit.test_request_context(headers={"Accept-Language": "fr"}):
        assert i18n.choose_locale() == "zh"
    with kit.test_request_context(headers={"Accept-Language": "fr, en;q=0.7"}):
        assert i18n.choose_locale() == "en"
    with kit.test_request_context(headers={"Accept-Language": "en", "Cookie": "locale=zh"}):
        assert i18n.choose_locale() == "zh"
    with kit.test_request_context(headers={"Accept-Language": "en", "Cookie": "locale=../../etc"}):
        assert i18n.choose_locale() == "en"


def test_words_come_from_the_rooms_catalogues(zh: None) -> None:
    assert gettext("Group-buy") == "拼团"
    assert ngettext("%(num)s day late", "%(num)s days late", 4) == "晚 4 天"


def test_english_is_the_message_id(en: None) -> None:
    assert gettext("Group-buy") == "Group-buy"
    assert ngettext("%(num)s day late", "%(num)s days late", 4) == "4 days late"


def test_rooms_are_merged_and_unfinished_words_left_out(tmp_path: Path) -> None:
    (tmp_path / "a.po").write_text('msgid "Join"\nmsgstr "参团"\n\n#, fuzzy\nmsgid "Leave"\nmsgstr "离"\n')
    (tmp_path / "b.po").write_text('msgid "Pay"\nmsgstr "付"\n')
    merged = i18n.merge_catalogues([tmp_path / "b.po", tmp_path / "a.po"])
    assert {message.id: message.string for message in merged if message.id} == {"Join": "参团", "Pay": "付"}


def catalogue(room: str, words: dict[str, str], *, fuzzy: bool = False) -> Catalog:
    made = Catalog(locale="zh", domain=room)
    for msgid, words_in_chinese in words.items():
        made.add(msgid, words_in_chinese, locations=[(f"c2m/{room}/x.py", 1)], flags=["fuzzy"] if fuzzy else [])
    return made


@pytest.mark.parametrize(
    ("rooms", "fault"),
    [
        ([], "missing: 'Pay %(sum)s' (c2m/demand/x.py:1)"),
        ([catalogue("demand", {"Pay %(sum)s": " "})], "demand: empty: 'Pay %(sum)s'"),
        ([catalogue("demand", {"Pay %(sum)s": "付 %(sum)s"}, fuzzy=True)], "demand: fuzzy: 'Pay %(sum)s'"),
        (
            [catalogue("demand", {"Pay %(sum)s": "付 %(amount)s"})],
            "demand: placeholders differ: ['amount', 'sum']: 'Pay %(sum)s'",
        ),
        ([catalogue("demand", {"Pay %(sum)s": "付 %(sum)s", "Gone": "没了"})], "demand: obsolete: 'Gone'"),
        (
            [catalogue("demand", {"Pay %(sum)s": "付 %(sum)s"}), catalogue("web", {"Pay %(sum)s": "支付 %(sum)s"})],
            "web: demand says it otherwise: 'Pay %(sum)s'",
        ),
    ],
)
def test_each_kind_of_faulty_translation_is_found(rooms: list[Catalog], fault: str) -> None:
    assert translations.find_faults(catalogue("demand", {"Pay %(sum)s": ""}), rooms) == [fault]


def test_a_full_catalogue_has_no_faults() -> None:
    found = catalogue("demand", {"Pay %(sum)s": ""})
    assert translations.find_faults(found, [catalogue("demand", {"Pay %(sum)s": "付 %(sum)s"})]) == []


def test_missing_ids_are_added_to_the_room_they_stand_in_and_to_no_other(tmp_path: Path) -> None:
    found = catalogue("demand", {"Join": ""})
    found.add("Ship", locations=[("templates/production/ship.html", 1)])
    found.add("Sign in", locations=[("templates/base.html", 1)])
    assert translations.add_missing("demand", found, tmp_path) == 1
    assert translations.add_missing("demand", found, tmp_path) == 0
    assert translations.add_missing("web", found, tmp_path) == 1
    assert [message.id for message in i18n.read_catalogue(tmp_path / "web.po") if message.id] == ["Sign in"]


@pytest.mark.parametrize(("words", "exit_code"), [({"Join": "参团"}, 0), ({}, 1), ({"Join": ""}, 1)])
def test_the_check_fails_on_any_fault(
    words: dict[str, str], exit_code: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(translations, "extract", lambda: catalogue("demand", {"Join": ""}))
    monkeypatch.setattr(translations, "read_rooms", lambda: [catalogue("demand", words)])
    if exit_code:
        with pytest.raises(typer.Exit) as stopped:
            translations.main()
        assert stopped.value.exit_code == exit_code
        assert "'Join'" in capsys.readouterr().err
    else:
        translations.main()
        assert capsys.readouterr().out == "1 messages, all in Chinese\n"


def test_messages_are_found_in_code_and_templates() -> None:
    found = {translations.source_text(message): message for message in translations.extract() if message.id}
    assert {translations.room_of(name) for name, _ in found["Skip to the content"].locations} == {"web"}
    assert found["%(quantity)s pieces"].id == ("%(quantity)s piece", "%(quantity)s pieces")
    assert "This request can't be carried out." in found
