/*
 * provenance.c: what an output was made of, to be kept beside it.
 *
 * The same inputs, binary and options give the same bytes: no clock, no paths,
 * and the profiles in order of their digests. The schema is in docs/pipeline.md.
 */
#include <stdlib.h>
#include <string.h>

#include "convert/advice.h"
#include "convert/report_json.h"
#include "core/error.h"
#include "core/memory.h"
#include "symbol/binary.h"

static json_t *
file_name(const char *path)
{
	int size;
	const char *base = pf_file_base(path, &size);

	return json_string(base);
}

static json_t *
binary_json(const struct pf_binary *binary)
{
	char digest[PF_SHA256_HEX];
	const void *image;
	size_t size;

	if (!binary)
		return json_null();
	image = pf_binary_image(binary, &size);
	pf_sha256_hex(digest, image, size);
	return json_pack("{s:o, s:s, s:s, s:I}", "file", file_name(pf_binary_path(binary)),
	    "build_id", pf_binary_build_id(binary), "sha256", digest, "bytes", (json_int_t)size);
}

static int
by_digest(const void *left, const void *right)
{
	const struct pf_convert_input *const *a = left, *const *b = right;
	int order = strcmp((*a)->sha256, (*b)->sha256);

	return order ? order : strcmp((*a)->name, (*b)->name);
}

static json_t *
inputs_json(const struct pf_convert_inputs *inputs)
{
	const struct pf_convert_input **sorted;
	json_t *list = json_array();

	if (PF_CALLOC(sorted, inputs->count, NULL)) {
		json_decref(list);
		return NULL;
	}
	for (size_t i = 0; i < inputs->count; i++)
		sorted[i] = &inputs->items[i];
	if (inputs->count)
		qsort(sorted, inputs->count, sizeof *sorted, by_digest);
	for (size_t i = 0; i < inputs->count; i++) {
		const struct pf_convert_input *in = sorted[i];

		if (i && strcmp(sorted[i - 1]->sha256, in->sha256) == 0)
			continue; /* the same file under another name */
		json_array_append_new(
		    list, json_pack("{s:s, s:s, s:I, s:I, s:I, s:I}", "file", in->name, "sha256",
			      in->sha256, "bytes", (json_int_t)in->size, "samples",
			      (json_int_t)in->samples, "time_nanos", (json_int_t)in->time_nanos,
			      "duration_nanos", (json_int_t)in->duration_nanos));
	}
	free(sorted);
	return list;
}

static json_t *
output_json(const struct pf_convert *c, const char *output)
{
	char digest[PF_SHA256_HEX];

	pf_sha256_hex(digest, c->bytes.bytes, c->bytes.size);
	return json_pack("{s:o, s:s, s:s, s:I}", "file", file_name(output), "format",
	    pf_format_name(c->options.format), "sha256", digest, "bytes",
	    (json_int_t)c->bytes.size);
}

/* Options that the bytes depend on and that the profile's description does not name. */
static json_t *
options_json(const struct pf_convert_options *o)
{
	return json_pack("{s:b, s:b, s:b, s:b, s:b, s:f, s:I, s:I}", "allow_build_id_mismatch",
	    (int)o->allow_build_id_mismatch, "merge_by_filename", (int)o->merge_by_filename, "md5",
	    (int)o->md5, "compress", (int)o->compress, "symbol_list", (int)o->symbol_list, "trim",
	    o->trim / 100, "max_edges", (json_int_t)o->max_edges, "seed", (json_int_t)o->seed);
}

/* The verdict's checks but for the age, which changes from day to day. */
static json_t *
checks_json(const struct pf_convert *c)
{
	json_t *checks = pf_report_checks_json(&c->report), *check;
	size_t i;

	json_array_foreach(checks, i, check)
	{
		if (strcmp(json_string_value(json_object_get(check, "name")), "age") == 0) {
			json_array_remove(checks, i);
			break;
		}
	}
	return checks;
}

/* The flags that use the output, where it lies in the current folder. */
static json_t *
flags_json(const struct pf_convert *c, const char *output,
    void (*advise)(struct pf_buffer *, const struct pf_convert *, const char *))
{
	int size;

	return pf_report_advice_json(advise, c, pf_file_base(output, &size));
}

static json_t *
provenance_json(const struct pf_convert *c, const char *output)
{
	const struct pf_report *r = &c->report;

	return json_pack("{s:s, s:{s:s, s:s}, s:o, s:o, s:o, s:o*, s:o, s:{s:I, s:I, s:I}, s:o, "
			 "s:o, s:o, s:o, s:o}",
	    "schema", "profuse.provenance.v1", "tool", "name", "profuse", "version", pf_version(),
	    "output", output_json(c, output), "profile", pf_report_profile_json(c), "binary",
	    binary_json(c->binary), "compared_with", c->newer ? binary_json(c->newer) : NULL,
	    "inputs", inputs_json(&c->inputs), "time_range", "first_nanos",
	    (json_int_t)r->first_nanos, "last_nanos", (json_int_t)r->last_nanos, "duration_nanos",
	    (json_int_t)r->duration_nanos, "options", options_json(&c->options), "samples",
	    pf_report_samples_json(r), "checks", checks_json(c), "flags",
	    flags_json(c, output, pf_advice_flags_here), "lto_flags",
	    flags_json(c, output, pf_advice_lto_flags));
}

int
pf_convert_provenance_json(
    const struct pf_convert *c, const char *output, char **json, struct pf_error *err)
{
	json_t *object = provenance_json(c, output);

	*json = object ? json_dumps(object, JSON_INDENT(2) | JSON_REAL_PRECISION(15)) : NULL;
	json_decref(object);
	if (*json)
		return 0;
	return pf_error_set(err, PF_EINPUT,
	    "a name in the profiles or the binary is not valid UTF-8: no JSON record");
}
