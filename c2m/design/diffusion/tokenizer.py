"""The tokenizer: one token a prompt word, letters for every other word, in the files CLIPTokenizer reads."""

import json
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

from c2m.design.diffusion.vocabulary import prompt_words

if TYPE_CHECKING:
    from transformers import CLIPTokenizer

START, END = "<|startoftext|>", "<|endoftext|>"
LAST = "</w>"  # closes a word's last piece
CHARACTERS = "abcdefghijklmnopqrstuvwxyz0123456789!\"#$%&'()*+,-./:;<=>?@[]_`{|}~"


def merges_for(words: list[str]) -> list[tuple[str, str]]:
    """The shortest list of merges, in order, that joins each word's letters into one token.

    A merge is only added where those before it leave a word in pieces, so words merged earlier stay whole.
    """
    merges: dict[tuple[str, str], int] = {}
    for word in words:
        while len(left := pieces(word, merges)) > 1:
            merges[left[0], left[1]] = len(merges)
    return list(merges)


def pieces(word: str, merges: dict[tuple[str, str], int]) -> list[str]:
    """The word as byte-pair encoding leaves it: the earliest merge first, wherever it applies."""
    parts = [*word[:-1], word[-1] + LAST]
    while True:
        pairs = [pair for pair in pairwise(parts) if pair in merges]
        if not pairs:
            return parts
        best = min(pairs, key=merges.__getitem__)
        joined: list[str] = []
        for part in parts:
            if joined and (joined[-1], part) == best:
                joined[-1] = "".join(best)
            else:
                joined.append(part)
        parts = joined


def write_tokenizer(folder: Path, *, tokens: int) -> "CLIPTokenizer":
    """A CLIP tokenizer over the prompt words, padded to that many tokens, saved in the folder."""
    from transformers import CLIPTokenizer

    merges = merges_for(prompt_words())
    units = [START, END, *CHARACTERS, *(character + LAST for character in CHARACTERS)]
    vocabulary = {unit: number for number, unit in enumerate(dict.fromkeys([*units, *map("".join, merges)]))}
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "vocab.json").write_text(json.dumps(vocabulary, ensure_ascii=False), "utf-8")
    lines = ["#version: 0.2", *(" ".join(merge) for merge in merges)]
    (folder / "merges.txt").write_text("\n".join(lines) + "\n", "utf-8")
    tokenizer = CLIPTokenizer.from_pretrained(str(folder), model_max_length=tokens)
    tokenizer.save_pretrained(str(folder))
    return tokenizer
