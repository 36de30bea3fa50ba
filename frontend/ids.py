"""Ids of the page's elements; tests and the script in `assets/` use the same ones."""

from frontend.options import SECTIONS

URL = "url"
ANSWERED = "answered"  # which change the address is the answer to
GO = "go"  # what a control wants to change in the address; see assets/headscope.js
THEME = "theme"
RETRY_ROUTE = "retry-route"

# header
MODEL_CHIP, PROMPTS_CHIP, CERTIFICATE_CHIP = "model-chip", "prompts-chip", "certificate-chip"
MODEL_CARD, MODEL_POLL = "model-card", "model-poll"
PINS, PINS_SAID, UNDO = "pins", "pins-said", "undo"
HISTORY, HISTORY_PLACES, HISTORY_TWO = "history", "history-places", "history-two"
WHAT_DIFFERS, DIFFERENCES = "what-differs", "differences"
FIND, COPY_LINK, THEME_SWITCH, STATUS, HOME = "find-head", "copy-link", "theme-switch", "status", "home-link"
FIND_TYPED, FIND_SAID = "find-typed", "find-said"  # what was in the box when Enter was pressed; the answer
CHOOSER, CHOOSER_FIELDS, CHOOSER_MODEL = "prompt-chooser", "chooser-fields", "choose-model"

# pages
CONTENT, MAP_PAGE, HEAD_PAGE, PROBLEMS = "content", "map-page", "head-page", "problems"

# what each panel wants, written by the router only
WANT_MODEL, WANT_QUESTION, WANT_GATE, WANT_MAP = "want-model", "want-question", "want-gate", "want-map"
WANT_PAIR, WANT_HEAD, WANT_PATTERN, WANT_TOKENS = "want-pair", "want-head", "want-pattern", "want-tokens"
WANT_PROFILE, WANT_CHOICES = "want-profile", "want-choices"
SECTIONS_OF_PAGE, SECTION_PRESSED, QK_MEASURED = "sections", "section-pressed", "qk-measured"
SECTIONS_NEWS, ESTIMATES = "sections-news", "estimates"  # what changes of them; see assets/headscope.js
WANT_HEADS, WANT_VERDICT, WANT_TRAINING, WANT_PAGES = (
    "want-heads",
    "want-verdict",
    "want-training",
    "want-pages",
)
WANT_MARKS, WANT_HISTORY = "want-marks", "want-history"
WANT_COMPARE, WANT_RUNS, WANT_SCATTER = "want-compare", "want-runs", "want-scatter"
WANT_FIGURE = "want-figure"
WANT_PROMPTS = "want-prompts"
WANT_SECTION = {name: f"want-{name}" for name in SECTIONS}
WANTS = (
    WANT_MODEL,
    WANT_QUESTION,
    WANT_GATE,
    WANT_MAP,
    WANT_PAIR,
    WANT_HEAD,
    WANT_PATTERN,
    WANT_TOKENS,
    WANT_PROFILE,
    WANT_CHOICES,
    WANT_HEADS,
    WANT_VERDICT,
    WANT_TRAINING,
    WANT_PAGES,
    WANT_FIGURE,
    WANT_PROMPTS,
    WANT_MARKS,
    WANT_HISTORY,
    WANT_COMPARE,
    WANT_RUNS,
    WANT_SCATTER,
    *WANT_SECTION.values(),
)
PAINTED = (
    WANT_MAP,
    WANT_TRAINING,
    WANT_FIGURE,
    WANT_SCATTER,
    *WANT_SECTION.values(),
)  # drawn in the colours of a theme

# the row of choices, on both pages
CHOICES_ON = {"map": "map-choices", "head": "head-choices"}

# map page
QUESTION, GATE, MAP_NOTICE, MAP_WARNINGS = "question", "gate", "map-notice", "map-warnings"
MAP, MAP_BOX, MAP_GRID, MAP_LEGEND, MAP_SENTENCE, MAP_VIEWS = (
    "map",
    "map-box",
    "map-grid",
    "map-legend",
    "map-sentence",
    "map-views",
)
MAP_TITLE = "map-title"
MAP_PROGRESS, MAP_CANCEL, MAP_AGAIN = "map-progress", "map-cancel", "map-again"
NODES, NODES_ALL = "strongest-nodes", "all-nodes"
EVIDENCE, EVIDENCE_TITLE, AUDIT = "evidence-body", "evidence-title", "audit"
EVIDENCE_CARD, EVIDENCE_NUMBERS, MEANS_NOTE = "evidence", "evidence-numbers", "means-note"
EVIDENCE_LETTERS, EVIDENCE_STRIP, EVIDENCE_METRICS = (
    "evidence-letters",
    "evidence-strip",
    "evidence-metrics",
)
VALUES = {view: f"value-{view}" for view in ("total", "direct", "indirect", "attribution")}
MEANS = {view: f"mean-{view}" for view in VALUES}
VALUE_ATTENTION = "value-attention"
PREVIEW, PATH_TO, PATH_SAID = "evidence-preview", "path-to", "path-said"
NODE_TOOLS = {"map": "evidence-tools", "head": "head-tools"}
NOTE = {"map": "evidence-note", "head": "head-note"}

# head page
HEAD_TITLE, HEAD_NUMBERS, HEAD_SENTENCE, HEAD_ROLES = (
    "head-title",
    "head-numbers",
    "head-sentence",
    "head-roles",
)
HEAD_PROFILE = "head-profile"
HEAD_PATTERN_CARD, HEAD_ROLES_CARD = "head-pattern-card", "head-roles-card"
HEAD_PATTERN, HEAD_TOKENS, HEAD_AUDIT, HEAD_NOTICE = (
    "head-pattern",
    "head-tokens",
    "head-audit",
    "head-notice",
)

# links between the pages, the table of all heads, the verdict on one head, training
PAGES = "pages"
HEADS_PAGE, HEADS_COUNTS, HEADS_THRESHOLDS, HEADS_TABLE = (
    "heads-page",
    "heads-counts",
    "heads-thresholds",
    "heads-table",
)
HEADS_PROGRESS, HEADS_CANCEL, HEADS_AGAIN, HEADS_NOTICE, HEADS_AUDIT = (
    "heads-progress",
    "heads-cancel",
    "heads-again",
    "heads-notice",
    "heads-audit",
)
HEADS_EXPORT, HEADS_FILE = "heads-export", "heads-file"
VERDICT, VERDICT_CARD, VERDICT_CHIP = "verdict", "verdict-card", "verdict-chip"
TRAINING_PAGE, TRAINING_CURVES, TRAINING_NUMBERS, TRAINING_STEP = (
    "training-page",
    "training-curves",
    "training-numbers",
    "training-step",
)
TRAINING_PROGRESS, TRAINING_CANCEL, TRAINING_NOTICE, TRAINING_AUDIT = (
    "training-progress",
    "training-cancel",
    "training-notice",
    "training-audit",
)

# side by side, and the scatter of heads
COMPARE_PAGE, COMPARE_PINS, RUNS, RUNS_CHOICE = "compare-page", "pinned-heads", "two-runs", "runs-choice"
SCATTER, SCATTER_CARD, SCATTER_CHOICE = "scatter", "scatter-card", "scatter-choice"

# a stored figure by itself
FIGURE_PAGE, FIGURE_TITLE, FIGURE_FROM, FIGURE_TOOLS, FIGURE_NOTICE = (
    "figure-page",
    "figure-title",
    "figure-from",
    "figure-tools",
    "figure-notice",
)
FIGURE_CARD, FIGURE_BODY, FIGURE_CAPTION, FIGURE_WORDS, FIGURE_AUDIT = (
    "figure-card",
    "figure-body",
    "figure-caption",
    "figure-words",
    "figure-audit",
)
FIGURE_AGAIN, FIGURE_CANCEL, FIGURE_PROGRESS, FIGURE_ARRIVED = (
    "figure-again",
    "figure-cancel",
    "figure-progress",
    "figure-arrived",
)

# the page on prompts
PROMPTS_PAGE, DRAWN_TITLE, DRAWN_LIST, DRAWN_PAIR = "prompts-page", "drawn-title", "drawn-list", "drawn-pair"
EDITOR, EDITOR_PAIR, EDITOR_FORM, EDITOR_SAID = "editor", "editor-pair", "editor-form", "editor-said"
EDITOR_TYPED, EDITOR_OPEN, EDITOR_NEW, EDITOR_NOTICE = (
    "editor-typed",
    "editor-open",
    "editor-new",
    "editor-notice",
)
UPLOAD_FILE, UPLOAD_ANSWER, UPLOAD_SAID = "upload-file", "upload-answer", "upload-said"
OWN_FORM, OWN_TYPED, OWN_SAID, OWN_FILLED = "own-form", "own-typed", "own-said", "own-filled"

# subspace of a head
SCENE, SCENE_ROW, SCENE_HEAD, SCENE_BESIDE = "scene", "scene-row", "scene-head", "scene-beside"

INVESTIGATION = "export-investigation"


def popover(chip: str) -> str:
    """What opens below a chip."""
    return f"{chip}-popover"


def poll(panel: str) -> str:
    """The timer of a panel, running only while something is pending."""
    return f"{panel}-poll"


def memory(panel: str) -> str:
    """Which job a panel follows."""
    return f"{panel}-memory"


def section(name: str, part: str) -> str:
    """A part of a section that is measured on demand."""
    return f"section-{name}-{part}"
