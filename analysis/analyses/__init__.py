"""The analyses that headscope offers, by name."""

from analysis.analyses.attention import AttentionByRole, TokenAttention
from analysis.analyses.attribution import Attribution
from analysis.analyses.base import Analysis
from analysis.analyses.effects import Effects
from analysis.analyses.gate import Gate
from analysis.analyses.prompts import Prompts

ANALYSES: dict[str, Analysis] = {
    analysis.name: analysis
    for analysis in (Prompts(), Gate(), Attribution(), Effects(), AttentionByRole(), TokenAttention())
}
