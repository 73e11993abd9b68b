/* cmd_merge.c: profuse merge: many profiles into one file. */
#include <inttypes.h>
#include <jansson.h>
#include <string.h>

#include "commands.h"
#include "core/error.h"
#include "inputs.h"
#include "profile/encode.h"

struct settings {
	struct cli_input_settings input;
	const char *output;
	bool label_base, json;
};

static const struct settings defaults = {.input.only_written = true};

static const struct cli_option options[] = {
    {.name = "output",
	.letter = 'o',
	.kind = CLI_STRING,
	.offset = offsetof(struct settings, output),
	.argument = "OUT.pb.gz",
	.help = "Where the merged profile goes, as gzipped profile.proto; - is standard output"},
    {.name = "base",
	.kind = CLI_STRING,
	.offset = offsetof(struct settings, input.base),
	.argument = "FILE",
	.help = "Subtract this profile (or all of a folder or @LIST)"},
    {.name = "label-base",
	.kind = CLI_FLAG,
	.offset = offsetof(struct settings, label_base),
	.help =
	    "Keep what --base subtracts as samples of their own, labelled pprof::base=true, for "
	    "tools that show differences as a share of the base"},
    {.name = "drop-labels",
	.kind = CLI_FLAG,
	.offset = offsetof(struct settings, input.drop_labels),
	.help = "Drop all labels; samples that then agree become one"},
    {.name = "drop-label",
	.kind = CLI_LIST,
	.offset = offsetof(struct settings, input.dropped),
	.argument = "KEY",
	.help = "Drop this label; may be repeated"},
    CLI_INPUT_OPTIONS(struct settings, input),
    {.name = "json",
	.kind = CLI_FLAG,
	.offset = offsetof(struct settings, json),
	.help = "Print a summary as one JSON object (schema profuse.merge.v1)"},
    {NULL},
};

static json_t *
types_json(const struct pf_profile *p)
{
	json_t *types = json_array();

	for (size_t t = 0; t < p->type_count; t++)
		json_array_append_new(types,
		    json_pack("{s:s,s:s,s:I}", "type", pf_profile_type_name(p, t), "unit",
			pf_profile_type_unit(p, t), "total", (json_int_t)pf_profile_total(p, t)));
	return types;
}

static json_t *
warnings_json(const struct cli_inputs *inputs)
{
	json_t *warnings = json_array();

	for (uint32_t i = 1; i < inputs->warnings.count; i++)
		json_array_append_new(warnings, json_string(pf_strings_get(&inputs->warnings, i)));
	return warnings;
}

/* What is said of a merge once it is written: its samples are spent by then. */
struct summary {
	size_t samples;
	json_t *json; /* owned; NULL unless asked for */
};

static int
summarize(const struct cli_inputs *inputs, const struct settings *settings, struct summary *s,
    struct pf_error *err)
{
	const struct pf_profile *p = inputs->profile;

	s->samples = p->sample_count;
	if (!settings->json)
		return 0;
	s->json = json_pack("{s:s,s:s,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:o,s:o}", "schema",
	    "profuse.merge.v1", "output", settings->output, "profiles",
	    (json_int_t)inputs->file_count, "base_profiles", (json_int_t)inputs->base_count,
	    "empty_profiles", (json_int_t)inputs->empty_count, "samples_read",
	    (json_int_t)inputs->sample_count, "samples", (json_int_t)p->sample_count, "locations",
	    (json_int_t)p->location_count, "functions", (json_int_t)p->function_count, "mappings",
	    (json_int_t)p->mapping_count, "duration_nanos", (json_int_t)p->duration_nanos,
	    "time_nanos", (json_int_t)p->time_nanos, "types", types_json(p), "warnings",
	    warnings_json(inputs));
	return s->json ? 0 : pf_error_nomem(err);
}

static int
print_json(const json_t *root, struct pf_error *err)
{
	if (json_dumpf(root, stdout, JSON_INDENT(2)) || putchar('\n') == EOF)
		return pf_error_set(err, PF_EIO, "cannot write the summary to standard output");
	return 0;
}

static void
print_summary(const struct cli_inputs *inputs, size_t samples, const char *output)
{
	fprintf(stderr, "merged %" PRIu64 " profile%s", inputs->file_count,
	    inputs->file_count == 1 ? "" : "s");
	if (inputs->base_count)
		fprintf(stderr, " less %" PRIu64, inputs->base_count);
	fprintf(stderr, ": %" PRIu64 " samples became %zu in %s\n", inputs->sample_count, samples,
	    strcmp(output, "-") == 0 ? "standard output" : output);
}

static int
check(const struct settings *s, struct pf_error *err)
{
	if (!s->output)
		return pf_error_set(
		    err, PF_EUSAGE, "merge needs -o OUT.pb.gz (- is standard output)");
	if (s->json && strcmp(s->output, "-") == 0)
		return pf_error_set(err, PF_EUSAGE,
		    "--json and -o - both want standard output; give one of them a file");
	if (s->label_base && !s->input.base)
		return pf_error_set(err, PF_EUSAGE, "--label-base needs --base FILE");
	return 0;
}

static int
run(const void *settings, const struct cli_arguments *arguments, struct pf_error *err)
{
	const struct settings *s = settings;
	struct cli_inputs inputs = {0};
	struct summary summary = {0};
	int rc = check(s, err);

	if (!rc)
		rc = cli_inputs_read(
		    &inputs, &s->input, s->label_base, arguments->items, arguments->count, err);
	if (!rc)
		rc = summarize(&inputs, s, &summary, err);
	if (!rc)
		rc = pf_profile_write_spending(inputs.profile, s->output, err);
	if (!rc && s->json)
		rc = print_json(summary.json, err);
	else if (!rc)
		print_summary(&inputs, summary.samples, s->output);
	json_decref(summary.json);
	cli_inputs_release(&inputs);
	return rc;
}

const struct cli_command cli_merge = {
    .name = "merge",
    .usage = "PROFILE…|--store DIR -o OUT.pb.gz [--base FILE] [--scale-by duration] [--label K=V]… "
	     "[--drop-labels]",
    .summary = "many profiles into one",
    .description =
	"Sums profiles: what is the same function, place, stack and label in several of them "
	"becomes one. PROFILE is a file, a folder or @LIST (a file with one path a line); - is "
	"standard input. With --store or any option that selects (--service, --since …) profiles "
	"come from a store instead, one at a time. The same set of profiles in any order gives "
	"the same bytes.\n\n"
	"Sample types that are not in every profile are left out, and named. Every argument is "
	"summed, the same one twice too, with a warning. A valid profile without samples is no "
	"error. Durations add up, the time is the earliest.\n\n"
	"With --scale-by duration each profile counts as if it had run for the mean of all "
	"durations; sums are exact to 2^-64 until they are rounded once, and nothing that is not "
	"zero is rounded to zero.",
    .examples = "  profuse merge monday.pb.gz tuesday.pb.gz -o week.pb.gz\n"
		"  profuse merge @profiles.txt --scale-by duration --drop-labels -o fleet.pb.gz\n"
		"  profuse merge --store /var/lib/profuse --service api --type cpu --since 24h "
		"--scale-by duration -o api.pb.gz\n"
		"  profuse merge after.pb.gz --base before.pb.gz -o growth.pb.gz\n",
    .options = options,
    .defaults = &defaults,
    .settings_size = sizeof(struct settings),
    .least_arguments = 0,
    .most_arguments = SIZE_MAX,
    .run = run,
};
