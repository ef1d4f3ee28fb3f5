"""What must always hold, in plain words."""

from c2m.errors import N_

INVARIANTS: dict[str, str] = {
    "I1": N_("Every entry adds up to zero; amounts are whole and positive; nothing posted disappears or comes twice."),
    "I2": N_("What lies in each escrow is what was paid in and not yet given back, passed on or forfeited."),
    "I3": N_("Money held for an order leaves once, and only as its entries say."),
    "I4": N_("No campaign sells beyond its cap, no buyer takes more than the limit."),
    "I5": N_("Whatever is sent twice has one effect: one order, one charge, one report, one lot."),
    "I6": N_("A campaign closes once: one demand sheet, everyone on the final tier, one settlement of differences."),
    "I7": N_("An order ends in exactly one way, and its money says the same."),
    "I8": N_("Every confirmed piece stands in exactly one line of a demand sheet."),
    "I9": N_("No piece is given to two factories, no week booked beyond its capacity."),
    "I10": N_("What a job does happens once, however often the job runs, and never not at all."),
    "I11": N_("What happened was announced, and what was announced reached everyone concerned."),
    "I12": N_("Every piece sent goes to the order it was made for, and none leaves that wasn't made."),
    "I13": N_("Compensation and settlements are, to the cent, what postings and terms come to."),
}
