/* cmd_store.c: profuse store VERB: what the collector keeps, for people and pipelines. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "commands.h"
#include "core/error.h"
#include "core/file.h"
#include "inputs.h"
#include "store/entry.h"
#include "store_output.h"

struct settings {
	struct cli_input_settings input;
	const char *output;
	double max_age;
	uint64_t limit, max_bytes;
	bool dry_run, decode, rebuild, json;
};

static const struct settings defaults = {.output = NULL};

#define AT(MEMBER) offsetof(struct settings, MEMBER)

static const struct cli_option options[] = {
    CLI_INPUT_OPTIONS(struct settings, input),
    {.name = "drop-labels",
	.kind = CLI_FLAG,
	.offset = AT(input.drop_labels),
	.help = "merge, get --trace: drop all labels; samples that then agree become one"},
    {.name = "output",
	.letter = 'o',
	.kind = CLI_STRING,
	.offset = AT(output),
	.argument = "FILE",
	.help = "get, merge: where the profile goes, - is standard output; export: the folder"},
    {.name = "limit",
	.letter = 'n',
	.kind = CLI_COUNT,
	.offset = AT(limit),
	.argument = "N",
	.help = "list: only the newest N (default all)"},
    {.name = "max-age",
	.kind = CLI_DURATION,
	.offset = AT(max_age),
	.argument = "TIME",
	.help = "prune: what was collected longer ago goes"},
    {.name = "max-bytes",
	.kind = CLI_SIZE,
	.offset = AT(max_bytes),
	.argument = "SIZE",
	.help = "prune: the oldest go until the others are no more than this"},
    {.name = "dry-run",
	.kind = CLI_FLAG,
	.offset = AT(dry_run),
	.help = "prune: only say what would go"},
    {.name = "decode",
	.kind = CLI_FLAG,
	.offset = AT(decode),
	.help = "verify: decode every profile too"},
    {.name = "rebuild",
	.kind = CLI_FLAG,
	.offset = AT(rebuild),
	.help = "verify: first make the catalog anew from segments and journals"},
    {.name = "json",
	.kind = CLI_FLAG,
	.offset = AT(json),
	.help = "One JSON object on standard output (schema profuse.store.v1)"},
    {NULL},
};

static void
warn(void *data, const char *sentence)
{
	(void)data;
	fprintf(stderr, "profuse: %s\n", sentence);
}

/* The one store that a verb changes or reads whole. */
static int
open_store(const struct settings *s, bool write, struct pf_store **store, struct pf_error *err)
{
	struct pf_store_options o = PF_STORE_OPTIONS_INIT;
	struct stat st;
	const char *path;
	char format[4096];
	int rc = cli_selection_store(&path, &s->input.selection, err);

	*store = NULL;
	if (rc)
		return rc;
	o.warn = warn;
	if (!write)
		return pf_store_open(store, path, &o, err);
	/* a verb never makes a store: a mistyped name is an error */
	snprintf(format, sizeof format, "%s/format", path);
	if (stat(path, &st) || stat(format, &st))
		return pf_store_open(store, path, &o, err) ? err->code : 0;
	return pf_store_create(store, path, &o, err);
}

static int
list(const struct settings *s, const struct cli_arguments *arguments, struct pf_error *err)
{
	struct cli_selection selection;
	int rc;

	(void)arguments;
	rc = cli_selection_open(&selection, &s->input.selection, &s->input.labels, err);
	if (!rc)
		rc = s->json ? store_list_json(selection.selection, s->limit, err)
			     : store_list_text(selection.selection, s->limit, err);
	cli_selection_release(&selection);
	return rc;
}

/* A copy of the filter for exactly these ids, by their beginnings. */
static int
select_ids(struct cli_selection *selection, struct pf_selection **found,
    const struct cli_arguments *ids, struct pf_error *err)
{
	struct pf_store_filter filter = PF_STORE_FILTER_INIT;

	filter.ids = (struct pf_store_any){(const char *const *)ids->items, ids->count};
	filter.keep_duplicates = true;
	return pf_store_select(found, selection->stores, selection->store_count, &filter, err);
}

static int
check_output(const struct settings *s, const char *verb, struct pf_error *err)
{
	if (!s->output)
		return pf_error_set(err, PF_EUSAGE, "store %s needs -o %s", verb,
		    strcmp(verb, "export") == 0 ? "FOLDER" : "FILE");
	if (s->json && strcmp(s->output, "-") == 0)
		return pf_error_set(
		    err, PF_EUSAGE, "--json and -o - both want standard output; leave one out");
	if (strcmp(s->output, "-") == 0 && isatty(STDOUT_FILENO))
		return pf_error_set(err, PF_EUSAGE,
		    "a profile is no text for a terminal; give -o FILE, or pipe it on");
	return 0;
}

/* The bytes of one profile as they were collected. */
static int
get_one(const struct settings *s, const struct cli_arguments *arguments, struct pf_error *err)
{
	struct cli_selection selection;
	struct pf_selection *found = NULL;
	struct pf_store_entry entry;
	const void *bytes;
	size_t size = 0;
	int rc = cli_selection_open(&selection, &s->input.selection, &s->input.labels, err);

	if (!rc)
		rc = select_ids(&selection, &found, arguments, err);
	if (!rc && pf_selection_count(found) == 0)
		rc = pf_error_set(err, PF_EINPUT, "no profile has an id that begins with %s",
		    arguments->items[0]);
	if (!rc && pf_selection_count(found) > 1)
		rc = pf_error_set(err, PF_EUSAGE,
		    "%zu profiles have ids that begin with %s; give more of it",
		    pf_selection_count(found), arguments->items[0]);
	if (!rc)
		rc = pf_selection_entry(found, 0, &entry, err);
	if (!rc)
		rc = pf_selection_bytes(found, 0, &bytes, &size, err);
	if (!rc)
		rc = pf_file_write(s->output, bytes, size, err);
	if (!rc && s->json)
		rc = store_print_json("get",
		    json_pack("{s:s, s:o}", "output", s->output, "profile",
			store_entry_json(&entry, pf_selection_pinned(found, 0),
			    pf_store_path(pf_selection_store(found, 0)))),
		    err);
	pf_selection_free(found);
	cli_selection_release(&selection);
	return rc;
}

static int
merge(const struct settings *s, const char *verb, struct pf_error *err)
{
	static const char *cpu[] = {"cpu"};
	struct cli_input_settings input = s->input;
	const char *path = NULL;
	struct cli_inputs inputs = {0};
	int rc = 0;

	if (input.selection.trace && !input.selection.types.count)
		input.selection.types = (struct cli_list){cpu, 1};

	if (!cli_selection_asked(&input.selection)) { /* everything in the usual store */
		rc = cli_selection_store(&path, &input.selection, err);
		input.selection.stores = (struct cli_list){&path, 1};
	}
	if (!rc)
		rc = cli_inputs_read(&inputs, &input, false, NULL, 0, err);
	if (!rc && s->input.selection.trace && pf_profile_sample_count(inputs.profile) == 0)
		rc = pf_error_set(err, PF_EINPUT, "no sample has the trace or span id %s",
		    s->input.selection.trace);
	if (!rc)
		rc = pf_profile_write(inputs.profile, s->output, err);
	if (!rc && s->json)
		rc = store_print_json(verb,
		    json_pack("{s:s, s:I, s:I, s:I}", "output", s->output, "profiles",
			(json_int_t)inputs.file_count, "samples_read",
			(json_int_t)inputs.sample_count, "samples",
			(json_int_t)pf_profile_sample_count(inputs.profile)),
		    err);
	else if (!rc)
		fprintf(stderr, "%" PRIu64 " profile%s: %" PRIu64 " stacks became %zu in %s\n",
		    inputs.file_count, inputs.file_count == 1 ? "" : "s", inputs.sample_count,
		    pf_profile_sample_count(inputs.profile), s->output);
	cli_inputs_release(&inputs);
	return rc;
}

static int
get(const struct settings *s, const struct cli_arguments *arguments, struct pf_error *err)
{
	int rc = check_output(s, "get", err);

	if (rc)
		return rc;
	if (s->input.selection.trace && !arguments->count)
		return merge(s, "get", err);
	if (arguments->count != 1 || s->input.selection.trace)
		return pf_error_set(err, PF_EUSAGE,
		    "store get needs one ID (as store list shows it), or --trace ID");
	return get_one(s, arguments, err);
}

static int
merge_selected(
    const struct settings *s, const struct cli_arguments *arguments, struct pf_error *err)
{
	int rc = check_output(s, "merge", err);

	(void)arguments;
	return rc ? rc : merge(s, "merge", err);
}

/* Age and size as a rule; selections other than type and trigger have no class of their own. */
static int
prune_by_rule(const struct settings *s, struct pf_store *store, struct pf_store_pruned *pruned,
    struct pf_error *err)
{
	const struct cli_selection_settings *c = &s->input.selection;
	struct pf_store_rule rule = {.types = {c->types.items, c->types.count},
	    .max_age = s->max_age,
	    .max_bytes = s->max_bytes};
	struct timespec now;

	if (c->services.count || c->instances.count || c->build_ids.count || c->versions.count ||
	    c->triggers.count || s->input.labels.count || c->since || c->until || c->trace ||
	    c->latest)
		return pf_error_set(err, PF_EUSAGE,
		    "--max-age and --max-bytes go with --type only; with another selection say "
		    "--until instead");
	clock_gettime(CLOCK_REALTIME, &now);
	return pf_store_prune(store, &rule, 1, (int64_t)now.tv_sec * 1000000000 + now.tv_nsec, true,
	    s->dry_run, pruned, err);
}

static int
prune_selected(const struct settings *s, struct pf_store *store, struct pf_store_pruned *pruned,
    struct pf_error *err)
{
	struct pf_store_filter filter;
	int rc = cli_selection_filter(&filter, &s->input.selection, &s->input.labels, err);

	return rc ? rc : pf_store_remove(store, &filter, s->dry_run, pruned, err);
}

static int
prune(const struct settings *s, const struct cli_arguments *arguments, struct pf_error *err)
{
	struct cli_selection_settings without_store = s->input.selection;
	struct pf_store_pruned pruned = {0};
	struct pf_store *store = NULL;
	bool limited = s->max_age > 0 || s->max_bytes;
	int rc = 0;

	(void)arguments;
	without_store.stores = (struct cli_list){0};
	if (!limited && !cli_selection_asked(&without_store) && !s->input.labels.count)
		rc = pf_error_set(err, PF_EUSAGE,
		    "store prune removes what you say: give --max-age, --max-bytes, or a "
		    "selection such as --service NAME");
	if (!rc)
		rc = open_store(s, true, &store, err);
	if (!rc)
		rc = limited ? prune_by_rule(s, store, &pruned, err)
			     : prune_selected(s, store, &pruned, err);
	if (!rc && s->json)
		rc = store_print_json("prune",
		    json_pack("{s:b, s:I, s:I, s:I}", "dry_run", s->dry_run, "profiles",
			(json_int_t)pruned.profiles, "bytes", (json_int_t)pruned.bytes,
			"pinned_kept", (json_int_t)pruned.pinned),
		    err);
	else if (!rc)
		fprintf(stderr,
		    "%" PRIu64 " profile%s %s (%" PRIu64 " bytes); %" PRIu64 " pinned kept\n",
		    pruned.profiles, pruned.profiles == 1 ? "" : "s",
		    s->dry_run ? "would go" : "removed", pruned.bytes, pruned.pinned);
	pf_store_close(store);
	return rc;
}

struct findings {
	bool json;
	json_t *sentences;
};

static void
on_finding(void *data, const char *sentence)
{
	struct findings *f = data;

	fprintf(stderr, "profuse: %s\n", sentence);
	json_array_append_new(f->sentences, json_string(sentence));
}

static int
print_verified(const struct settings *s, const struct pf_store_verified *v, json_t *findings,
    struct pf_error *err)
{
	if (s->json)
		return store_print_json("verify",
		    json_pack("{s:I, s:I, s:I, s:I, s:I, s:O}", "segments", (json_int_t)v->segments,
			"journals", (json_int_t)v->journals, "profiles", (json_int_t)v->profiles,
			"bytes", (json_int_t)v->bytes, "damaged", (json_int_t)v->damaged,
			"findings", findings),
		    err);
	fprintf(stderr,
	    "%" PRIu64 " profiles (%" PRIu64 " bytes) in %" PRIu64 " segments and %" PRIu64
	    " journals: %s\n",
	    v->profiles, v->bytes, v->segments, v->journals, v->damaged ? "DAMAGED" : "sound");
	return 0;
}

static int
verify(const struct settings *s, const struct cli_arguments *arguments, struct pf_error *err)
{
	struct findings findings = {.json = s->json, .sentences = json_array()};
	struct pf_store_verified verified = {0};
	struct pf_store *store = NULL;
	int rc = open_store(s, s->rebuild, &store, err);

	(void)arguments;
	if (!rc && s->rebuild)
		rc = pf_store_rebuild(store, err);
	if (!rc)
		rc = pf_store_verify(store, s->decode, on_finding, &findings, &verified, err);
	if (!rc)
		rc = print_verified(s, &verified, findings.sentences, err);
	if (!rc && verified.damaged)
		rc = pf_error_set(err, PF_EINPUT, "%" PRIu64 " finding%s in %s", verified.damaged,
		    verified.damaged == 1 ? "" : "s", pf_store_path(store));
	pf_store_close(store);
	json_decref(findings.sentences);
	return rc;
}

static int
export_one(struct pf_selection *selection, size_t i, const char *folder, json_t *files,
    struct pf_error *err)
{
	struct pf_store_entry entry;
	char name[256], path[4096];
	const void *bytes;
	json_t *o;
	size_t size;
	int rc = pf_selection_entry(selection, i, &entry, err);

	if (rc)
		return rc;
	store_file_name(name, sizeof name, &entry);
	o = store_entry_json(&entry, pf_selection_pinned(selection, i),
	    pf_store_path(pf_selection_store(selection, i)));
	if (!o || json_object_set_new(o, "file", json_string(name)) ||
	    json_array_append_new(files, o))
		return pf_error_nomem(err);
	if (snprintf(path, sizeof path, "%s/%s", folder, name) >= (int)sizeof path)
		return pf_error_set(err, PF_EUSAGE, "-o %s: the name is too long", folder);
	rc = pf_selection_bytes(selection, i, &bytes, &size, err);
	return rc ? rc : pf_file_write(path, bytes, size, err);
}

static int
write_index(const char *folder, json_t *files, struct pf_error *err)
{
	json_t *root = json_pack(
	    "{s:s, s:s, s:O}", "schema", "profuse.store.v1", "verb", "export", "profiles", files);
	char *text = root ? json_dumps(root, JSON_INDENT(2)) : NULL, path[4096];
	int rc = text ? 0 : pf_error_nomem(err);

	snprintf(path, sizeof path, "%s/index.json", folder);
	if (!rc)
		rc = pf_file_write(path, text, strlen(text), err);
	free(text);
	json_decref(root);
	return rc;
}

static int export(
    const struct settings *s, const struct cli_arguments *arguments, struct pf_error *err)
{
	struct cli_selection selection = {0};
	json_t *files = json_array();
	int rc = check_output(s, "export", err);

	(void)arguments;
	if (!rc && mkdir(s->output, 0777) && errno != EEXIST)
		rc = pf_error_errno(err, "cannot make the folder", s->output);
	if (!rc)
		rc = cli_selection_open(&selection, &s->input.selection, &s->input.labels, err);
	if (!rc)
		rc = cli_selection_check_any(&selection, err);
	for (size_t i = 0; !rc && i < pf_selection_count(selection.selection); i++)
		rc = export_one(selection.selection, pf_selection_stored(selection.selection, i),
		    s->output, files, err);
	if (!rc)
		rc = write_index(s->output, files, err);
	if (!rc && s->json)
		rc = store_print_json(
		    "export", json_pack("{s:s, s:O}", "output", s->output, "profiles", files), err);
	else if (!rc)
		fprintf(stderr, "%zu profiles and index.json in %s\n", json_array_size(files),
		    s->output);
	json_decref(files);
	cli_selection_release(&selection);
	return rc;
}

static int
set_pins(const struct settings *s, const struct cli_arguments *arguments, bool pinned,
    struct pf_error *err)
{
	struct pf_store_filter filter = PF_STORE_FILTER_INIT;
	struct pf_selection *found = NULL;
	struct pf_store *store = NULL;
	int rc = arguments->count
		     ? open_store(s, false, &store, err)
		     : pf_error_set(err, PF_EUSAGE, "store %s needs ids, as store list shows them",
			   pinned ? "pin" : "unpin");

	filter.ids = (struct pf_store_any){(const char *const *)arguments->items, arguments->count};
	filter.keep_duplicates = true;
	if (!rc)
		rc = pf_store_select(&found, &store, 1, &filter, err);
	if (!rc && pf_selection_count(found) != arguments->count)
		rc = pf_error_set(err, PF_EINPUT, "%zu profiles fit the %zu ids given",
		    pf_selection_count(found), arguments->count);
	for (size_t i = 0; !rc && i < pf_selection_count(found); i++) {
		struct pf_store_entry entry;
		char hex[2 * PF_STORE_ID_SIZE + 1];
		rc = pf_selection_entry(found, i, &entry, err);
		pf_store_hex(hex, entry.id);
		if (!rc)
			rc = pf_store_pin(store, hex, pinned, err);
	}
	if (!rc && s->json)
		rc = store_print_json(pinned ? "pin" : "unpin",
		    json_pack("{s:I}", "profiles", (json_int_t)arguments->count), err);
	pf_selection_free(found);
	pf_store_close(store);
	return rc;
}

static int
pin(const struct settings *s, const struct cli_arguments *arguments, struct pf_error *err)
{
	return set_pins(s, arguments, true, err);
}

static int
unpin(const struct settings *s, const struct cli_arguments *arguments, struct pf_error *err)
{
	return set_pins(s, arguments, false, err);
}

static int
run(const void *settings, const struct cli_arguments *arguments, struct pf_error *err)
{
	static const struct {
		const char *name;
		bool ids;
		int (*run)(const struct settings *s, const struct cli_arguments *arguments,
		    struct pf_error *err);
	} verbs[] = {{"list", false, list}, {"get", true, get}, {"merge", false, merge_selected},
	    {"prune", false, prune}, {"verify", false, verify}, {"export", false, export},
	    {"pin", true, pin}, {"unpin", true, unpin}};
	struct cli_arguments rest = {arguments->items + 1, arguments->count - 1};

	for (size_t i = 0; i < sizeof verbs / sizeof *verbs; i++) {
		if (strcmp(verbs[i].name, arguments->items[0]) != 0)
			continue;
		if (rest.count && !verbs[i].ids)
			return pf_error_set(err, PF_EUSAGE,
			    "store %s takes options only; what is %s?", verbs[i].name,
			    rest.items[0]);
		return verbs[i].run(settings, &rest, err);
	}
	return pf_error_set(err, PF_EUSAGE,
	    "store %s: no such verb; there are list, get, merge, prune, verify, export, pin and "
	    "unpin",
	    arguments->items[0]);
}

const struct cli_command cli_store = {
    .name = "store",
    .usage = "list|get ID|merge|prune|verify|export|pin ID|unpin ID [--store DIR] [SELECTION]",
    .summary = "what the collector keeps: list, get, merge, prune, verify, export",
    .description =
	"list shows what fits the selection, oldest first. get writes one profile as it was "
	"collected, or with --trace the CPU samples (or those of --type) of one request. merge "
	"sums what is selected, one "
	"profile at a time. export writes what is selected into a folder, a file each, with an "
	"index.json. prune removes what is older than --max-age, or the oldest beyond "
	"--max-bytes, or exactly what is selected; pinned profiles stay. verify reads everything "
	"and compares it with names, checksums and the catalog. pin keeps a profile from "
	"retention, unpin no longer.\n\n"
	"A selection is made of --service, --instance, --type, --build-id, --version, --label, "
	"--trigger, --since and --until. Several values of one option: any of them; several "
	"options: all of them. --label NAME=VALUE means a label of the target, or, where the "
	"target has none of that name, of samples. Several --store are read together: the same "
	"window of an instance counts once, and of overlapping windows the earlier one.\n\n"
	"Reading works beside a collector that writes. prune and verify --rebuild need the store "
	"for themselves: a running collector prunes by its own retention.",
    .examples = "  profuse store list --store /var/lib/profuse --service api --since 1h\n"
		"  profuse store get 3f2a91c04b7d -o slow.pb.gz\n"
		"  profuse store merge --service api --type cpu --since 24h --scale-by duration "
		"-o api.pb.gz\n"
		"  profuse store prune --type heap --max-age 7d\n",
    .options = options,
    .defaults = &defaults,
    .settings_size = sizeof(struct settings),
    .least_arguments = 1,
    .most_arguments = SIZE_MAX,
    .run = run,
};
