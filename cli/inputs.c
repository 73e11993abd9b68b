/* inputs.c: see inputs.h. */
#include "inputs.h"

#include <stdlib.h>
#include <string.h>

#include "core/error.h"
#include "core/file.h"

struct reading {
	struct cli_inputs *inputs;
	const struct cli_input_settings *settings;
	struct pf_merge *merge;
};

static void
warn(void *data, const char *sentence)
{
	struct cli_inputs *inputs = data;
	uint32_t id;

	fprintf(stderr, "profuse: warning: %s\n", sentence);
	/* Without memory for the JSON copy the sentence has at least been printed. */
	pf_strings_add(&inputs->warnings, sentence, strlen(sentence), &id, NULL);
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
start_merge(struct reading *r, bool label_base, struct pf_error *err)
{
	const struct cli_input_settings *s = r->settings;
	struct pf_merge_options options = PF_MERGE_OPTIONS_INIT;

	options.merge_by_filename = s->merge_by_filename;
	options.scale_by_duration = s->scale_by == 1;
	options.label_base = label_base;
	options.drop_all_labels = s->drop_labels;
	options.drop_labels = s->dropped.items;
	options.drop_label_count = s->dropped.count;
	options.label_filters = s->labels.items;
	options.label_filter_count = s->labels.count;
	options.warn = warn;
	options.warn_data = r->inputs;
	return pf_merge_new(&r->merge, &options, err);
}

int
cli_inputs_read(struct cli_inputs *inputs, const struct cli_input_settings *settings,
    bool label_base, char *const *arguments, size_t count, struct pf_error *err)
{
	struct reading r = {.inputs = inputs, .settings = settings};
	struct pf_paths paths = {0}, base = {0};
	int rc = pf_strings_init(&inputs->warnings, err);

	for (size_t i = 0; !rc && i < count; i++)
		rc = pf_paths_add(&paths, arguments[i], err);
	if (!rc && settings->base)
		rc = pf_paths_add(&base, settings->base, err);
	if (!rc)
		rc = start_merge(&r, label_base, err);
	if (!rc)
		rc = read_all(&r, &paths, false, err);
	if (!rc)
		rc = read_all(&r, &base, true, err);
	if (!rc)
		rc = pf_merge_finish(r.merge, &inputs->profile, err);
	pf_merge_free(r.merge);
	pf_paths_release(&paths);
	pf_paths_release(&base);
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
	if (!rc && paths.count == 1)
		rc = pf_profile_open(&inputs->profile, paths.items[0], &options, err);
	else if (!rc)
		rc = cli_inputs_read(inputs, settings, true, paths.items, paths.count, err);
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
