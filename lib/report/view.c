/* view.c: choosing what a view is about, and its head; see view.h. */
#include "report/view.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "core/error.h"
#include "core/file.h"
#include "report/select.h"
#include "report/text.h"
#include "report/units.h"

enum { MOST_COMMENTS = 16 };

static int
unknown_type(const struct pf_profile *p, const char *wanted, struct pf_error *err)
{
	struct pf_buffer names;
	int rc;

	pf_buffer_init(&names, 512);
	for (size_t i = 0; i < p->type_count; i++)
		pf_buffer_printf(&names, "%s%s", i ? ", " : "", pf_profile_type_name(p, i));
	rc = pf_error_set(err, PF_EUSAGE,
	    "--sample-type %s: the profile has no such sample type; it has %.*s", wanted,
	    (int)names.size, names.bytes ? (const char *)names.bytes : "");
	pf_buffer_release(&names);
	return rc;
}

/* Types are called by name or, as in other tools, by position from 0. */
static int
choose_type(struct pf_view *r, struct pf_error *err)
{
	const struct pf_profile *p = r->p;
	const char *wanted = r->options.sample_type;
	unsigned long position;
	char *end;

	if (p->type_count == 0)
		return pf_error_set(err, PF_EINPUT, "the profile has no sample types");
	r->type = (uint32_t)p->type_count - 1;
	if (!wanted && p->default_type) {
		wanted = pf_profile_string(p, p->default_type);
		if (pf_profile_find_type(p, wanted) == PF_NONE)
			wanted = NULL;
	}
	if (!wanted)
		return 0;
	r->type = pf_profile_find_type(p, wanted);
	if (r->type != PF_NONE)
		return 0;
	position = strtoul(wanted, &end, 10);
	if (!*wanted || *end || position >= p->type_count)
		return unknown_type(p, wanted, err);
	r->type = (uint32_t)position;
	return 0;
}

/* The sum of all values' magnitudes, or only of the base's where there is one. */
static int
add_up(struct pf_view *r, struct pf_error *err)
{
	uint64_t all = 0, base = 0;

	for (size_t i = 0; i < r->p->sample_count; i++) {
		int64_t value = pf_view_value(r, i);
		uint64_t magnitude = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;

		if (__builtin_add_overflow(all, magnitude, &all) || all > INT64_MAX)
			return pf_error_set(err, PF_EINPUT, "the sum of %s exceeds 64 bits",
			    pf_profile_type_name(r->p, r->type));
		if (r->is_base && r->is_base[i])
			base += magnitude;
	}
	r->total = (int64_t)(base ? base : all);
	return 0;
}

int
pf_view_init(struct pf_view *r, const struct pf_profile *p, const struct pf_view_options *options,
    struct pf_error *err)
{
	int rc;

	*r = (struct pf_view){.p = p, .options = *options};
	rc = choose_type(r, err);
	if (!rc) {
		r->unit = pf_profile_type_unit(p, r->type);
		rc = pf_frames_init(&r->frames, p, options->granularity, err);
	}
	if (!rc)
		rc = pf_view_select(r, err);
	return rc ? rc : add_up(r, err);
}

void
pf_view_release(struct pf_view *r)
{
	pf_frames_release(&r->frames);
	free(r->kept);
	free(r->is_base);
	*r = (struct pf_view){0};
}

const char *
pf_view_advice(const struct pf_view *r)
{
	if (r->p->sample_count == 0)
		return NULL; /* whoever read it has said so */
	if (r->kept_count == 0)
		return "no sample is left by --focus and --ignore";
	if (r->frames.bad_drop_frames)
		return "the profile's own filter of frames (drop_frames, keep_frames) is no POSIX "
		       "regular expression and was ignored in part or whole";
	if (!r->frames.has_lines)
		return "this profile has addresses only; --binary BIN gives them names";
	return NULL;
}

static void
header_duration(const struct pf_view *r, const char *unit, struct pf_buffer *out)
{
	char duration[PF_VALUE_TEXT], total[PF_VALUE_TEXT], share[PF_VALUE_TEXT];
	double factor;

	pf_value_text(duration, r->p->duration_nanos, "nanoseconds", "auto");
	if (r->is_base) {
		pf_buffer_printf(out, "Duration: %s\n", duration);
		return;
	}
	pf_value_text(total, r->total, r->unit, unit);
	pf_buffer_printf(out, "Duration: %s, Total samples = %s", duration, total);
	if (pf_unit_is_time(r->unit, &factor) && r->total)
		pf_buffer_printf(out, " (%s)",
		    pf_share_text(
			share, (int64_t)((double)r->total * factor), r->p->duration_nanos));
	pf_buffer_byte(out, '\n');
}

static void
header_filters(const struct pf_view *r, struct pf_buffer *out)
{
	const struct pf_view_options *o = &r->options;

	if (o->focus || o->ignore)
		pf_buffer_string(out, "Active filters:\n");
	if (o->focus)
		pf_buffer_printf(out, "   focus=%s\n", o->focus);
	if (o->ignore)
		pf_buffer_printf(out, "   ignore=%s\n", o->ignore);
}

/* Comments meant for people; of a merge of many profiles only the first. */
static void
header_comments(const struct pf_profile *p, struct pf_buffer *out)
{
	size_t shown = 0;

	for (size_t i = 0; i < p->comment_count && shown < MOST_COMMENTS; i++) {
		const char *comment = pf_profile_string(p, p->comments[i]);
		if (*comment == '#')
			continue;
		pf_buffer_printf(out, "%s\n", comment);
		shown++;
	}
	if (p->comment_count > MOST_COMMENTS)
		pf_buffer_printf(
		    out, "(%zu comments in all; show raw has them)\n", p->comment_count);
}

void
pf_view_header(const struct pf_view *r, const char *unit, struct pf_buffer *out)
{
	const struct pf_profile *p = r->p;

	if (p->mapping_count && p->mappings[0].filename)
		pf_buffer_printf(
		    out, "File: %s\n", pf_base_name(pf_profile_string(p, p->mappings[0].filename)));
	if (p->mapping_count && p->mappings[0].build_id)
		pf_buffer_printf(
		    out, "Build ID: %s\n", pf_profile_string(p, p->mappings[0].build_id));
	header_comments(p, out);
	pf_buffer_printf(out, "Type: %s\n", pf_profile_type_name(p, r->type));
	if (p->doc_url)
		pf_buffer_printf(out, "Doc: %s\n", pf_profile_string(p, p->doc_url));
	if (p->time_nanos) {
		char when[64];

		pf_utc_text(when, sizeof when, p->time_nanos);
		pf_buffer_printf(out, "Time: %s\n", when);
	}
	if (p->duration_nanos)
		header_duration(r, unit, out);
	header_filters(r, out);
}
