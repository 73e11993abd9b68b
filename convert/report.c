/* report.c: taking the measures; the words are in report_text.c and report_json.c. */
#include "convert/report.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/error.h"
#include "core/memory.h"

#define HOT_SHARE 0.9

void
pf_report_forget_drops(struct pf_report *r)
{
	for (size_t i = 0; i < r->drop_count; i++) {
		free(r->drops[i].binary);
		free(r->drops[i].build_id);
	}
	r->drop_count = 0;
}

void
pf_report_release(struct pf_report *r)
{
	pf_report_forget_drops(r);
	free(r->drops);
	*r = (struct pf_report){0};
}

int
pf_report_drop(struct pf_report *r, enum pf_drop_reason reason, const char *binary,
    const char *build_id, double samples, struct pf_error *err)
{
	struct pf_drop *d;
	int rc;

	if (samples <= 0)
		return 0;
	rc = PF_GROW(r->drops, r->drop_capacity, r->drop_count + 1, err);
	if (rc)
		return rc;
	d = &r->drops[r->drop_count++];
	*d = (struct pf_drop){.reason = reason, .samples = samples};
	rc = pf_copy_string(&d->binary, binary && binary[0] ? binary : NULL, err);
	return rc ? rc
		  : pf_copy_string(&d->build_id, build_id && build_id[0] ? build_id : NULL, err);
}

static int
compare_text(const char *a, const char *b)
{
	return strcmp(a ? a : "", b ? b : "");
}

static int
by_reason(const void *left, const void *right)
{
	const struct pf_drop *a = left, *b = right;
	int order;

	if (a->reason != b->reason)
		return a->reason < b->reason ? -1 : 1;
	if (a->samples != b->samples)
		return a->samples < b->samples ? 1 : -1;
	order = compare_text(a->binary, b->binary);
	return order ? order : compare_text(a->build_id, b->build_id);
}

void
pf_report_sort_drops(struct pf_report *r)
{
	if (r->drop_count)
		qsort(r->drops, r->drop_count, sizeof *r->drops, by_reason);
}

void
pf_report_note(struct pf_report *r, const char *format, ...)
{
	va_list arguments;

	if (r->note_count == PF_NOTES)
		return;
	va_start(arguments, format);
	vsnprintf(r->notes[r->note_count++], sizeof r->notes[0], format, arguments);
	va_end(arguments);
}

static int
most_first(const void *left, const void *right)
{
	const struct pf_share *a = left, *b = right;

	if (a->samples != b->samples)
		return a->samples < b->samples ? 1 : -1;
	return (int)b->covered - (int)a->covered;
}

void
pf_report_shares(struct pf_report *r, struct pf_share *shares, size_t n)
{
	double total = 0, covered = 0, sum = 0;

	if (n)
		qsort(shares, n, sizeof *shares, most_first);
	for (size_t i = 0; i < n; i++) {
		total += shares[i].samples;
		covered += shares[i].covered ? shares[i].samples : 0;
		r->functions += shares[i].samples > 0;
	}
	for (size_t i = 0; i < n && sum < HOT_SHARE * total; i++) {
		sum += shares[i].samples;
		r->hot_functions++;
		r->hot_covered += shares[i].covered;
	}
	r->line_share = r->in_binary > 0 ? 100 * covered / r->in_binary : 0;
}

static struct pf_check
check(const char *name, double value, double limit, bool at_most)
{
	bool pass = at_most ? value <= limit : value >= limit;

	return (struct pf_check){
	    name, pass ? PF_CHECK_PASS : PF_CHECK_FAIL, value, limit, at_most, false};
}

static int64_t
now_nanos(const struct pf_convert_options *options)
{
	struct timespec now;

	if (options->now_nanos)
		return options->now_nanos;
	clock_gettime(CLOCK_REALTIME, &now);
	return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

void
pf_report_judge(struct pf_report *r, const struct pf_convert_options *options, double overlap)
{
	double age = ((double)now_nanos(options) - (double)r->last_nanos) / 1e9;

	r->checks[0] = check("samples", r->used, options->least_samples, false);
	r->checks[1] = check("line-share", r->line_share, options->least_line_share, false);
	r->checks[2] = check("overlap", 100 * overlap, options->least_overlap, false);
	r->checks[3] = check("age", age < 0 ? 0 : age, options->most_age, true);
	if (r->last_nanos == 0)
		r->checks[3].state = PF_CHECK_UNKNOWN;
	r->checks[1].share = r->checks[2].share = true;
	r->check_count = 4;
	r->ready = true;
	for (size_t i = 0; i < r->check_count; i++)
		r->ready &= r->checks[i].state != PF_CHECK_FAIL;
}

void
pf_report_judge_share(struct pf_report *r, const char *name, double share, double least)
{
	struct pf_check *k = &r->checks[r->check_count++];

	*k = check(name, 100 * share, least, false);
	k->share = true;
	r->ready &= k->state != PF_CHECK_FAIL;
}

const char *
pf_drop_name(enum pf_drop_reason reason)
{
	static const char *const names[PF_DROP_REASONS] = {"other-binary", "other-build",
	    "unmapped", "not-code", "no-symbol", "no-lines", "no-place", "no-start-line",
	    "no-caller", "no-flow"};

	return names[reason];
}
