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
from c2m.demand.models.needs import (
    GroupCampaign,
    MakersInterest,
    Need,
    NeedGroup,
    NeedState,
    SearchCount,
    TrendBrief,
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
from c2m.demand.models.predictions import Prediction, SuccessModel
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
    "GroupCampaign",
    "MakersInterest",
    "Need",
    "NeedGroup",
    "NeedState",
    "Pledge",
    "PledgeChange",
    "PledgeLine",
    "PledgeState",
    "Policy",
    "Prediction",
    "PriceTier",
    "SampleCredit",
    "SearchCount",
    "SheetLine",
    "SheetPledge",
    "SheetRelease",
    "SuccessModel",
    "Team",
    "TrendBrief",
    "Variant",
    "Waiting",
    "WaitingLine",
    "WaitingPledge",
    "WaitingState",
]
