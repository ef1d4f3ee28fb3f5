"""Passwords as argon2id hashes."""

from c2m.identity.passwords import Passwords

CHEAP = Passwords(passes=1, memory_kib=8)


def test_a_password_proves_right_against_its_own_hash_only() -> None:
    kept = CHEAP.hash("correct horse")
    assert kept.startswith("$argon2id$v=19$m=8,t=1,p=1$")
    assert kept != CHEAP.hash("correct horse")
    assert CHEAP.verify(kept, "correct horse")
    assert not CHEAP.verify(kept, "correct horse ")
    assert not CHEAP.verify("no hash at all", "correct horse")


def test_without_a_hash_nobody_is_right_not_even_with_the_stand_ins_password() -> None:
    assert not CHEAP.verify(None, "nobody has this password")


def test_an_unknown_person_costs_as_much_hashing_as_a_known_one() -> None:
    dear = Passwords(passes=2, memory_kib=64)
    assert dear._nobody.startswith("$argon2id$v=19$m=64,t=2,p=1$")


def test_a_hash_made_at_another_cost_is_outdated() -> None:
    kept = CHEAP.hash("correct horse")
    assert not CHEAP.outdated(kept)
    assert Passwords(passes=2, memory_kib=8).outdated(kept)
