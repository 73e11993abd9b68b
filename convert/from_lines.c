/*
 * from_lines.c: the conversion of profiles that another agent symbolized, where
 * no addresses are left, or no binary is given.
 */
#include <math.h>
#include <stdlib.h>

#include "convert/convert_private.h"
#include "convert/go_profile.h"
#include "convert/halves.h"
#include "convert/line_samples.h"
#include "core/error.h"
#include "core/memory.h"

int
pf_convert_measure(
    struct pf_convert *c, const struct pf_function_values *functions, struct pf_error *err)
{
	struct pf_share *shares = NULL;
	uint64_t *counts = NULL;
	int rc = PF_CALLOC(shares, functions->count, err);

	if (!rc)
		rc = PF_CALLOC(counts, functions->count, err);
	for (size_t i = 0; !rc && i < functions->count; i++) {
		double samples = (double)functions->items[i].value / c->type.unit;
		shares[i] = (struct pf_share){samples, functions->items[i].usable};
		counts[i] = (uint64_t)llround(samples);
	}
	if (!rc) {
		pf_report_shares(&c->report, shares, functions->count);
		pf_report_judge(&c->report, &c->options,
		    pf_halves_overlap(counts, functions->count, c->options.seed));
	}
	free(shares);
	free(counts);
	return rc;
}

static int
refuse(const struct pf_line_samples *l, struct pf_error *err)
{
	if (l->total == 0)
		return pf_error_set(err, PF_EINPUT, "the profile has no samples");
	if (l->no_start_line == 0)
		return pf_error_set(err, PF_EINPUT,
		    "the profile has addresses and no lines: --binary names the program that it "
		    "was taken from");
	return pf_error_set(err, PF_EINPUT,
	    "the profile's functions have no start lines, which LLVM's profiles count from: give "
	    "--binary and a "
	    "profile with addresses, or let the agent that symbolizes set Function.start_line");
}

static int
report_lines(struct pf_convert *c, const struct pf_line_samples *l, struct pf_error *err)
{
	struct pf_report *r = &c->report;
	double unit = c->type.unit;
	int rc;

	r->total = (double)l->total / unit;
	r->used = (double)l->used / unit;
	r->in_binary = (double)(l->used + l->no_start_line) / unit;
	rc = pf_report_drop(r, PF_DROP_UNMAPPED, NULL, NULL, (double)l->no_lines / unit, err);
	if (!rc)
		rc = pf_report_drop(
		    r, PF_DROP_NO_START_LINE, NULL, NULL, (double)l->no_start_line / unit, err);
	if (r->of_go)
		pf_report_note(r,
		    "Some of the functions are Go's, which neither clang nor gcc builds: --format "
		    "go-pgo writes what go build -pgo takes.");
	pf_report_note(r,
	    "Converted from lines, not from addresses: code on one line cannot be told apart "
	    "(no discriminators), code without samples is unknown instead of cold, counts are sums "
	    "of samples, and the build cannot be checked.");
	return rc ? rc : pf_convert_measure(c, &l->functions, err);
}

int
pf_convert_from_lines(struct pf_convert *c, struct pf_error *err)
{
	struct pf_line_samples l;
	int rc;

	if (pf_go_stacks_mostly(&c->stacks, c->type.type))
		return pf_error_set(err, PF_EINPUT,
		    "the profile is of a Go program, which neither clang nor gcc builds: --format "
		    "go-pgo writes what go build -pgo takes");
	rc =
	    pf_line_samples_convert(&c->functions, &l, &c->stacks, c->type.type, c->type.unit, err);

	if (!rc && l.used == 0)
		rc = refuse(&l, err);
	if (!rc)
		rc = report_lines(c, &l, err);
	pf_line_samples_release(&l);
	return rc;
}
