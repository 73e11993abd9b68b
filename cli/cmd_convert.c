/*
 * cmd_convert.c: profuse convert PROFILE… -o OUT: profiles in, a compiler's
 * profile out, and always a verdict on how far it can be trusted.
 */
#include <profuse/convert.h>

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <profuse/profile.h>

#include "commands.h"
#include "convert_check.h"
#include "notes.h"
#include "core/error.h"
#include "core/file.h"
#include "inputs.h"

struct settings {
	struct cli_input_settings input;
	struct cli_list debug_files;
	const char *binary, *output, *sample_type, *stale_against, *llvm_profdata;
	int format, counts, inference, places, layout;
	double trim;
	bool md5, compress, symbol_list;
	bool allow_mismatch, check, require_ready, provenance, json;
	double min_samples, min_lines, min_overlap, min_match, max_age;
	uint64_t seed, max_edges;
};

static const struct settings defaults = {.inference = PF_INFERENCE_FLOW,
    .trim = 99.9,
    .max_edges = 10000,
    .min_samples = 1000,
    .min_lines = 80,
    .min_overlap = 60,
    .min_match = 80,
    .max_age = 30 * 86400.0,
    .seed = 1};

#define AT(MEMBER) offsetof(struct settings, MEMBER)

static const struct cli_option options[] = {
    {"binary", 'b', CLI_STRING, AT(binary), "BIN",
	"the program that was profiled, with line information; may be missing only for profiles "
	"that are symbolized already"},
    {"debug-file", 0, CLI_LIST, AT(debug_files), "FILE", CLI_DEBUG_FILE_HELP},
    {"output", 'o', CLI_STRING, AT(output), "OUT", "where the profile goes; - is standard output"},
    {"format", 'f', CLI_CHOICE, AT(format), "FORMAT",
	"extbinary (default) or text for clang, folded for flame graphs, go-pgo for go build -pgo, "
	"go-preprofile for go tool compile -pgoprofile, bolt for llvm-bolt, gcc for gcc "
	"-fauto-profile",
	"extbinary|text|folded|go-pgo|go-preprofile|bolt|gcc"},
    {"counts", 0, CLI_CHOICE, AT(counts), "HOW",
	"how the instructions of a place make its count: mean (default), sum or max",
	"mean|sum|max"},
    {"inference", 0, CLI_CHOICE, AT(inference), "HOW",
	"how samples become executions: none, block or flow (default)", "none|block|flow"},
    {"places", 0, CLI_CHOICE, AT(places), "WHAT",
	"what counts belong to: probes where the binary has them and lines else (auto, the "
	"default), "
	"lines, or probes",
	"auto|lines|probes"},
    {"layout", 0, CLI_CHOICE, AT(layout), "HOW",
	"counts in inlined copies of a function: its own (flat, the default), or below the caller "
	"(nest), where clang inlines it early again; gcc's are always below",
	"flat|nest"},
    {"sample-type", 't', CLI_STRING, AT(sample_type), "TYPE",
	"the sample type to convert; default instructions, else samples, else cpu, also by the "
	"names that perf_to_profile gives them"},
    {"md5", 0, CLI_FLAG, AT(md5), NULL, "write functions' names as MD5 hashes"},
    {"compress", 0, CLI_FLAG, AT(compress), NULL, "compress the profile's sections"},
    {"symbol-list", 0, CLI_FLAG, AT(symbol_list), NULL,
	"list the binary's functions: those without samples become cold instead of unknown"},
    {"allow-build-id-mismatch", 0, CLI_FLAG, AT(allow_mismatch), NULL,
	"use samples of another build of the program too"},
    {"trim", 0, CLI_PERCENT, AT(trim), "PERCENT",
	"Go's formats: keep the heaviest call edges that hold so much of the weight; default "
	"99.9%"},
    {"max-edges", 0, CLI_COUNT, AT(max_edges), "N",
	"Go's formats: keep at most so many call edges; default 10000"},
    {"stale-against", 0, CLI_STRING, AT(stale_against), "NEW",
	"a newer build of the program: report how much of the profile still fits it"},
    {"min-samples", 0, CLI_NUMBER, AT(min_samples), "N",
	"ready means at least so many samples; default 1000"},
    {"min-line-share", 0, CLI_PERCENT, AT(min_lines), "PERCENT",
	"ready means that so much of the binary's samples has line information; default 80%"},
    {"min-overlap", 0, CLI_PERCENT, AT(min_overlap), "PERCENT",
	"ready means that the two halves of the data agree so far; default 60%"},
    {"min-match", 0, CLI_PERCENT, AT(min_match), "PERCENT",
	"with --stale-against: ready means that so much still fits; default 80%"},
    {"max-age", 0, CLI_DURATION, AT(max_age), "TIME",
	"ready means no older than this; default 30d"},
    {"seed", 0, CLI_COUNT, AT(seed), "N", "of the split into halves; default 1"},
    {"require-ready", 0, CLI_FLAG, AT(require_ready), NULL,
	"exit with 1 if the profile is not ready; the file is written nevertheless"},
    {"provenance", 0, CLI_FLAG, AT(provenance), NULL,
	"write OUT.json beside OUT: what it was made of, by digests and build ids"},
    {"check", 0, CLI_FLAG, AT(check), NULL,
	"let llvm-profdata read the output before it is put in place"},
    {"llvm-profdata", 0, CLI_STRING, AT(llvm_profdata), "CMD",
	"the command for --check; default PROFUSE_LLVM_PROFDATA, else llvm-profdata-19, else "
	"llvm-profdata"},
    CLI_INPUT_OPTIONS(struct settings, input),
    {"json", 0, CLI_FLAG, AT(json), NULL, "the verdict as one JSON object on standard output"},
    {NULL},
};

static int
check_settings(const struct settings *s, struct pf_error *err)
{
	bool to_stdout = s->output && strcmp(s->output, "-") == 0;

	if (!s->output)
		return pf_error_set(err, PF_EUSAGE, "where to? -o OUT names the file to write");
	if (to_stdout && s->json)
		return pf_error_set(
		    err, PF_EUSAGE, "--json and -o - both want standard output: write to a file");
	if (to_stdout && s->provenance)
		return pf_error_set(
		    err, PF_EUSAGE, "--provenance writes OUT.json beside OUT: -o has to be a file");
	if (s->check && s->format != PF_CONVERT_EXTBINARY && s->format != PF_CONVERT_TEXT)
		return pf_error_set(
		    err, PF_EUSAGE, "--check reads LLVM's formats only, extbinary and text");
	return 0;
}

static struct pf_convert_options
library_options(const struct settings *s)
{
	struct pf_convert_options o = PF_CONVERT_OPTIONS_INIT;

	o.binary = s->binary;
	o.debug_files = s->debug_files.items;
	o.debug_file_count = s->debug_files.count;
	o.note = cli_note;
	o.sample_type = s->sample_type;
	o.counts = (enum pf_counts)s->counts;
	o.inference = (enum pf_inference)s->inference;
	o.places = (enum pf_places)s->places;
	o.layout = (enum pf_layout)s->layout;
	o.format = (enum pf_convert_format)s->format;
	o.md5 = s->md5;
	o.compress = s->compress;
	o.symbol_list = s->symbol_list;
	o.trim = s->trim;
	o.max_edges = s->max_edges;
	o.allow_build_id_mismatch = s->allow_mismatch;
	o.merge_by_filename = s->input.merge_by_filename;
	o.least_samples = s->min_samples;
	o.least_line_share = s->min_lines;
	o.least_overlap = s->min_overlap;
	o.least_match = s->min_match;
	o.stale_against = s->stale_against;
	o.most_age = s->max_age;
	o.seed = s->seed;
	return o;
}

/* Writing over what is being read would lose it: the binary, or a profile. */
static int
check_not_output(const struct settings *s, const char *input, struct pf_error *err)
{
	struct stat in, out;

	if (strcmp(s->output, "-") == 0 || stat(s->output, &out) || !S_ISREG(out.st_mode) ||
	    stat(input, &in) || in.st_dev != out.st_dev || in.st_ino != out.st_ino)
		return 0;
	return pf_error_set(
	    err, PF_EUSAGE, "-o %s is also an input; name another file for the output", s->output);
}

/* What is selected from a store, weighted or filtered is merged first, and is then one profile. */
static int
add_merged(struct pf_convert *c, const struct settings *s, const struct cli_arguments *arguments,
    struct pf_error *err)
{
	static const char *cpu[] = {"cpu"};
	struct cli_input_settings input = s->input;
	struct cli_inputs inputs = {0};
	int rc = 0;

	if (!input.selection.types.count)
		input.selection.types = (struct cli_list){cpu, 1};
	if (!cli_selection_asked(&s->input.selection))
		input.selection = s->input.selection;
	input.count_once = !input.selection.keep_duplicates;
	for (size_t i = 0; !rc && i < arguments->count; i++)
		rc = check_not_output(s, arguments->items[i], err);
	if (!rc)
		rc = cli_inputs_read(
		    &inputs, &input, false, arguments->items, arguments->count, err);
	if (!rc)
		rc = pf_convert_add(c, inputs.profile, "the merged profile", err);
	cli_inputs_release(&inputs);
	return rc;
}

static bool
asks_for_merge(const struct settings *s)
{
	return cli_selection_asked(&s->input.selection) || s->input.labels.count ||
	       s->input.scale_by;
}

static int
add_files(struct pf_convert *c, const struct settings *s, const struct cli_arguments *arguments,
    struct pf_error *err)
{
	struct pf_read_options read = PF_READ_OPTIONS_INIT;
	struct pf_paths paths = {0};
	int rc = 0;

	if (s->input.max_size) {
		read.max_size = s->input.max_size;
		read.max_ratio = 0;
	}
	if (!arguments->count)
		rc = pf_error_set(err, PF_EUSAGE,
		    "no profiles given: name files, or select from a store with --store, "
		    "--service …");
	for (size_t i = 0; !rc && i < arguments->count; i++)
		rc = pf_paths_add(&paths, arguments->items[i], err);
	for (size_t i = 0; !rc && i < paths.count; i++)
		rc = check_not_output(s, paths.items[i], err);
	for (size_t i = 0; !rc && i < paths.count; i++)
		rc = pf_convert_add_file(c, paths.items[i], &read, err);
	pf_paths_release(&paths);
	return rc;
}

static int
add_arguments(struct pf_convert *c, const struct settings *s, const struct cli_arguments *arguments,
    struct pf_error *err)
{
	int rc = s->binary ? check_not_output(s, s->binary, err) : 0;

	if (!rc && s->stale_against)
		rc = check_not_output(s, s->stale_against, err);
	if (rc)
		return rc;
	return asks_for_merge(s) ? add_merged(c, s, arguments, err)
				 : add_files(c, s, arguments, err);
}

static int
print_verdict(const struct pf_convert *c, const struct settings *s, struct pf_error *err)
{
	FILE *out = strcmp(s->output, "-") == 0 ? stderr : stdout;
	char *text = NULL;
	int rc = s->json ? pf_convert_report_json(c, s->output, &text, err)
			 : pf_convert_report_text(c, s->output, &text, err);

	if (!rc)
		fprintf(out, "%s%s", text, s->json ? "\n" : "");
	free(text);
	return rc;
}

/* OUT.json beside OUT, whole but not in its place yet. */
static int
prepare_provenance(struct pf_file_pending *record, const struct pf_convert *c, const char *output,
    struct pf_error *err)
{
	size_t room = strlen(output) + sizeof ".json";
	char *path = malloc(room), *json = NULL;
	int rc = path ? pf_convert_provenance_json(c, output, &json, err) : pf_error_nomem(err);

	if (!rc) {
		struct pf_buffer text;

		snprintf(path, room, "%s.json", output);
		pf_buffer_init(&text, PF_BUFFER_NO_MAXIMUM);
		pf_buffer_string(&text, json);
		pf_buffer_byte(&text, '\n');
		rc = pf_buffer_check(&text, err);
		if (!rc)
			rc = pf_file_prepare(record, path, text.bytes, text.size, err);
		pf_buffer_release(&text);
	}
	free(json);
	free(path);
	return rc;
}

/* A profile and its record belong together: where one can't be written, neither is. */
static int
write_both(const struct pf_convert *c, const char *output, struct pf_error *err)
{
	struct pf_file_pending record = {0};
	int rc = prepare_provenance(&record, c, output, err);

	if (!rc)
		rc = pf_convert_write(c, output, err);
	if (rc)
		pf_file_drop(&record);
	return rc ? rc : pf_file_place(&record, err);
}

static int
write_output(const struct pf_convert *c, const struct settings *s, struct pf_error *err)
{
	size_t size;
	const void *bytes = pf_convert_bytes(c, &size);
	int rc = s->check ? cli_check_profile(s->llvm_profdata, bytes, size, err) : 0;

	if (rc)
		return rc;
	return s->provenance ? write_both(c, s->output, err) : pf_convert_write(c, s->output, err);
}

static int
run(const void *settings, const struct cli_arguments *arguments, struct pf_error *err)
{
	const struct settings *s = settings;
	struct pf_convert_options o = library_options(s);
	struct pf_convert *c = NULL;
	int rc = check_settings(s, err);

	if (!rc)
		rc = pf_convert_new(&c, &o, err);
	if (!rc)
		rc = add_arguments(c, s, arguments, err);
	if (!rc)
		rc = pf_convert_run(c, err);
	if (!rc)
		rc = write_output(c, s, err);
	if (!rc)
		rc = print_verdict(c, s, err);
	if (!rc && !pf_convert_ready(c)) {
		if (s->require_ready)
			rc = pf_error_set(err, PF_ENO, "the profile is not ready: see the verdict");
		else
			fprintf(stderr,
			    "profuse: warning: the profile is not ready: see the verdict\n");
	}
	pf_convert_free(c);
	return rc;
}

const struct cli_command cli_convert = {
    .name = "convert",
    .usage = "[--binary BIN] -o OUT [option]... PROFILE...|--store DIR",
    .summary = "turn profiles into one for clang -fprofile-sample-use or go build -pgo",
    .description = "Reads CPU profiles (profile.proto, gzipped or not) of a running program and "
		   "writes a sample profile that "
		   "clang optimises with, or one for Go's compiler. PROFILE is a file, a folder of "
		   "them, - for standard "
		   "input or @LIST, a file with one "
		   "path a line. Several profiles are summed, the same one only once. With --store "
		   "or any option that "
		   "selects (--service, --build-id, --since …) CPU profiles come from a store.\n\n"
		   "The program must have been built with line information: -O2 -gmlt "
		   "-fdebug-info-for-profiling. Samples in "
		   "other binaries (libc, the kernel) are dropped and counted. A profile of "
		   "another build of the program is "
		   "left out; if that leaves nothing the exit status is 3.\n\n"
		   "It ends with a readiness verdict: how many samples were used, how many were "
		   "dropped and why, whether they "
		   "are enough, recent and stable, and the compiler flags to use. Exit status: 0 "
		   "written, 1 written but not "
		   "ready (with --require-ready), 2 wrong usage, 3 nothing usable in the input, 4 "
		   "a file could not be read or "
		   "written.",
    .examples =
	"profuse convert --format go-pgo -o default.pgo cpu.pb.gz\n"
	"  For go build -pgo=default.pgo\n"
	"profuse convert --binary ./service -o service.prof cpu.pb.gz\n"
	"  One profile, for clang -fprofile-sample-use=service.prof\n"
	"profuse convert -b ./service -o service.prof --check --require-ready profiles/\n"
	"  As a step of a pipeline: the folder's profiles summed, checked and judged\n"
	"profuse convert -b ./service -o service.prof --store /var/lib/profuse --service "
	"api --since 24h --scale-by duration\n"
	"  What the fleet did in the last day, long windows counting no more than short ones\n",
    .options = options,
    .defaults = &defaults,
    .settings_size = sizeof(struct settings),
    .least_arguments = 0,
    .most_arguments = SIZE_MAX,
    .run = run,
};
