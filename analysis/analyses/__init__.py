"""The analyses that headscope offers, by name."""

from analysis.analyses.attention import AttentionByRole, TokenAttention
from analysis.analyses.attribution import Attribution
from analysis.analyses.base import Analysis
from analysis.analyses.bias import Bias
from analysis.analyses.categories import Categories
from analysis.analyses.checkpoint import Checkpoint
from analysis.analyses.curves import Curves
from analysis.analyses.edge_estimates import Edges
from analysis.analyses.effects import Effects
from analysis.analyses.gate import Gate
from analysis.analyses.knock_out import KnockOuts
from analysis.analyses.low_rank import LowRank
from analysis.analyses.mutations import MutationBars
from analysis.analyses.nth_item import NthItem
from analysis.analyses.paths import Paths
from analysis.analyses.pattern import HeadPattern
from analysis.analyses.position_effects import PositionEffects
from analysis.analyses.probes import Probes
from analysis.analyses.prompts import Prompts
from analysis.analyses.pseudocode import HeadPseudocode
from analysis.analyses.qk_scores import QkScores
from analysis.analyses.self_repair import SelfRepair
from analysis.analyses.steer import Steering
from analysis.analyses.subspace import Subspaces
from analysis.analyses.thumbnails import Thumbnails

ANALYSES: dict[str, Analysis] = {
    analysis.name: analysis
    for analysis in (
        Prompts(),
        Gate(),
        Attribution(),
        Effects(),
        PositionEffects(),
        Curves(),
        Paths(),
        Edges(),
        SelfRepair(),
        KnockOuts(),
        AttentionByRole(),
        TokenAttention(),
        HeadPattern(),
        Thumbnails(),
        Categories(),
        QkScores(),
        Subspaces(),
        LowRank(),
        MutationBars(),
        NthItem(),
        Bias(),
        Steering(),
        Probes(),
        HeadPseudocode(),
        Checkpoint(),
    )
}
