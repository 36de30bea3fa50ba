"""The analyses that headscope offers, by name."""

from analysis.analyses.attention import AttentionByRole, TokenAttention
from analysis.analyses.attribution import Attribution
from analysis.analyses.base import Analysis
from analysis.analyses.curves import Curves
from analysis.analyses.edge_estimates import Edges
from analysis.analyses.effects import Effects
from analysis.analyses.gate import Gate
from analysis.analyses.knock_out import KnockOuts
from analysis.analyses.paths import Paths
from analysis.analyses.position_effects import PositionEffects
from analysis.analyses.prompts import Prompts
from analysis.analyses.self_repair import SelfRepair

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
    )
}
