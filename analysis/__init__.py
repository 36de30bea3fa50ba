"""The mathematics of headscope. It reads no environment and knows no web, no store and no engine.

Axis glossary, the only words that shapes use:

`batch` prompts of one run, `pair` prompt pairs, `pos` position in a prompt, `query_pos` and `key_pos` the
positions attended from and to, `layer`, `head`, `kv_head` (shared by a group of heads), `group` heads of one
kv_head, `component` any piece of the weights that writes to the residual stream, `node` what can be patched
(a head, an MLP, the residual stream before a layer, ...), `receiver` where a path ends, `row` worlds in which
the exact engine has changed something, `ranking` an order of nodes, `k` how many of its first ones are taken,
`curve` sufficiency, necessity or faithfulness of them, `token` an entry of the vocabulary, `answer` chosen
tokens (usually the option labels), `correct` the correct one among them, `role` a kind of token, `weighting`
a way to weigh attention, `resample` draws of a bootstrap, `permutation` an order of a question's contents,
`mutation` a change of its form, `metric` a way to judge answers, `bar` one number of a bar chart, `dimension`
a direction of a subspace, `rank` how many of its first ones are kept, `basis` which ones come first, `kind`
which vectors of a head they are of, `centring` what they are centred on, `cluster` vectors of one class,
`score` a way to judge them, `target` an option that a change may lead to, `pixel` a side of a small picture,
`d_model`, `d_head` and `d_mlp` vector sizes.

Order: `pair` or `batch`, then what is listed (`layer`, `node`, `head`), then positions, then the vector axis.
"""
