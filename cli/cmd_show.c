/* cmd_show.c: profuse show VERB: profiles as tables, text or a flame graph. */
#include <jansson.h>
#include <string.h>

#include "commands.h"
#include "core/error.h"
#include "core/file.h"
#include "inputs.h"
#include "notes.h"
#include "report/view.h"
#include "report/symbolize.h"
#include "report/units.h"

enum verb { TOP, TREE, PEEK, RAW, DIFF, FLAME, VERBS };

static const char *const verbs[VERBS] = {"top", "tree", "peek", "raw", "diff", "flame"};

struct settings {
	struct cli_input_settings input;
	struct cli_list binaries, debug_files, perf_maps;
	const char *output, *sample_type, *focus, *ignore, *unit;
	int granularity, sort; /* positions in the choices below */
	uint64_t limit;
	double least_share;
	bool json;
};

enum { DEFAULT_LIMIT = UINT16_MAX };

static const struct settings defaults = {.limit = DEFAULT_LIMIT, .least_share = -1};

static const struct cli_option options[] = {
    {.name = "base",
	.kind = CLI_STRING,
	.offset = offsetof(struct settings, input.base),
	.argument = "FILE",
	.help = "What to compare with (diff, flame): a file, a folder or @LIST"},
    {.name = "sample-type",
	.kind = CLI_STRING,
	.offset = offsetof(struct settings, sample_type),
	.argument = "NAME",
	.help =
	    "Which values to show, such as cpu or inuse_space (default: what the profile says)"},
    {.name = "focus",
	.kind = CLI_STRING,
	.offset = offsetof(struct settings, focus),
	.argument = "REGEX",
	.help = "Only samples in which a function, its file or its binary matches this POSIX "
		"extended expression"},
    {.name = "ignore",
	.kind = CLI_STRING,
	.offset = offsetof(struct settings, ignore),
	.argument = "REGEX",
	.help = "No samples in which one matches this"},
    CLI_INPUT_OPTIONS(struct settings, input),
    {.name = "granularity",
	.kind = CLI_CHOICE,
	.offset = offsetof(struct settings, granularity),
	.argument = "WHAT",
	.choices = "auto|functions|lines|addresses|files|binaries",
	.help = "What a row stands for: auto (functions, or addresses where the profile has no "
		"names), functions, lines, addresses, files, binaries"},
    {.name = "nodecount",
	.letter = 'n',
	.kind = CLI_COUNT,
	.offset = offsetof(struct settings, limit),
	.argument = "N",
	.help = "At most this many rows; 0 is all (default: 80 in tree, all elsewhere)"},
    {.name = "least-share",
	.kind = CLI_PERCENT,
	.offset = offsetof(struct settings, least_share),
	.argument = "PERCENT",
	.help = "Leave out rows whose cum is below this share of the total (default 0.5% in top, "
		"tree and diff, 0 in peek)"},
    {.name = "sort",
	.kind = CLI_CHOICE,
	.offset = offsetof(struct settings, sort),
	.argument = "flat|cum",
	.choices = "flat|cum",
	.help = "Order of the rows (default flat)"},
    {.name = "unit",
	.kind = CLI_STRING,
	.offset = offsetof(struct settings, unit),
	.argument = "UNIT",
	.help = "Print values in this unit, such as ms or MB; auto chooses (the default)"},
    {.name = "binary",
	.kind = CLI_LIST,
	.offset = offsetof(struct settings, binaries),
	.argument = "BIN",
	.help = "An executable or library of the profile: gives names to its addresses; may be "
		"repeated"},
    {.name = "debug-file",
	.kind = CLI_LIST,
	.offset = offsetof(struct settings, debug_files),
	.argument = "FILE",
	.help = CLI_DEBUG_FILE_HELP},
    {.name = "perf-map",
	.kind = CLI_LIST,
	.offset = offsetof(struct settings, perf_maps),
	.argument = "FILE",
	.help = "Names of a JIT compiler's code, as in /tmp/perf-PID.map of the process that was "
		"profiled; may be repeated"},
    {.name = "output",
	.letter = 'o',
	.kind = CLI_STRING,
	.offset = offsetof(struct settings, output),
	.argument = "FILE",
	.help = "Where the text or page goes (default: standard output; flame needs it)"},
    {.name = "json",
	.kind = CLI_FLAG,
	.offset = offsetof(struct settings, json),
	.help = "One JSON object instead of text (schema profuse.show.v1)"},
    {NULL},
};

static int
find_verb(const char *name, enum verb *verb, struct pf_error *err)
{
	for (int i = 0; i < VERBS; i++) {
		if (strcmp(verbs[i], name) == 0) {
			*verb = (enum verb)i;
			return 0;
		}
	}
	return pf_error_set(err, PF_EUSAGE,
	    "show %s: no such view; there are top, tree, peek, raw, diff and flame", name);
}

static int
check(const struct settings *s, enum verb verb, size_t files, struct pf_error *err)
{
	if (!files && !cli_selection_asked(&s->input.selection))
		return pf_error_set(err, PF_EUSAGE,
		    "show %s needs at least one profile%s, or a selection from a store",
		    verbs[verb], verb == PEEK ? " after the function" : "");
	if (verb == DIFF && !s->input.base)
		return pf_error_set(err, PF_EUSAGE, "show diff needs --base FILE");
	if (verb != DIFF && verb != FLAME && s->input.base)
		return pf_error_set(err, PF_EUSAGE,
		    "--base goes with show diff and show flame; profuse merge --base subtracts");
	if (verb == FLAME && !s->output)
		return pf_error_set(
		    err, PF_EUSAGE, "show flame needs -o FILE.html (- is standard output)");
	if (s->unit && !pf_unit_known(s->unit))
		return pf_error_set(err, PF_EUSAGE,
		    "--unit %s: no such unit; there are auto, B, kB, MB, GB, TB, PB, ns, us, ms, "
		    "s and hrs",
		    s->unit);
	if (s->json && s->output && strcmp(s->output, "-") == 0)
		return pf_error_set(
		    err, PF_EUSAGE, "--json and -o - both want standard output; leave one out");
	return 0;
}

static struct pf_view_options
report_options(const struct settings *s, enum verb verb)
{
	struct pf_view_options o = {.sample_type = s->sample_type,
	    .focus = s->focus,
	    .ignore = s->ignore,
	    .unit = s->unit,
	    .granularity = (enum pf_granularity)s->granularity,
	    .sort_by_cum = s->sort == 1,
	    .node_limit = s->limit == DEFAULT_LIMIT ? 0 : s->limit};
	bool trimmed = verb == TOP || verb == TREE || verb == DIFF;

	if (verb == TREE && s->limit == DEFAULT_LIMIT)
		o.node_limit = 80;
	o.least_share = s->least_share >= 0 ? s->least_share / 100 : trimmed ? 0.005 : 0;
	o.least_edge = trimmed ? o.least_share / 5 : 0;
	return o;
}

/* The main binary's name, which is the best a profile knows of itself. */
static const char *
title(const struct pf_view *r)
{
	const struct pf_profile *p = r->p;
	const char *file = p->mapping_count ? pf_profile_string(p, p->mappings[0].filename) : "";

	return *file ? pf_base_name(file) : "profile";
}

static int
print_report(const struct pf_view *r, enum verb verb, const char *function, bool json,
    struct pf_buffer *out, struct pf_error *err)
{
	if (verb == FLAME)
		return pf_view_flame(r, title(r), out, err);
	if (json)
		return pf_view_nodes_json(r, verbs[verb], function, out, err);
	switch (verb) {
	case TOP:
		return pf_view_top(r, out, err);
	case TREE:
		return pf_view_tree(r, out, err);
	case PEEK:
		return pf_view_peek(r, function, out, err);
	default:
		return pf_view_diff(r, out, err);
	}
}

static int
print_raw(const struct settings *s, const struct pf_profile *p, const uint8_t *kept,
    struct pf_buffer *out, struct pf_error *err)
{
	return s->json ? pf_view_raw_json(p, kept, out, err) : pf_view_raw(p, kept, out, err);
}

static int
print_profile(const struct settings *s, enum verb verb, const char *function,
    struct cli_inputs *inputs, struct pf_buffer *out, struct pf_error *err)
{
	struct pf_view_options o = report_options(s, verb);
	const struct pf_profile *p = inputs->profile;
	const char *advice;
	struct pf_view r;
	int rc;

	/* As it is: also one without a sample type, which no other view can show. */
	if (verb == RAW && !s->focus && !s->ignore)
		return print_raw(s, p, NULL, out, err);
	o.warnings = &inputs->warnings;
	rc = pf_view_init(&r, p, &o, err);
	if (!rc && verb == RAW) {
		rc = print_raw(s, p, r.kept, out, err);
	} else if (!rc) {
		advice = pf_view_advice(&r);
		/* A stripped binary that was given has had its own note. */
		if (advice && (r.frames.has_lines || !s->binaries.count))
			cli_inputs_warn(inputs, advice);
		rc = print_report(&r, verb, function, s->json, out, err);
	}
	pf_view_release(&r);
	return rc;
}

/* A page is a file; beside it --json says what was written. */
static int
print_page_summary(const struct settings *s, const struct pf_buffer *page, struct pf_error *err)
{
	json_t *root = json_pack("{s:s,s:s,s:s,s:I}", "schema", "profuse.show.v1", "verb", "flame",
	    "output", s->output, "bytes", (json_int_t)page->size);
	int failed = !root || json_dumpf(root, stdout, JSON_INDENT(2)) || putchar('\n') == EOF;

	json_decref(root);
	return failed ? pf_error_set(err, PF_EIO, "cannot write the summary to standard output")
		      : 0;
}

/* Names for addresses, from what was given for that. */
static int
symbolize(const struct settings *s, struct pf_profile *profile, struct pf_error *err)
{
	struct pf_symbolize_options o = {.binaries = s->binaries.items,
	    .binary_count = s->binaries.count,
	    .debug_files = s->debug_files.items,
	    .debug_file_count = s->debug_files.count,
	    .perf_maps = s->perf_maps.items,
	    .perf_map_count = s->perf_maps.count,
	    .note = cli_note};

	if (!o.binary_count && !o.debug_file_count && !o.perf_map_count)
		return 0;
	return pf_profile_symbolize(profile, &o, err);
}

static int
run_verb(const struct settings *s, enum verb verb, const char *function, char *const *files,
    size_t count, struct pf_error *err)
{
	struct cli_inputs inputs = {0};
	struct pf_buffer out;
	int rc;

	pf_buffer_init(&out, PF_BUFFER_NO_MAXIMUM);
	rc = verb == RAW && count == 1
		 ? cli_inputs_read_plain(&inputs, &s->input, files[0], err)
		 : cli_inputs_read(&inputs, &s->input, true, files, count, err);
	if (!rc)
		rc = symbolize(s, inputs.profile, err);
	if (!rc)
		rc = print_profile(s, verb, function, &inputs, &out, err);
	if (!rc)
		rc = pf_file_write(s->output ? s->output : "-", out.bytes, out.size, err);
	if (!rc && s->json && verb == FLAME)
		rc = print_page_summary(s, &out, err);
	pf_buffer_release(&out);
	cli_inputs_release(&inputs);
	return rc;
}

static int
run(const void *settings, const struct cli_arguments *arguments, struct pf_error *err)
{
	const struct settings *s = settings;
	char *const *files = arguments->items + 1;
	size_t count = arguments->count - 1;
	const char *function = NULL;
	enum verb verb = TOP;
	int rc = find_verb(arguments->items[0], &verb, err);

	if (!rc && verb == PEEK && count) {
		function = *files++;
		count--;
	}
	if (!rc)
		rc = check(s, verb, count, err);
	return rc ? rc : run_verb(s, verb, function, files, count, err);
}

const struct cli_command cli_show = {
    .name = "show",
    .usage = "top|tree|raw|flame FILE… · peek FUNCTION FILE… · diff --base FILE FILE…",
    .summary = "profiles as tables, text or a flame graph",
    .description =
	"top lists functions: flat is what was spent in a function itself, cum what was spent in "
	"it and all it calls; the counts are those of go tool pprof -top. tree adds callers and "
	"callees, peek does so for functions that match an expression, raw prints every sample, "
	"location and mapping, diff compares with a base, flame writes one self-contained HTML "
	"page (zoom, search, keyboard, light and dark, no network).\n\n"
	"FILE is a profile, a folder or @LIST; several are summed as profuse merge does. With "
	"--store or any option that selects (--service, --since …) profiles come from a store.",
    .examples = "  profuse show top cpu.pb.gz -n 20\n"
		"  profuse show peek 'json.*Unmarshal' cpu.pb.gz\n"
		"  profuse show diff --base before.pb.gz after.pb.gz\n"
		"  profuse show flame heap.pb.gz --sample-type inuse_space -o heap.html\n",
    .options = options,
    .defaults = &defaults,
    .settings_size = sizeof(struct settings),
    .least_arguments = 1,
    .most_arguments = SIZE_MAX,
    .run = run,
};
