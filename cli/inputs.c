/* inputs.c: see inputs.h. */
#include "inputs.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "core/error.h"
#include "core/file.h"
#include "core/memory.h"
#include "profile/merge.h"
#include "store/traces.h"

struct reading {
	struct cli_inputs *inputs;
	const struct cli_input_settings *settings;
	struct pf_merge *merge;
	struct cli_list dropped; /* owned; label keys */
	bool quiet;              /* warnings are dropped for now */
};

void
cli_inputs_warn(struct cli_inputs *inputs, const char *sentence)
{
	uint32_t id;

	fprintf(stderr, "profuse: warning: %s\n", sentence);
	/* Without memory for the JSON copy the sentence has at least been printed. */
	pf_strings_add(&inputs->warnings, sentence, strlen(sentence), &id, NULL);
}

static void
warn_of(struct cli_inputs *inputs, const char *name, const char *what)
{
	struct pf_buffer sentence;

	pf_buffer_init(&sentence, PF_BUFFER_NO_MAXIMUM);
	pf_buffer_printf(&sentence, "%s: %s", name, what);
	pf_buffer_byte(&sentence, 0);
	if (!sentence.failed)
		cli_inputs_warn(inputs, (const char *)sentence.bytes);
	pf_buffer_release(&sentence);
}

static void
warn(void *data, const char *sentence)
{
	struct reading *r = data;

	if (!r->quiet)
		cli_inputs_warn(r->inputs, sentence);
}

static struct pf_read_options
read_options(const struct cli_input_settings *settings)
{
	struct pf_read_options options = PF_READ_OPTIONS_INIT;

	if (settings->max_size) {
		options.max_size = settings->max_size;
		options.max_ratio = 0;
	}
	return options;
}

static int
add(struct reading *r, const struct pf_profile *p, const char *name, bool base,
    struct pf_error *err)
{
	r->inputs->sample_count += pf_profile_sample_count(p);
	r->inputs->empty_count += pf_profile_sample_count(p) == 0;
	return base ? pf_merge_subtract(r->merge, p, name, err)
		    : pf_merge_add(r->merge, p, name, err);
}

static int
read_one(struct reading *r, const char *path, bool base, struct pf_error *err)
{
	struct pf_read_options options = read_options(r->settings);
	uint64_t before = pf_merge_sample_count(r->merge), samples;
	int rc = base ? pf_merge_subtract_file(r->merge, path, &options, err)
		      : pf_merge_add_file(r->merge, path, &options, err);

	samples = pf_merge_sample_count(r->merge) - before;
	r->inputs->sample_count += samples;
	r->inputs->empty_count += !rc && samples == 0;
	return rc;
}

static int
read_all(struct reading *r, const struct pf_paths *paths, bool base, struct pf_error *err)
{
	int rc = 0;

	for (size_t i = 0; !rc && i < paths->count; i++)
		rc = read_one(r, paths->items[i], base, err);
	*(base ? &r->inputs->base_count : &r->inputs->file_count) = paths->count;
	return rc;
}

static int
read_selected(struct reading *r, struct pf_error *err)
{
	struct pf_read_options options = read_options(r->settings);
	struct cli_selection selection;
	int rc = cli_selection_open(&selection, &r->settings->selection, &r->settings->labels, err);

	if (!rc)
		rc = cli_selection_check_any(&selection, err);
	r->inputs->file_count = rc ? 0 : pf_selection_count(selection.selection);
	for (size_t i = 0; !rc && i < r->inputs->file_count; i++) {
		struct pf_profile *p;
		rc = cli_selection_profile(&selection, i, &options, &p, err);
		/* of thousands, many are of idle processes: that is said once */
		r->quiet = !rc && pf_profile_sample_count(p) == 0;
		if (!rc)
			rc = add(r, p, selection.name, false, err);
		r->quiet = false;
		pf_profile_free(p);
	}
	if (!rc && r->inputs->empty_count) {
		char sentence[128];
		snprintf(sentence, sizeof sentence,
		    "%" PRIu64 " of %" PRIu64 " profiles have no samples", r->inputs->empty_count,
		    r->inputs->file_count);
		warn(r, sentence);
	}
	cli_selection_release(&selection);
	return rc;
}

/* What the user drops, and from stores the names of single requests. */
static int
list_dropped(struct reading *r, bool from_store, struct pf_error *err)
{
	const struct cli_input_settings *s = r->settings;
	size_t capacity = 0;
	int rc = 0;

	for (size_t i = 0; !rc && i < s->dropped.count; i++) {
		rc = PF_GROW(r->dropped.items, capacity, r->dropped.count + 1, err);
		if (!rc)
			r->dropped.items[r->dropped.count++] = s->dropped.items[i];
	}
	if (!from_store || s->selection.keep_trace_labels || s->selection.trace)
		return rc;
	for (size_t i = 0; !rc && pf_trace_keys[i]; i++) {
		rc = PF_GROW(r->dropped.items, capacity, r->dropped.count + 1, err);
		if (!rc)
			r->dropped.items[r->dropped.count++] = pf_trace_keys[i];
	}
	return rc;
}

static int
start_merge(struct reading *r, bool label_base, bool from_store, struct pf_error *err)
{
	const struct cli_input_settings *s = r->settings;
	struct pf_merge_options options = PF_MERGE_OPTIONS_INIT;
	int rc = list_dropped(r, from_store, err);

	options.merge_by_filename = s->merge_by_filename;
	options.scale_by_duration = s->scale_by == 1;
	options.label_base = label_base;
	options.count_once = s->count_once;
	options.drop_all_labels = s->drop_labels;
	options.drop_labels = r->dropped.items;
	options.drop_label_count = r->dropped.count;
	if (!from_store) { /* a store's are compared one profile at a time, with its target's too */
		options.label_filters = s->labels.items;
		options.label_filter_count = s->labels.count;
	}
	options.warn = warn;
	options.warn_data = r;
	return rc ? rc : pf_merge_new(&r->merge, &options, err);
}

static int
check_source(bool from_store, size_t arguments, struct pf_error *err)
{
	if (from_store && arguments)
		return pf_error_set(err, PF_EUSAGE,
		    "profiles are named, and selected from a store as well; leave one out");
	if (!from_store && !arguments)
		return pf_error_set(err, PF_EUSAGE,
		    "no profiles given: name files, or select from a store with --store, "
		    "--service …");
	return 0;
}

int
cli_inputs_read(struct cli_inputs *inputs, const struct cli_input_settings *settings,
    bool label_base, char *const *arguments, size_t count, struct pf_error *err)
{
	struct reading r = {.inputs = inputs, .settings = settings};
	bool from_store = cli_selection_asked(&settings->selection);
	struct pf_paths paths = {0}, base = {0};
	int rc = check_source(from_store, count, err);

	if (!rc)
		rc = pf_strings_init(&inputs->warnings, err);
	for (size_t i = 0; !rc && i < count; i++)
		rc = pf_paths_add(&paths, arguments[i], err);
	if (!rc && settings->base)
		rc = pf_paths_add(&base, settings->base, err);
	if (!rc)
		rc = start_merge(&r, label_base, from_store, err);
	if (!rc)
		rc = from_store ? read_selected(&r, err) : read_all(&r, &paths, false, err);
	if (!rc)
		rc = read_all(&r, &base, true, err);
	if (!rc)
		rc = settings->only_written ? pf_merge_settle(r.merge, &inputs->profile, err)
					    : pf_merge_finish(r.merge, &inputs->profile, err);
	pf_merge_free(r.merge);
	pf_paths_release(&paths);
	pf_paths_release(&base);
	free(r.dropped.items);
	return rc;
}

static bool
asks_for_merge(const struct cli_input_settings *s)
{
	return s->base || s->labels.count || s->scale_by;
}

int
cli_inputs_read_plain(struct cli_inputs *inputs, const struct cli_input_settings *settings,
    char *path, struct pf_error *err)
{
	struct pf_read_options options = read_options(settings);
	struct pf_paths paths = {0};
	int rc;

	if (asks_for_merge(settings))
		return cli_inputs_read(inputs, settings, true, &path, 1, err);
	rc = pf_paths_add(&paths, path, err);
	if (!rc && paths.count != 1) {
		rc = cli_inputs_read(inputs, settings, true, paths.items, paths.count, err);
	} else if (!rc) {
		rc = pf_strings_init(&inputs->warnings, err);
		if (!rc)
			rc = pf_profile_open(&inputs->profile, paths.items[0], &options, err);
		if (!rc && inputs->profile->doubt)
			warn_of(inputs, paths.items[0], inputs->profile->doubt);
	}
	pf_paths_release(&paths);
	return rc;
}

void
cli_inputs_release(struct cli_inputs *inputs)
{
	pf_profile_free(inputs->profile);
	pf_strings_release(&inputs->warnings);
	*inputs = (struct cli_inputs){0};
}
