"""A sentence encoder beside words: what is said in other words is found, and a missing one is said at once."""

from pathlib import Path

import numpy as np
import pytest
from pydantic import ValidationError
from typer.testing import CliRunner

from c2m.cli import cli
from c2m.config import Stored, complaint
from c2m.demand.clustering.encoding import Encoder, Meanings, MissingEncoder
from c2m.demand.clustering.grouping import groups_of
from c2m.demand.clustering.pool import Pool


def by_first_letter(texts: object) -> Meanings:
    """Texts that begin alike mean the same."""
    rows = [np.eye(26, dtype=np.float32)[ord(text[0]) % 26] for text in texts]  # type: ignore[attr-defined]
    return np.stack(rows) if rows else np.zeros((0, 26), np.float32)


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """A tiny encoder of random weights that reads letters."""
    pytest.importorskip("torch")
    transformers = pytest.importorskip("transformers")
    folder = tmp_path / "tiny"
    folder.mkdir()
    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *"abcdefghijklmnopqrstuvwxyz"]
    (folder / "vocab.txt").write_text("\n".join(words + [f"##{letter}" for letter in "abcdefghijklmnopqrstuvwxyz"]))
    transformers.BertTokenizer(str(folder / "vocab.txt")).save_pretrained(folder)
    config = transformers.BertConfig(
        vocab_size=57, hidden_size=16, num_hidden_layers=1, num_attention_heads=2, intermediate_size=16
    )
    transformers.BertModel(config).save_pretrained(folder)
    return folder


def test_meanings_are_rows_of_length_one_and_the_same_for_the_same_words(model: Path) -> None:
    encode = Encoder(model)
    rows = encode(["mug", "a much longer text about a lamp", "mug"])
    assert rows.shape == (3, 16)
    assert np.linalg.norm(rows, axis=1) == pytest.approx([1, 1, 1], abs=1e-5)
    assert rows[0] == pytest.approx(rows[2], abs=1e-5)
    assert encode([]).shape == (0, 16)


def test_what_means_the_same_is_grouped_though_no_word_is_shared() -> None:
    texts = ["quux", "qwerty", "zork"]
    assert groups_of(texts).tolist() == [0, 1, 2]
    assert groups_of(texts, encode=by_first_letter).tolist() == [0, 0, 1]


def test_one_more_text_finds_its_like_by_meaning_among_those_read_and_those_that_came_later() -> None:
    pool = Pool(["quux", "zork"], by_first_letter)
    assert [number for number, _like in pool.nearest("qwerty")] == [0]
    assert pool.add("qix") == 2
    assert {number for number, _like in pool.nearest("qwerty")} == {0, 2}


def test_cluster_asks_the_encoder_it_is_given(model: Path, tmp_path: Path) -> None:
    titles, out = tmp_path / "t.csv", tmp_path / "out.csv"
    titles.write_text("id,title\n1,mug\n2,mug\n", encoding="utf-8")
    done = CliRunner().invoke(cli, ["cluster", str(titles), "--out", str(out), "--encoder", str(model)])
    assert done.exit_code == 0
    assert out.read_text() == "id,group\n1,1\n2,1\n"


def test_a_missing_encoder_is_said_in_one_sentence_at_once(tmp_path: Path) -> None:
    titles, out = tmp_path / "t.csv", tmp_path / "out.csv"
    titles.write_text("id,title\n1,mug\n", encoding="utf-8")
    done = CliRunner().invoke(cli, ["cluster", str(titles), "--out", str(out), "--encoder", str(tmp_path / "none")])
    assert done.exit_code == 2
    assert done.stderr.startswith("There is no sentence encoder at ")
    assert done.stderr.count("\n") == 1
    assert not out.exists()
    with pytest.raises(MissingEncoder):
        Encoder(tmp_path)
    with pytest.raises(ValidationError) as refused:
        Stored(demand_encoder=str(tmp_path / "none"))
    assert "C2M_DEMAND_ENCODER: there is no sentence encoder at " in complaint(refused.value)
