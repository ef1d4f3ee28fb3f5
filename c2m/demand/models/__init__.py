"""Capturing demand: campaigns with their ladders and variants, pledges, and the demand sheets made of them."""

from c2m.demand.models.campaigns import (
    HOME_TIME_ZONE,
    Campaign,
    CampaignKind,
    CampaignState,
    Policy,
    PriceTier,
    Variant,
)
from c2m.demand.models.pledges import (
    FINAL,
    LIVING,
    UNTAKEN,
    BuyerTotal,
    ChangeKind,
    Commission,
    Consent,
    Pledge,
    PledgeChange,
    PledgeLine,
    PledgeState,
    Team,
)
from c2m.demand.models.queue import Waiting, WaitingLine, WaitingPledge, WaitingState
from c2m.demand.models.samples import Evaluation, SampleCredit
from c2m.demand.models.sheets import DemandSheet, SheetLine, SheetPledge, SheetRelease

__all__ = [
    "FINAL",
    "HOME_TIME_ZONE",
    "LIVING",
    "UNTAKEN",
    "BuyerTotal",
    "Campaign",
    "CampaignKind",
    "CampaignState",
    "ChangeKind",
    "Commission",
    "Consent",
    "DemandSheet",
    "Evaluation",
    "Pledge",
    "PledgeChange",
    "PledgeLine",
    "PledgeState",
    "Policy",
    "PriceTier",
    "SampleCredit",
    "SheetLine",
    "SheetPledge",
    "SheetRelease",
    "Team",
    "Variant",
    "Waiting",
    "WaitingLine",
    "WaitingPledge",
    "WaitingState",
]
