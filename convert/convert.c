/* convert.c: the handle of a conversion and the order of its stages; see profuse/convert.h. */
#include "convert/convert_private.h"

#include <stdlib.h>
#include <string.h>

#include "convert/advice.h"
#include "convert/compiler.h"
#include "convert/enough.h"
#include "convert/flatten.h"
#include "convert/go_profile.h"
#include "core/error.h"
#include "core/file.h"
#include "core/memory.h"
#include "symbol/binary.h"

#define MAX_OUTPUT ((size_t)4 << 30)

static int
check_options(const struct pf_convert_options *o, struct pf_error *err)
{
	bool extbinary = o->format == PF_CONVERT_EXTBINARY;

	if (o->struct_size < sizeof *o)
		return pf_error_set(
		    err, PF_EUSAGE, "struct pf_convert_options is from an older version");
	if ((o->md5 || o->compress || o->symbol_list) && !extbinary)
		return pf_error_set(err, PF_EUSAGE,
		    "md5, compress and symbol-list exist in the extbinary format only");
	if (!(o->trim > 0 && o->trim <= 100))
		return pf_error_set(
		    err, PF_EUSAGE, "trim is a share of the weight over 0 and up to 100 %%");
	if (o->format == PF_CONVERT_BOLT && !o->binary)
		return pf_error_set(err, PF_EUSAGE,
		    "the bolt format needs --binary, the program that BOLT is to rewrite");
	if (o->stale_against && !pf_format_is_llvm(o->format))
		return pf_error_set(err, PF_EUSAGE,
		    "only profiles in LLVM's formats can be compared with a newer build");
	if (o->layout == PF_LAYOUT_NEST && !pf_format_is_llvm(o->format))
		return pf_error_set(err, PF_EUSAGE,
		    "only LLVM's formats can be nested or flat: GCC's has copies below their "
		    "callers, the others have no copies");
	if (o->places == PF_PLACES_PROBES && o->format == PF_CONVERT_GCC)
		return pf_error_set(
		    err, PF_EUSAGE, "GCC's profiles know lines only, no pseudo-probes");
	if (o->max_edges == 0)
		return pf_error_set(err, PF_EUSAGE, "a profile of no call edges is of no use");
	if (o->symbol_list && !o->binary)
		return pf_error_set(
		    err, PF_EUSAGE, "a symbol list needs the binary whose symbols it lists");
	return 0;
}

static int
open_binaries(struct pf_convert *c, const struct pf_convert_options *options, struct pf_error *err)
{
	struct pf_binary_options o = {.debug_files = options->debug_files,
	    .debug_file_count = options->debug_file_count,
	    .note = options->note,
	    .note_context = options->note_context};
	struct pf_binary *opened[2];
	size_t count = 0;
	int rc = 0;

	if (c->binary_path) {
		rc = pf_binary_open_with(&c->binary, c->binary_path, &o, err);
		opened[count++] = c->binary;
	}
	if (!rc && options->stale_against) {
		rc = pf_binary_open_with(&c->newer, options->stale_against, &o, err);
		opened[count++] = c->newer;
	}
	return rc ? rc : pf_binaries_check_debug_files(opened, count, &o, err);
}

int
pf_convert_new(
    struct pf_convert **convert, const struct pf_convert_options *options, struct pf_error *err)
{
	struct pf_convert *c;
	int rc = check_options(options, err);

	*convert = NULL;
	if (!rc)
		rc = PF_CALLOC(c, 1, err);
	if (rc)
		return rc;
	c->options = *options;
	if (options->format == PF_CONVERT_GCC)
		c->options.places = PF_PLACES_LINES;
	pf_buffer_init(&c->bytes, MAX_OUTPUT);
	rc = pf_copy_string(&c->binary_path, options->binary, err);
	if (!rc)
		rc = pf_copy_string(&c->sample_type, options->sample_type, err);
	c->options.binary = c->binary_path;
	c->options.stale_against = NULL; /* opened here */
	c->options.debug_files = NULL;   /* the caller's, for this call only */
	c->options.debug_file_count = 0;
	c->options.sample_type = c->sample_type;
	if (!rc)
		rc = pf_stacks_init(&c->stacks, err);
	if (!rc)
		rc = pf_functions_init(&c->functions, err);
	if (!rc && !c->binary_path && options->debug_file_count)
		rc = pf_error_set(err, PF_EUSAGE,
		    "debug files are of no use without the binary they belong to: name it too "
		    "(--binary)");
	if (!rc)
		rc = open_binaries(c, options, err);
	if (rc) {
		pf_convert_free(c);
		return rc;
	}
	*convert = c;
	return 0;
}

void
pf_convert_free(struct pf_convert *c)
{
	if (!c)
		return;
	pf_buffer_release(&c->bytes);
	pf_report_release(&c->report);
	pf_functions_release(&c->functions);
	pf_stacks_release(&c->stacks);
	pf_convert_inputs_release(&c->inputs);
	pf_staleness_release(&c->staleness);
	pf_binary_free(c->binary);
	pf_binary_free(c->newer);
	free(c->matches);
	free(c->sample_type);
	free(c->binary_path);
	free(c);
}

/* Whether one of a profile's mappings is of the binary; those that were symbolized already need none. */
static bool
has_binary(const struct pf_convert *c, const struct pf_profile *p)
{
	if (!c->binary || !p->mapping_count)
		return true;
	for (size_t i = 0; i < p->mapping_count; i++) {
		const struct pf_mapping *m = &p->mappings[i];

		if (pf_match_used(pf_match_binary(pf_profile_string(p, m->filename),
			pf_profile_string(p, m->build_id), c->binary_path,
			pf_binary_build_id(c->binary), c->options.allow_build_id_mismatch)))
			return true;
	}
	return false;
}

/* `file`: the bytes that the profile was read from; NULL: it was not. */
static int
add_profile(struct pf_convert *c, const struct pf_profile *profile, const char *name,
    const struct pf_buffer *file, struct pf_error *err)
{
	struct pf_stacks_options options = {.merge_by_filename = c->options.merge_by_filename,
	    .prefer_lines = !c->binary || pf_format_is_go(c->options.format),
	    .tell_again = pf_format_is_go(c->options.format)};
	int rc = pf_convert_inputs_add(
	    &c->inputs, profile, name, file ? file->bytes : NULL, file ? file->size : 0, err);

	if (rc)
		return rc;
	c->inputs.items[c->inputs.count - 1].of_binary = has_binary(c, profile);
	if (c->inputs.items[c->inputs.count - 1].repeated)
		return 0;
	pf_period_note(&c->period, profile);
	return pf_stacks_add(&c->stacks, profile, name, &options, err);
}

int
pf_convert_add(
    struct pf_convert *c, const struct pf_profile *profile, const char *name, struct pf_error *err)
{
	return add_profile(c, profile, name, NULL, err);
}

int
pf_convert_add_file(struct pf_convert *c, const char *path, const struct pf_read_options *options,
    struct pf_error *err)
{
	const char *name = strcmp(path, "-") == 0 ? "standard input" : path;
	uint64_t most = options ? options->max_size : UINT64_MAX;
	struct pf_profile *profile = NULL;
	struct pf_buffer file;
	int rc;

	pf_buffer_init(&file, most < PF_BUFFER_NO_MAXIMUM ? (size_t)most : PF_BUFFER_NO_MAXIMUM);
	rc = pf_file_read(path, &file, err);
	if (!rc)
		rc = pf_profile_parse(&profile, name, file.bytes, file.size, options, err);
	if (!rc)
		rc = add_profile(c, profile, name, &file, err);
	pf_profile_free(profile);
	pf_buffer_release(&file);
	return rc;
}

/* A build trusts what many samples agree on: the same ones given again are no more of them. */
static void
note_repeated(struct pf_convert *c)
{
	const struct pf_convert_input *first = pf_convert_inputs_repeated(&c->inputs);

	c->report.repeated = c->inputs.repeated;
	if (first)
		pf_report_note(&c->report,
		    "%zu of %zu profiles %s given before (%s%s): the same profile counts once.",
		    c->inputs.repeated, c->inputs.count, c->inputs.repeated == 1 ? "was" : "were",
		    first->name, c->inputs.repeated == 1 ? "" : " …");
}

/* Those of other programs, or of other builds: whoever gave them thought that they count. */
static void
note_others(struct pf_convert *c)
{
	size_t count, all = c->inputs.count - c->inputs.repeated;
	const struct pf_convert_input *first = pf_convert_inputs_without(&c->inputs, &count);

	if (first && count < all)
		pf_report_note(&c->report,
		    "%zu of %zu profiles %s nothing of this binary (%s%s): other programs' or "
		    "other "
		    "builds' count for nothing.",
		    count, all, count == 1 ? "has" : "have", first->name, count > 1 ? " …" : "");
}

static void
report_inputs(struct pf_convert *c)
{
	struct pf_report *r = &c->report;
	const struct pf_stacks *s = &c->stacks;

	r->profiles = s->profile_count;
	r->undated = s->undated_count;
	r->first_nanos = s->first_nanos;
	r->last_nanos = s->last_nanos;
	r->duration_nanos = s->duration_nanos;
	r->useful_nanos = pf_convert_inputs_duration(&c->inputs);
	r->type = pf_strings_get(&s->strings, s->types[c->type.type].type);
	r->unit = c->type.unit;
	r->time = c->type.time;
	r->from_lines = !c->binary;
	r->of_go = pf_go_stacks(s);
	r->scale = 1;
	note_repeated(c);
	note_others(c);
	if (s->undated_count)
		pf_report_note(r, "%llu of %llu profiles have no date: their age is unknown.",
		    (unsigned long long)s->undated_count, (unsigned long long)s->profile_count);
}

/* Function profiles for LLVM, compared with a newer build if there is one, into bytes. */
static int
finish_functions(struct pf_convert *c, struct pf_error *err)
{
	int rc = pf_convert_is_flat(c) ? pf_functions_flatten(&c->functions, err) : 0;

	if (!rc && c->newer)
		rc = pf_stale_compare(&c->staleness, &c->functions, c->binary, c->newer, err);
	if (!rc && c->newer)
		pf_report_judge_share(
		    &c->report, "match", pf_stale_matched(&c->staleness), c->options.least_match);
	c->report.unique_names |= !c->report.probes && pf_are_unique_names(&c->functions.names);
	c->report.profile_functions = c->functions.root_count;
	c->report.profile_counts = c->functions.body_count;
	return rc ? rc : pf_convert_render(c, err);
}

static size_t
count_lines(const struct pf_buffer *text)
{
	size_t lines = 0;

	for (size_t i = 0; i < text->size; i++)
		lines += text->bytes[i] == '\n';
	return lines;
}

static int
convert(struct pf_convert *c, struct pf_error *err)
{
	int rc;

	switch (c->options.format) {
	case PF_CONVERT_GO_PGO:
	case PF_CONVERT_GO_PREPROFILE:
		return pf_convert_for_go(c, err);
	case PF_CONVERT_BOLT:
		return pf_convert_from_binary(c, err);
	case PF_CONVERT_FOLDED:
		rc = c->binary ? pf_convert_from_binary(c, err)
			       : pf_convert_for_flames(c, NULL, err);
		rc = rc ? rc : pf_convert_render(c, err);
		c->report.profile_counts = count_lines(&c->bytes);
		return rc;
	case PF_CONVERT_EXTBINARY:
	case PF_CONVERT_TEXT:
	case PF_CONVERT_GCC:
		break;
	}
	rc = c->binary ? pf_convert_from_binary(c, err) : pf_convert_from_lines(c, err);
	return rc ? rc : finish_functions(c, err);
}

int
pf_convert_run(struct pf_convert *c, struct pf_error *err)
{
	int rc;

	if (c->ran)
		return pf_error_set(err, PF_EUSAGE, "a conversion can run once only");
	c->ran = true;
	if (c->stacks.profile_count == 0)
		return pf_error_set(err, PF_EUSAGE, "no profile was given");
	rc = pf_sample_type_choose(&c->type, &c->stacks, c->sample_type, &c->period, err);
	if (rc)
		return rc;
	if (c->type.memory && c->options.format != PF_CONVERT_FOLDED)
		return pf_error_set(err, PF_EINPUT,
		    "%s is memory: it says where memory was allocated, compilers need to know how "
		    "often "
		    "code runs, from a CPU profile. Only --format folded can be made of it",
		    pf_strings_get(&c->stacks.strings, c->stacks.types[c->type.type].type));
	report_inputs(c);
	rc = convert(c, err);
	if (!rc)
		pf_note_more(&c->report);
	pf_report_sort_drops(&c->report);
	return rc;
}

const void *
pf_convert_bytes(const struct pf_convert *c, size_t *size)
{
	*size = c->bytes.size;
	return c->bytes.bytes;
}

int
pf_convert_write(const struct pf_convert *c, const char *path, struct pf_error *err)
{
	return pf_file_write(path, c->bytes.bytes, c->bytes.size, err);
}

bool
pf_convert_ready(const struct pf_convert *c)
{
	return c->report.ready;
}
