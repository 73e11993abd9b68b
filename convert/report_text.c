/* report_text.c: the readiness verdict for people. */
#include <stdlib.h>
#include <string.h>

#include "convert/convert_private.h"
#include "core/error.h"

enum { TEXT_MAXIMUM = 1 << 20 };

static const char *const formats[] = {"extbinary", "text", "folded"};

static double
percent(double part, double whole)
{
	return whole > 0 ? 100 * part / whole : 0;
}

static void
describe_drop(struct pf_buffer *b, const struct pf_drop *d, double total)
{
	static const char *const words[PF_DROP_REASONS] = {"in other binaries", "in another build",
	    "in no known binary", "outside this binary's code", "in no function symbol",
	    "in functions without line information", "on instructions without a line",
	    "in functions without a start line"};

	pf_buffer_printf(
	    b, "  %10.0f  %5.1f %%  %s", d->samples, percent(d->samples, total), words[d->reason]);
	if (d->binary)
		pf_buffer_printf(b, ": %s", d->binary);
	if (d->build_id && d->reason == PF_DROP_OTHER_BUILD)
		pf_buffer_printf(b, " (build id %s)", d->build_id);
	pf_buffer_byte(b, '\n');
}

static void
describe_check(struct pf_buffer *b, const struct pf_check *k)
{
	static const char *const states[] = {"yes", "NO", "unknown"};
	const char *side = k->at_most ? "at most" : "at least";

	pf_buffer_printf(b, "  %-8s", states[k->state]);
	if (strcmp(k->name, "samples") == 0)
		pf_buffer_printf(b, "%.0f samples used (%s %.0f)\n", k->value, side, k->limit);
	else if (strcmp(k->name, "line-share") == 0)
		pf_buffer_printf(b,
		    "%.1f %% of this binary's samples in functions with line information (%s %g "
		    "%%)\n",
		    k->value, side, k->limit);
	else if (strcmp(k->name, "overlap") == 0)
		pf_buffer_printf(b, "%.1f %% overlap of the data's two halves (%s %g %%)\n",
		    k->value, side, k->limit);
	else if (k->state == PF_CHECK_UNKNOWN)
		pf_buffer_printf(
		    b, "age: the profiles have no date (%s %.1f days)\n", side, k->limit / 86400);
	else
		pf_buffer_printf(
		    b, "%.1f days old (%s %.1f days)\n", k->value / 86400, side, k->limit / 86400);
}

static void
describe_build(struct pf_buffer *b, const struct pf_convert *c, const char *output)
{
	if (c->options.format == PF_CONVERT_FOLDED)
		return;
	pf_buffer_printf(b, "\nbuild with\n  clang %s -fprofile-sample-use=%s %s\n",
	    c->report.probes ? PF_REPORT_PROBE_FLAGS : PF_REPORT_FLAGS,
	    output && strcmp(output, "-") != 0 ? output : "FILE", PF_REPORT_USE_FLAGS);
}

int
pf_convert_report_text(
    const struct pf_convert *c, const char *output, char **text, struct pf_error *err)
{
	const struct pf_report *r = &c->report;
	struct pf_buffer b;
	int rc;

	pf_buffer_init(&b, TEXT_MAXIMUM);
	pf_buffer_printf(&b, "%s: %s, %zu functions, %zu counts, from %llu profile%s (%s)\n\n",
	    output ? output : "profile", formats[c->options.format], r->profile_functions,
	    r->profile_counts, (unsigned long long)r->profiles, r->profiles == 1 ? "" : "s",
	    r->type);
	pf_buffer_printf(
	    &b, "samples\n  %10.0f  %5.1f %%  used\n", r->used, percent(r->used, r->total));
	for (size_t i = 0; i < r->drop_count; i++)
		describe_drop(&b, &r->drops[i], r->total);
	pf_buffer_printf(&b,
	    "\n%zu of the %zu functions that hold 90 %% of this binary's samples are covered\n",
	    r->hot_covered, r->hot_functions);
	pf_buffer_printf(&b, "\nready for a profile-guided build: %s\n", r->ready ? "yes" : "NO");
	for (size_t i = 0; i < PF_CHECKS; i++)
		describe_check(&b, &r->checks[i]);
	for (size_t i = 0; i < r->note_count; i++)
		pf_buffer_printf(&b, "%snote: %s\n", i ? "" : "\n", r->notes[i]);
	describe_build(&b, c, output);
	pf_buffer_byte(&b, 0);
	rc = pf_buffer_check(&b, err);
	if (rc)
		pf_buffer_release(&b);
	*text = (char *)b.bytes;
	return rc;
}
