"""How each analysis computes its numbers, as a methods section says it, with the papers that it follows."""

from collections.abc import Mapping

REFERENCES: Mapping[str, str] = {
    "Lieberum et al. 2023": "Lieberum et al. (2023), Does Circuit Analysis Interpretability Scale? Evidence "
    "from Multiple Choice Capabilities in Chinchilla, arXiv:2307.09458.",
    "Elhage et al. 2021": "Elhage et al. (2021), A Mathematical Framework for Transformer Circuits.",
    "Wang et al. 2022": "Wang et al. (2022), Interpretability in the Wild, arXiv:2211.00593.",
    "Goldowsky-Dill et al. 2023": "Goldowsky-Dill et al. (2023), Localizing Model Behavior with Path "
    "Patching, arXiv:2304.05969.",
    "Syed et al. 2023": "Syed et al. (2023), Attribution Patching Outperforms Automated Circuit Discovery, "
    "arXiv:2310.10348.",
    "Kramár et al. 2024": "Kramár et al. (2024), AtP*, arXiv:2403.00745.",
    "McGrath et al. 2023": "McGrath et al. (2023), The Hydra Effect, arXiv:2307.15771.",
    "Geva et al. 2023": "Geva et al. (2023), Dissecting Recall of Factual Associations, arXiv:2304.14767.",
    "Mueller et al. 2025": "Mueller et al. (2025), MIB: A Mechanistic Interpretability Benchmark, "
    "arXiv:2504.13151.",
    "arXiv:2410.02343": "Listening to the Wise Few, arXiv:2410.02343.",
    "Zheng et al. 2024": "Zheng et al. (2024), Large Language Models Are Not Robust Multiple Choice "
    "Selectors, arXiv:2309.03882.",
}

_FITTED = (
    "Directions are the singular vectors of the head’s vectors around their mean, fitted on prompts of the "
    "other split and applied to the drawn ones (after Lieberum et al. 2023, section 4)."
)

METHOD: Mapping[str, str] = {
    "prompts": "Every pair is tokenised as the model sees it; nothing is run through the model.",
    "gate": "By letter: which label has the highest logit after the prompt. By content: which option’s text "
    "is the likeliest answer to the bare question, per token. Both after Lieberum et al. 2023.",
    "attribution": "A component’s attribution to a letter is the unembedding of that letter times its write "
    "at the final position, after the final norm with its scale held fixed; centred over the letters. Over "
    "all components it sums to the centred logit (Elhage et al. 2021; Lieberum et al. 2023).",
    "effects": "Resample ablation as in Lieberum et al. 2023. Total effect: the metric with one node patched "
    "and everything after it recomputed, less that of the base run. Direct effect: the same with all other "
    "nodes frozen, so that only the residual stream carries the change to the logits. Indirect effect: total "
    "less direct. Attribution: unembedding of the letter times the node’s write, final scale held fixed.",
    "position_effects": "Total effects of one node at one token, everything after it recomputed. Estimates "
    "are attribution patching, with the pattern recomputed exactly for queries and keys (QK fix of AtP*, "
    "Kramár et al. 2024); cells are measured from the strongest estimate on.",
    "curves": "Sufficiency patches the first k nodes of the ranking from the clean into the corrupt run; "
    "necessity from the corrupt into the clean run (Lieberum et al. 2023); faithfulness patches all other "
    "nodes, with CPR and CMD as the areas under it (Mueller et al. 2025). All are shares of the gap between "
    "the clean and the corrupt run; means over prompts are taken before dividing.",
    "paths": "Path patching (Wang et al. 2022; Goldowsky-Dill et al. 2023): one receiver alone reads a "
    "residual stream in which the sender has its value from the other run; what comes after the receiver is "
    "recomputed. Keys and values are patched for the query head alone.",
    "edge_estimates": "Edges are estimated by edge attribution patching (after Syed et al. 2023), with what "
    "the receiver makes of the change computed exactly and only what follows it linearised. The strongest "
    "are then measured by path patching (Wang et al. 2022).",
    "self_repair": "Change of every component’s logit attribution between the patched and the base run, both "
    "read out with the base run’s final scale (McGrath et al. 2023).",
    "knock_out": "Attention weights from the final position to the tokens of one role are set to zero, the "
    "rest of the row is scaled up to sum to 1, everything later is recomputed (Geva et al. 2023).",
    "attention": "The last row of the pattern, recomputed from the recorded queries and keys; "
    "value-weighted: times the length of each value vector (Lieberum et al. 2023); output-weighted: times "
    "the length of what that value becomes in the head’s write; shares, summed over the tokens of a role.",
    "token_attention": "The last row of the pattern, recomputed from the recorded queries and keys; "
    "value-weighted: times the length of each value vector (Lieberum et al. 2023); signed: what each token "
    "adds to the centred logit of the correct letter through this head, which sums to its attribution.",
    "categories": "The categories are those of Lieberum et al. 2023; rules and thresholds are headscope’s. "
    "A head belongs to the first category whose rule it meets; its confidence is 0.5 at a threshold and 1 "
    "where every condition is met as well as can be.",
    "qk_scores": "The head answers with the option whose representative token has the largest product of key "
    "and final query (arXiv:2410.02343). The best head is chosen on prompts of the other split.",
    "subspace": f"{_FITTED} The pattern is rebuilt from scores in three dimensions, all other scores fixed.",
    "low_rank": f"{_FITTED} In each world the heads see μ + P(x − μ) for their query, keys or values, "
    "everything above is computed again; rank 0 leaves the mean. Baselines are random and the weakest "
    "dimensions, and the heads replaced by their mean.",
    "mutations": "Mutations change the form of a question and keep what is asked (after Lieberum et al. "
    f"2023). {_FITTED}",
    "nth_item": "Mean vectors of lines and of letters are learnt from prompts of the other split with labels "
    "in order, and judged on shuffled labels, where the two come apart; vectors are those before rotary "
    "embedding. The swap puts another prompt’s query into the head (after Lieberum et al. 2023, section 4).",
    "bias": "The contents of the options move through all cyclic orders under labels that stay; the prior is "
    "the softmax of the mean log probability of each label (PriDe, Zheng et al. 2024).",
    "steer": f"{_FITTED} Only these dimensions of one vector change; everything above is computed again.",
    "probes": "Ridge regression on the classes in closed form, standardised, penalty 1, judged by "
    "cross-validation over prompts with shuffled labels.",
    "pseudocode": "Two algorithms, by line and by letter, each with a table of attention measured on prompts "
    "of the other split; the one closer to the head over all mutations is shown (Lieberum et al. 2023 sum a "
    "head up like this; the agreement is headscope’s).",
    "checkpoint": "Made of the gate, the categories, the line-or-letter scores and the rank-3 recovery of "
    "the heads that write most to the correct letter on prompts of the other split (after Lieberum et al. "
    "2023).",
    "pattern": "Attention of the clean run as the model computes it: for every token its strongest keys from "
    "a share of 0.005 on, rounded to four decimals, and the share that is not listed.",
    "thumbnails": "Attention of the clean run as the model computes it. A pixel is the square root of the "
    "largest attention among the tokens that fall into it, in 256 steps; the first token as a key is kept "
    "apart, since most heads rest there.",
}
