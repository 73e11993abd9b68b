/* report_text.c: the readiness verdict for people. */
#include <stdlib.h>
#include <string.h>

#include "convert/advice.h"
#include "convert/convert_private.h"
#include "convert/stale_report.h"
#include "core/error.h"

enum { TEXT_MAXIMUM = 1 << 20 };

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
	    "in functions without a start line", "in stacks without a caller",
	    "in functions whose control flow could not be followed"};

	pf_buffer_printf(
	    b, "  %10.0f  %5.1f %%  %s", d->samples, percent(d->samples, total), words[d->reason]);
	if (d->binary)
		pf_buffer_printf(b, ": %s", d->binary);
	if (d->build_id && d->reason == PF_DROP_OTHER_BUILD)
		pf_buffer_printf(b, " (build id %s)", d->build_id);
	pf_buffer_byte(b, '\n');
}

/* In a unit in which the limit is a number to be read. */
static void
describe_age(struct pf_buffer *b, const struct pf_check *k, const char *side)
{
	static const struct {
		const char *name;
		double seconds;
	} units[] = {{"days", 86400}, {"hours", 3600}, {"minutes", 60}, {"seconds", 1}};
	size_t i = 0;

	while (i < 3 && k->limit < units[i].seconds)
		i++;
	if (k->state == PF_CHECK_UNKNOWN)
		pf_buffer_printf(b, "age: the profiles have no date (%s %.1f %s)\n", side,
		    k->limit / units[i].seconds, units[i].name);
	else
		pf_buffer_printf(b, "%.1f %s old (%s %.1f %s)\n", k->value / units[i].seconds,
		    units[i].name, side, k->limit / units[i].seconds, units[i].name);
}

static void
describe_check(struct pf_buffer *b, const struct pf_check *k, bool bolt)
{
	static const char *const states[] = {"yes", "NO", "unknown"};
	const char *side = k->at_most ? "at most" : "at least";

	pf_buffer_printf(b, "  %-8s", states[k->state]);
	if (strcmp(k->name, "samples") == 0)
		pf_buffer_printf(b, "%.0f samples used (%s %.0f)\n", k->value, side, k->limit);
	else if (strcmp(k->name, "line-share") == 0)
		pf_buffer_printf(b, "%.1f %% of this binary's samples in functions %s (%s %g %%)\n",
		    k->value, bolt ? "whose control flow is known" : "with line information", side,
		    k->limit);
	else if (strcmp(k->name, "overlap") == 0)
		pf_buffer_printf(b, "%.1f %% overlap of the data's two halves (%s %g %%)\n",
		    k->value, side, k->limit);
	else if (strcmp(k->name, "match") == 0)
		pf_buffer_printf(b, "%.1f %% of the counts still fit the newer build (%s %g %%)\n",
		    k->value, side, k->limit);
	else if (strcmp(k->name, "callers") == 0)
		pf_buffer_printf(b,
		    "%.1f %% of the callers' addresses are calls in this binary (%s %g %%: else it "
		    "is another build)\n",
		    k->value, side, k->limit);
	else
		describe_age(b, k, side);
}

/* What the output is, in one line. */
static void
describe_output(struct pf_buffer *b, const struct pf_convert *c, const char *output)
{
	const struct pf_report *r = &c->report;

	pf_buffer_printf(
	    b, "%s: %s, ", output ? output : "profile", pf_format_name(c->options.format));
	if (pf_format_is_go(c->options.format))
		pf_buffer_printf(b, "%zu of %zu call edges (%.2f %% of their weight)",
		    r->profile_counts, r->edges_read, percent(r->edge_weight_kept, r->edge_weight));
	else if (c->options.format == PF_CONVERT_FOLDED)
		pf_buffer_printf(b, "%zu stacks", r->profile_counts);
	else
		pf_buffer_printf(b, "%zu functions, %zu %s", r->profile_functions,
		    r->profile_counts,
		    c->options.format == PF_CONVERT_BOLT ? "branches" : "counts");
	pf_buffer_printf(b, ", from %llu profile%s (%s)\n\n", (unsigned long long)r->profiles,
	    r->profiles == 1 ? "" : "s", r->type);
}

static void
describe_samples(struct pf_buffer *b, const struct pf_report *r)
{
	pf_buffer_printf(
	    b, "samples\n  %10.0f  %5.1f %%  used\n", r->used, percent(r->used, r->total));
	for (size_t i = 0; i < r->drop_count; i++)
		describe_drop(b, &r->drops[i], r->total);
	if (r->steps > 0)
		pf_buffer_printf(
		    b, "  and %.0f instructions that were followed one by one\n", r->steps);
}

static void
describe_verdict(struct pf_buffer *b, const struct pf_convert *c)
{
	const struct pf_report *r = &c->report;

	pf_buffer_printf(b,
	    "\n%zu of the %zu functions that hold 90 %% of this binary's samples are covered\n",
	    r->hot_covered, r->hot_functions);
	if (c->newer)
		pf_stale_text(b, &c->staleness, c->newer);
	pf_buffer_printf(b, "\nready for a profile-guided build: %s\n", r->ready ? "yes" : "NO");
	for (size_t i = 0; i < r->check_count; i++)
		describe_check(b, &r->checks[i], c->options.format == PF_CONVERT_BOLT);
}

static void
describe_lto(struct pf_buffer *b, const struct pf_convert *c, const char *output)
{
	if (!pf_format_is_llvm(c->options.format))
		return;
	pf_buffer_string(b, "with -flto, the linker needs it too\n  ");
	pf_advice_lto_flags(b, c, output);
	pf_buffer_byte(b, '\n');
}

int
pf_convert_report_text(
    const struct pf_convert *c, const char *output, char **text, struct pf_error *err)
{
	const struct pf_report *r = &c->report;
	struct pf_buffer b;
	int rc;

	pf_buffer_init(&b, TEXT_MAXIMUM);
	describe_output(&b, c, output);
	describe_samples(&b, r);
	if (c->options.format != PF_CONVERT_FOLDED)
		describe_verdict(&b, c);
	for (size_t i = 0; i < r->note_count; i++)
		pf_buffer_printf(&b, "%snote: %s\n", i ? "" : "\n", r->notes[i]);
	pf_buffer_printf(&b, "\n%s\n  ", pf_advice_verb(c->options.format));
	pf_advice_command(&b, c, output);
	pf_buffer_byte(&b, '\n');
	describe_lto(&b, c, output);
	pf_buffer_byte(&b, 0);
	rc = pf_buffer_check(&b, err);
	if (rc)
		pf_buffer_release(&b);
	*text = (char *)b.bytes;
	return rc;
}
